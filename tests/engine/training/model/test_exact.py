"""Gradients through ComfyUI's own Flux, against central finite differences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from facet.engine.training.model.checkpoint import checkpointed
from facet.engine.training.model.exact import OutOfPlace, exact_gradients
from facet.engine.training.model.loading import Precision, loaded
from facet.engine.training.model.lora import Adapter, adapters
from facet.engine.training.model.targets import target_modules, transformer_blocks
from harness.small_models import SmallModels


class Problem:
    """A velocity loss on fixed noise, as a function of the adapters."""

    def __init__(self, patcher: Any, options: dict[str, Any], batch: int) -> None:
        generator = torch.Generator().manual_seed(5)
        self.model, self.options = patcher.model, options
        self.latent = torch.randn(batch, 16, 8, 8, generator=generator)
        self.noise = torch.randn(batch, 16, 8, 8, generator=generator)
        self.sigma = torch.linspace(0.2, 0.9, batch)
        self.context = torch.randn(batch, 12, 32, generator=generator)
        self.pooled = torch.randn(batch, 32, generator=generator)

    def loss(self) -> torch.Tensor:
        sigma = self.sigma.view(-1, 1, 1, 1)
        noised = (1 - sigma) * self.latent + sigma * self.noise
        with OutOfPlace():
            denoised = self.model.apply_model(
                noised,
                self.sigma,
                c_crossattn=self.context,
                y=self.pooled,
                transformer_options=self.options,
            )
        return ((denoised - self.latent) / sigma).square().mean()


@contextlib.contextmanager
def prepared(
    models: SmallModels, batch: int, checkpoint: bool, products: torch.dtype | None = None
) -> Iterator[tuple[Problem, list[Adapter]]]:
    diffusion_model = models.model.model.diffusion_model
    targets = target_modules(diffusion_model)
    blocks = transformer_blocks(diffusion_model, targets)
    shape = (batch, 16, 8, 8)
    with (
        torch.inference_mode(False),
        loaded(models.model, shape, Precision(torch.float32, products)) as options,
        adapters(diffusion_model, targets, rank=4, seed=1) as made,
        exact_gradients(diffusion_model, models.model.load_device, products),
        checkpointed(blocks) if checkpoint else contextlib.nullcontext(),
    ):
        generator = torch.Generator().manual_seed(7)
        for adapter in made:
            adapter.values["lora_up.weight"].data.normal_(0, 0.3, generator=generator)
        yield Problem(models.model, options, batch), made


def flat_gradient(made: list[Adapter]) -> torch.Tensor:
    parts = [
        weight.grad
        for adapter in made
        for weight in (adapter.values["lora_down.weight"], adapter.values["lora_up.weight"])
    ]
    return torch.cat([part.flatten() for part in parts if part is not None])


def moved(made: list[Adapter], direction: torch.Tensor, distance: float) -> None:
    start = 0
    for adapter in made:
        for weight in (adapter.values["lora_down.weight"], adapter.values["lora_up.weight"]):
            part = direction[start : start + weight.numel()].view_as(weight)
            weight.data.add_(part, alpha=distance)
            start += weight.numel()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("checkpoint", [False, True])
def test_gradients_agree_with_finite_differences(
    models: SmallModels, batch: int, checkpoint: bool
) -> None:
    with prepared(models, batch, checkpoint) as (problem, made):
        problem.loss().backward()
        gradient = flat_gradient(made)
        # Along the gradient itself the slope is its norm: an error anywhere in it shows.
        unit = gradient / gradient.norm()
        step = 2e-3
        with torch.no_grad():
            moved(made, unit, step)
            above = problem.loss().double()
            moved(made, unit, -2 * step)
            below = problem.loss().double()
    measured = float((above - below) / (2 * step))
    assert measured == pytest.approx(float(gradient.norm()), rel=1e-3)


def test_gradients_along_random_directions(models: SmallModels) -> None:
    with prepared(models, 2, False) as (problem, made):
        problem.loss().backward()
        gradient = flat_gradient(made)
        generator = torch.Generator().manual_seed(11)
        for _ in range(3):
            unit = torch.randn(gradient.shape, generator=generator)
            unit = unit / unit.norm() + gradient / gradient.norm()
            with torch.no_grad():
                moved(made, unit, 2e-3)
                above = problem.loss().double()
                moved(made, unit, -4e-3)
                below = problem.loss().double()
                moved(made, unit, 2e-3)
            assert float((above - below) / 4e-3) == pytest.approx(float(gradient @ unit), rel=1e-3)


def test_a_checkpoint_changes_no_gradient(models: SmallModels) -> None:
    gradients = []
    for checkpoint in (False, True):
        with prepared(models, 2, checkpoint) as (problem, made):
            problem.loss().backward()
            gradients.append(flat_gradient(made))
    assert torch.equal(*gradients)


def test_bf16_products_stay_within_their_rounding(models: SmallModels) -> None:
    gradients = []
    for products in (None, torch.bfloat16):
        with prepared(models, 2, False, products) as (problem, made):
            problem.loss().backward()
            gradients.append(flat_gradient(made))
    exact, rounded = gradients
    # bfloat16 keeps 8 bits: each product is off by up to 2^-9, and there are a few in a row.
    assert float((exact - rounded).norm() / exact.norm()) < 0.02


def test_the_same_picture_as_without_training(models: SmallModels) -> None:
    """Out-of-place sums and our linear layers compute what ComfyUI computes."""
    with prepared(models, 2, False) as (problem, made):
        for adapter in made:
            adapter.values["lora_up.weight"].data.zero_()
        inside = problem.loss()
        assert inside.requires_grad
    with torch.inference_mode():
        outside = problem.loss()
    assert float(inside.detach()) == pytest.approx(float(outside), rel=1e-6)


def test_gradients_survive_a_buffer_that_every_layer_shares(
    models: SmallModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What offloading does: each linear layer's weight is streamed into the same memory."""
    import comfy.ops

    with prepared(models, 2, False) as (problem, made):
        problem.loss().backward()
        expected = flat_gradient(made)
    cast = comfy.ops.cast_bias_weight
    shared = torch.empty(2_000_000)

    def streamed(layer: Any, *args: Any, **kwargs: Any) -> Any:
        weight, bias, *rest = cast(layer, *args, **kwargs)
        if not isinstance(layer, torch.nn.Linear):
            return (weight, bias, *rest)
        buffer = shared[: weight.numel()].view_as(weight)
        return (buffer.copy_(weight), bias, *rest)

    monkeypatch.setattr(comfy.ops, "cast_bias_weight", streamed)
    with prepared(models, 2, False) as (problem, made):
        problem.loss().backward()
        assert torch.equal(flat_gradient(made), expected)


def test_a_slice_is_updated_in_place() -> None:
    """Answering it with a new tensor would lose the update."""
    whole = torch.zeros(4, requires_grad=True) * 1
    with OutOfPlace():
        part = whole[:2]
        part += torch.ones(2)
    assert whole.tolist() == [1, 1, 0, 0]


def test_everything_is_put_back_after_an_error(models: SmallModels) -> None:
    import comfy.model_management

    diffusion_model = models.model.model.diffusion_model
    before = {name: dict(vars(module)) for name, module in diffusion_model.named_modules()}
    state = {name: value.clone() for name, value in diffusion_model.state_dict().items()}
    with pytest.raises(KeyboardInterrupt), prepared(models, 1, True) as (problem, _):
        problem.loss().backward()
        raise KeyboardInterrupt
    after = {name: dict(vars(module)) for name, module in diffusion_model.named_modules()}
    assert before.keys() == after.keys()
    assert [name for name in before if before[name].keys() != after[name].keys()] == []
    assert not comfy.model_management.in_training
    assert models.model.model.manual_cast_dtype is None
    now = diffusion_model.state_dict()
    assert now.keys() == state.keys()
    assert [name for name in state if not torch.equal(state[name], now[name])] == []
