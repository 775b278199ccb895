"""Every kind of adapter: exact gradients, and files that ComfyUI applies as they were trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import comfy.lora
import comfy.model_base
import pytest
import torch

from facet.engine.training.model.exact import OutOfPlace, exact_gradients
from facet.engine.training.model.loading import Precision, loaded
from facet.engine.training.model.lora import Adapter, adapters, adapters_off
from facet.engine.training.model.targets import target_modules
from facet.engine.training.settings import ADAPTERS
from harness.small_models import small_flux, small_unet

KINDS = list(ADAPTERS)
RANK = 3
STEP = 5e-3


class Network:
    """A small model on fixed inputs, with adapters in it."""

    def __init__(self, patcher: Any, options: dict[str, Any], conditions: dict[str, Any]) -> None:
        generator = torch.Generator().manual_seed(5)
        self.model, self.options, self.conditions = patcher.model, options, conditions
        channels = 16 if "y" in conditions else 4
        self.noised = torch.randn(2, channels, 8, 8, generator=generator)
        self.target = torch.randn(2, channels, 8, 8, generator=generator)
        self.sigma = torch.tensor([0.2, 0.8])

    def predict(self) -> torch.Tensor:
        with OutOfPlace():
            denoised: torch.Tensor = self.model.apply_model(
                self.noised, self.sigma, transformer_options=self.options, **self.conditions
            )
        return denoised

    def loss(self) -> torch.Tensor:
        sigma = self.sigma.view(-1, 1, 1, 1)
        output = (self.predict() - self.noised) / sigma
        return (output - 0.1 * self.target).double().square().sum()


@pytest.fixture(scope="module")
def flux() -> Any:
    with torch.inference_mode():
        return small_flux(single=1)


@pytest.fixture(scope="module")
def unet() -> Any:
    with torch.inference_mode():
        return small_unet(comfy.model_base.ModelType.EPS)


def conditions(patcher: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(6)
    context = torch.randn(2, 12, 32, generator=generator)
    if type(patcher.model).__name__ == "Flux":
        return {"c_crossattn": context, "y": torch.randn(2, 32, generator=generator)}
    return {"c_crossattn": context}


@contextlib.contextmanager
def prepared(
    patcher: Any, kind: str, targets: tuple[str, ...], products: torch.dtype | None = None
) -> Iterator[tuple[Network, list[Adapter]]]:
    diffusion_model = patcher.model.diffusion_model
    with (
        torch.inference_mode(False),
        loaded(patcher, (2, 16, 8, 8), Precision(torch.float32, products)) as options,
        adapters(diffusion_model, targets, RANK, seed=1, kind=kind, alpha=2.0) as made,
        exact_gradients(diffusion_model, patcher.load_device, products),
    ):
        yield Network(patcher, options, conditions(patcher)), made


def shake(made: list[Adapter]) -> list[torch.nn.Parameter]:
    """Moves every parameter off its start, so that no factor is zero."""
    generator = torch.Generator().manual_seed(7)
    parameters = [value for adapter in made for value in adapter.parameters().values()]
    for value in parameters:
        value.data += 0.1 * torch.randn(value.shape, generator=generator)
    return parameters


def slope(network: Network, parameters: list[torch.nn.Parameter], unit: torch.Tensor) -> float:
    """The loss's central finite difference along ``unit``."""
    found = []
    parts = unit.split([value.numel() for value in parameters])
    for distance in (STEP, -2 * STEP):
        for value, part in zip(parameters, parts, strict=True):
            value.data.add_(part.view_as(value), alpha=distance)
        with torch.no_grad():
            found.append(float(network.loss()))
    for value, part in zip(parameters, parts, strict=True):
        value.data.add_(part.view_as(value), alpha=STEP)
    return (found[0] - found[1]) / (2 * STEP)


def gradient_of(network: Network, parameters: list[torch.nn.Parameter]) -> torch.Tensor:
    network.loss().backward()
    grads = [value.grad for value in parameters]
    for value in parameters:
        value.grad = None
    return torch.cat([grad.flatten() for grad in grads if grad is not None])


@pytest.mark.parametrize("family", ["flux", "unet"])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_every_kind_agree_with_finite_differences(
    request: pytest.FixtureRequest, family: str, kind: str
) -> None:
    """In Flux's linear layers, and in a UNet's convolutions too."""
    patcher = request.getfixturevalue(family)
    chosen = "linear layers and convolutions" if family == "unet" else "all linear layers"
    targets = target_modules(patcher.model.diffusion_model, chosen)
    if family == "unet":
        targets = tuple(name for name in targets if name.startswith("input_blocks"))
    with prepared(patcher, kind, targets) as (network, made):
        parameters = shake(made)
        gradient = gradient_of(network, parameters)
        assert gradient.numel() == sum(value.numel() for value in parameters)
        unit = gradient / gradient.norm()
        measured = slope(network, parameters, unit)
        generator = torch.Generator().manual_seed(11)
        askew = torch.randn(unit.shape, generator=generator)
        askew = askew / askew.norm() + unit
        beside = slope(network, parameters, askew)
    assert measured == pytest.approx(float(gradient.norm()), rel=1e-3)
    assert beside == pytest.approx(float(gradient @ askew), rel=1e-3)


@pytest.mark.parametrize("family", ["flux", "unet"])
@pytest.mark.parametrize("kind", KINDS)
def test_comfyui_applies_a_file_as_it_was_trained(
    request: pytest.FixtureRequest, family: str, kind: str
) -> None:
    patcher = request.getfixturevalue(family)
    diffusion_model = patcher.model.diffusion_model
    targets = target_modules(diffusion_model, "linear layers and convolutions")
    with prepared(patcher, kind, targets) as (network, made):
        with torch.no_grad():
            before = network.predict()
        shake(made)
        with torch.no_grad():
            trained = network.predict()
            with adapters_off(diffusion_model):
                assert torch.equal(network.predict(), before)
        file = {}
        for adapter in made:
            values = {name: value.detach() for name, value in adapter.parameters().items()}
            for suffix, tensor in adapter.file_tensors(values).items():
                file[f"diffusion_model.{adapter.module}.{suffix}"] = tensor
        conditioned = network.conditions
    known = comfy.lora.model_lora_keys_unet(patcher.model, {})
    patches = comfy.lora.load_lora(file, known, log_missing=False)
    assert patches.keys() == {f"diffusion_model.{name}.weight" for name in targets}
    read = set.union(*(patch.loaded_keys for patch in patches.values()))
    assert file.keys() == read
    with torch.inference_mode():
        patched = patcher.clone()
        patched.add_patches(patches)
        with loaded(patched, (2, 16, 8, 8), Precision(torch.float32, None)) as options:
            again = Network(patched, options, conditioned).predict()
        patched.detach()
    change = (trained - before).norm()
    assert float((again - trained).norm() / change) < 1e-3
