"""A base in eight bits: exact for what it is, near the whole one, and gone without a trace."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from facet.engine.training.model.exact import OutOfPlace, exact_gradients
from facet.engine.training.model.fp8 import kept_in_fp8
from facet.engine.training.model.loading import MemoryBudget, Precision, activation_memory, loaded
from facet.engine.training.model.lora import adapters
from facet.engine.training.model.targets import target_modules, transformer_blocks
from harness.small_models import SmallModels

CPU = torch.device("cpu")


@contextlib.contextmanager
def loss_of(models: SmallModels, fp8: bool, kind: str = "LoRA") -> Iterator[Any]:
    diffusion_model = models.model.model.diffusion_model
    targets = target_modules(diffusion_model)
    generator = torch.Generator().manual_seed(5)
    latent, noise = (torch.randn(1, 16, 8, 8, generator=generator) for _ in range(2))
    conditions = {
        "c_crossattn": torch.randn(1, 12, 32, generator=generator),
        "y": torch.randn(1, 32, generator=generator),
    }
    sigma = torch.tensor([0.6])
    with (
        torch.inference_mode(False),
        loaded(models.model, (1, 16, 8, 8), Precision(torch.float32)) as options,
        adapters(diffusion_model, targets, rank=4, seed=1, kind=kind) as made,
        kept_in_fp8(diffusion_model, CPU) if fp8 else contextlib.nullcontext(),
        exact_gradients(diffusion_model, CPU),
    ):
        parameters = [value for one in made for value in one.parameters().values()]
        for value in parameters:
            value.data += 0.1 * torch.randn(value.shape, generator=generator)

        def loss() -> torch.Tensor:
            with OutOfPlace():
                denoised = models.model.model.apply_model(
                    (latent + noise) / 2, sigma, transformer_options=options, **conditions
                )
            return (denoised - latent).double().square().sum()

        yield loss, parameters


def gradient(loss: Any, parameters: list[torch.nn.Parameter]) -> torch.Tensor:
    loss().backward()
    return torch.cat([value.grad.flatten() for value in parameters if value.grad is not None])


@pytest.mark.parametrize("kind", ["LoRA", "DoRA"])
def test_gradients_are_those_of_the_weights_in_eight_bits(models: SmallModels, kind: str) -> None:
    with loss_of(models, fp8=True, kind=kind) as (loss, parameters):
        found = gradient(loss, parameters)
        parts = (found / found.norm()).split([value.numel() for value in parameters])
        losses = []
        for distance in (2e-3, -4e-3):
            for value, part in zip(parameters, parts, strict=True):
                value.data.add_(part.view_as(value), alpha=distance)
            with torch.no_grad():
                losses.append(float(loss()))
    assert (losses[0] - losses[1]) / 4e-3 == pytest.approx(float(found.norm()), rel=1e-3)


def test_eight_bits_point_where_the_whole_weights_do(models: SmallModels) -> None:
    found = []
    for fp8 in (False, True):
        with loss_of(models, fp8) as (loss, parameters):
            found.append(gradient(loss, parameters))
    assert not torch.equal(*found)
    assert float(torch.cosine_similarity(*found, dim=0)) > 0.99


def test_every_large_layer_takes_a_byte_a_weight_and_is_put_back(models: SmallModels) -> None:
    diffusion_model = models.model.model.diffusion_model
    layer = diffusion_model.double_blocks[0].img_mlp[0]
    before = {name: value.clone() for name, value in diffusion_model.state_dict().items()}
    entries = dict(vars(layer))
    with pytest.raises(KeyboardInterrupt), kept_in_fp8(diffusion_model, CPU):
        assert layer.weight.dtype == torch.float8_e4m3fn
        raise KeyboardInterrupt
    assert vars(layer).keys() == entries.keys()
    now = diffusion_model.state_dict()
    assert [name for name in before if not torch.equal(before[name], now[name])] == []


def test_checkpointing_keeps_a_small_part_of_what_a_step_makes(models: SmallModels) -> None:
    diffusion_model = models.model.model.diffusion_model
    blocks = transformer_blocks(diffusion_model, target_modules(diffusion_model))
    whole, one = (
        activation_memory(models.model.model, blocks, (2, 16, 64, 64), checkpointing)
        for checkpointing in (False, True)
    )
    assert 0 < one < whole
    assert MemoryBudget(activations=whole).left(models.model) is None
