"""Memory reckoned before a model is loaded: when blocks run again, and what is streamed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import comfy.model_management as management
import pytest
import torch

from facet.engine.training.model.loading import activation_memory
from facet.engine.training.model.plan import GB, MemoryPlan, adapter_bytes, available
from facet.engine.training.model.targets import target_modules, transformer_blocks
from harness.families import FAMILIES, published_model

CARD = torch.device("cuda", 0)


def plan_of(name: str, side: int, card: float, bytes_each: int = 2) -> MemoryPlan:
    """The plan for one image of ``side`` pixels, rank 16, on a card of ``card`` GB."""
    family = FAMILIES[name]
    model = published_model(family)
    network = model.diffusion_model
    targets = target_modules(network)
    blocks = transformer_blocks(network, targets)
    scale = 16 if family.latent[0] == 128 else 8
    shape = (1, *family.latent, side // scale, side // scale)
    return MemoryPlan(
        int(card * GB),
        bytes_each * sum(parameter.numel() for parameter in network.parameters()),
        adapter_bytes(map(network.get_submodule, targets), 16),
        activation_memory(model, blocks, shape, False),
        activation_memory(model, blocks, shape, True),
    )


@pytest.mark.parametrize(
    ("name", "side", "card", "bytes_each", "checkpointing", "streamed"),
    [
        ("Flux", 1024, 24, 2, True, True),
        ("Flux", 1024, 24, 1, True, False),
        ("Flux", 512, 80, 2, False, False),
        ("Flux2 Klein", 1024, 12, 2, True, False),
        ("Flux2 Klein", 1024, 24, 2, False, False),
        ("Qwen-Image", 1024, 24, 1, True, False),
        ("Z-Image", 1024, 16, 1, True, False),
        ("SDXL", 1024, 8, 2, True, False),
        ("SD 1.5", 512, 12, 2, False, False),
    ],
)
def test_blocks_run_again_where_a_step_would_not_fit(
    name: str, side: int, card: float, bytes_each: int, checkpointing: bool, streamed: bool
) -> None:
    plan = plan_of(name, side, card, bytes_each)
    assert (plan.checkpointing, bool(plan.streamed)) == (checkpointing, streamed), plan.text()


def test_the_estimate_is_what_others_measure() -> None:
    """Flux at 1024 px without checkpointing wants 20 to 25 GB of activations."""
    assert 15 < plan_of("Flux", 1024, 24).kept / GB < 30


def test_it_is_said_in_one_line_and_what_is_wanted_is_done() -> None:
    plan = MemoryPlan(24 * GB, 12 * GB, GB, 20 * GB, 2 * GB)
    assert plan.text() == (
        "Memory: 24.0 GB on the card; 12.0 GB model, 1.0 GB LoRA and optimizer, 2.0 GB a step with "
        "gradient checkpointing (20.0 GB without); the whole model stays on the card."
    )
    roomy = replace(plan, device=80 * GB)
    assert "20.0 GB a step; the whole" in roomy.text()
    assert replace(roomy, wanted=True).activations == 2 * GB
    small = replace(plan, device=8 * GB)
    assert small.streamed == 8 * GB and "8.0 GB of the model come from memory" in small.text()
    assert replace(plan, device=GB).streamed == 12 * GB


def test_what_others_hold_is_not_counted_and_what_comfyui_holds_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A card of 24 GB that another process fills half-way, with a text encoder of 6 GB on it."""

    def loaded(size: int, dynamic: bool, device: torch.device = CARD) -> Any:
        model = SimpleNamespace(is_dynamic=lambda: dynamic)
        return SimpleNamespace(device=device, model=model, model_loaded_memory=lambda: size * GB)

    held = [loaded(6, False), loaded(3, True), loaded(5, False, torch.device("cpu"))]
    monkeypatch.setattr(management, "current_loaded_models", held)
    model = SimpleNamespace(load_device=CARD, get_free_memory=lambda device: 6 * GB)
    assert available(model) == 12 * GB
    assert available(model, limit=8) == 8 * GB
    model.load_device = torch.device("cpu")
    assert available(model) is None
