"""Every family that is trained: exact gradients through ComfyUI's own modules."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import comfy.ops
import pytest
import torch

from harness.families import FAMILIES, Family, load_family
from harness.gradients import (
    along,
    distance,
    every_weight_alike,
    gradient,
    prepared,
    slope,
)

Narrow = tuple[Family, Any]


def sizes(family: Family, count: int) -> tuple[tuple[int, int], ...]:
    """Latents of two shapes, as aspect-ratio buckets give them."""
    side = 2 * family.factor
    return ((side, side), (side, 2 * side), (side, side))[:count]


@pytest.mark.parametrize("narrow", FAMILIES, indirect=True)
@pytest.mark.parametrize(("batch", "checkpoint"), [(1, True), (3, False)])
def test_gradients_agree_with_finite_differences(
    narrow: Narrow, batch: int, checkpoint: bool
) -> None:
    family, patcher = narrow
    with prepared(patcher, family, sizes(family, batch), checkpoint=checkpoint) as (problem, made):
        found = gradient(problem, made)
        direction = every_weight_alike(found)
        measured = slope(problem, made, direction)
    assert measured == pytest.approx(along(found, direction), rel=1e-3)


@pytest.mark.parametrize("narrow", FAMILIES, indirect=True)
def test_a_checkpoint_changes_no_gradient(narrow: Narrow) -> None:
    family, patcher = narrow
    found = []
    for checkpoint in (False, True):
        with prepared(patcher, family, sizes(family, 3), checkpoint=checkpoint) as (problem, made):
            found.append(gradient(problem, made))
    assert all(map(torch.equal, *found))


@pytest.mark.parametrize("narrow", FAMILIES, indirect=True)
def test_bf16_products_are_off_by_their_rounding_alone(narrow: Narrow) -> None:
    family, patcher = narrow
    found = []
    for products in (None, torch.bfloat16):
        with prepared(patcher, family, sizes(family, 1), products=products) as (problem, made):
            found.append(gradient(problem, made))
    exact, rounded = found
    # bfloat16 keeps 8 bits, and the errors of layers in a row add up as chance has it.
    room = 2**-8 * len(made) ** 0.5
    assert distance(rounded, exact) < 2 * room
    assert along(rounded, exact) == pytest.approx(along(exact, exact), rel=room)


# At the family's own width, through ComfyUI's loader. Z-Image, which ComfyUI knows with four
# refiners only, Chroma and Krea 2 are too large for a test that anyone runs.
@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("name", ["SD 1.5", "SDXL", "Flux", "Flux2 Klein", "Qwen-Image"])
def test_gradients_at_full_width(name: str) -> None:
    family = FAMILIES[name]
    with torch.inference_mode():
        patcher = load_family(family)
    given = sizes(family, 2)
    with prepared(patcher, family, given, narrow=False, checkpoint=True) as (problem, made):
        found = gradient(problem, made)
        direction = every_weight_alike(found)
        measured = slope(problem, made, direction)
    assert measured == pytest.approx(along(found, direction), rel=1e-3)


@pytest.mark.parametrize("narrow", ["Flux2 Klein", "Qwen-Image", "Krea 2"], indirect=True)
@pytest.mark.parametrize("checkpoint", [False, True])
def test_reference_pictures_at_a_time_of_their_own(narrow: Narrow, checkpoint: bool) -> None:
    """Flux2, Qwen-Image-Edit and Krea 2 scale parts of a tensor in place for these."""
    family, patcher = narrow
    reference = torch.randn(1, *family.latent, 4, 4, generator=torch.Generator().manual_seed(6))
    given: dict[str, Any] = {
        "reference_latents": [reference],
        "reference_latents_method": "index_timestep_zero",
    }
    with prepared(patcher, family, sizes(family, 1), checkpoint=checkpoint, extra=given) as (
        problem,
        made,
    ):
        found = gradient(problem, made)
        direction = every_weight_alike(found)
        measured = slope(problem, made, direction)
    assert measured == pytest.approx(along(found, direction), rel=1e-3)


@contextlib.contextmanager
def one_buffer(monkeypatch: pytest.MonkeyPatch, model: torch.nn.Module) -> Iterator[list[str]]:
    """What offloading does: every weight that stays elsewhere is streamed into the same memory."""
    cast = comfy.ops.cast_bias_weight
    offloaded = {id(weight): name for name, weight in model.named_parameters()}
    shared = torch.empty(4_000_000)
    streamed: list[str] = []

    def into_buffer(layer: Any, *args: Any, **kwargs: Any) -> Any:
        weight, bias, *rest = cast(layer, *args, **kwargs)
        name = offloaded.get(id(layer.weight))
        if name is None:
            return (weight, bias, *rest)
        streamed.append(name)
        count = weight.numel()
        shared.fill_(float("nan"))
        moved = shared[:count].view_as(weight).copy_(weight)
        if bias is not None:
            bias = shared[count : count + bias.numel()].copy_(bias)
        return (moved, bias, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(comfy.ops, "cast_bias_weight", into_buffer)
        yield streamed


@pytest.mark.parametrize("narrow", ["SD 1.5", "SDXL", "Flux", "Z-Image"], indirect=True)
def test_gradients_survive_a_buffer_that_every_layer_shares(
    narrow: Narrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, patcher = narrow
    with prepared(patcher, family, sizes(family, 2)) as (problem, made):
        expected = gradient(problem, made)
    with (
        one_buffer(monkeypatch, patcher.model.diffusion_model) as streamed,
        prepared(patcher, family, sizes(family, 2), checkpoint=True) as (problem, made),
    ):
        found = gradient(problem, made)
    assert all(map(torch.equal, found, expected))
    if family.name.startswith("SD"):
        assert any("in_layers.2" in name for name in streamed), "convolutions are streamed too"
    assert len(set(streamed)) > len(made)


def test_an_offloaded_norm_or_embedding_is_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tensors outside of linear layers and convolutions are copied for the training."""
    with torch.inference_mode():
        patcher = load_family(FAMILIES["SD 1.5"], narrow=True)
    unet = patcher.model.diffusion_model
    family = FAMILIES["SD 1.5"]
    with prepared(patcher, family, sizes(family, 1)):
        norms = (torch.nn.GroupNorm, torch.nn.LayerNorm)
        small = [m for m in unet.modules() if isinstance(m, norms)]
        assert small and not any(m.weight.is_inference() for m in small)
        wide = [m for m in unet.modules() if isinstance(m, torch.nn.Conv2d)]
        assert wide and all(m.weight.is_inference() for m in wide)
    assert all(m.weight.is_inference() for m in small)
