"""Models that no other trainer expects: what is trained all the same, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import comfy.model_base
import comfy.ops
import comfy.sd
import pytest
import torch
from comfy.ldm.flux.layers import SingleStreamBlock
from comfy_api.torch_helpers import set_torch_compile_wrapper

from facet.engine.training.data.conditioning import encode_captions
from facet.engine.training.data.pictures import TrainingSample
from facet.engine.training.files.formats import lora_names
from facet.engine.training.model.exact import exact_gradients
from facet.engine.training.model.loading import Precision, loaded
from facet.engine.training.model.lora import adapters
from facet.engine.training.model.targets import target_modules
from facet.engine.training.objective.draws import Batch
from facet.engine.training.objective.step import Step
from facet.engine.training.settings import TrainingSettings
from harness.families import FLUX_DEV, load_family, narrow_weights
from harness.gradients import distance, gradient, prepared, slope_at_zero
from harness.small_models import SmallModels, small_unet
from harness.trainings import SETTINGS, Train

SIZES = ((4, 4), (4, 8))


def step_for(patcher: Any, clip: Any, options: dict[str, Any]) -> Step:
    prompts = encode_captions(clip, ["zqx person"])
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    samples = [TrainingSample(latent, "zqx person", 1.0)]
    return Step(patcher, TrainingSettings(), samples, prompts, options)


@pytest.mark.parametrize("kind", ["EPS", "V_PREDICTION"])
def test_gradients_of_a_unet_agree_with_finite_differences(models: SmallModels, kind: str) -> None:
    with torch.inference_mode():
        patcher = small_unet(comfy.model_base.ModelType[kind])
    unet = patcher.model.diffusion_model
    targets = target_modules(unet)
    generator = torch.Generator().manual_seed(2)
    latent = torch.randn(2, 4, 8, 8, generator=generator)
    noise = torch.randn(2, 4, 8, 8, generator=generator)
    given = (latent, ["zqx person"] * 2, torch.tensor([0.5, 3.0]), noise)
    with (
        torch.inference_mode(False),
        loaded(patcher, (2, 4, 8, 8), Precision()) as options,
        adapters(unet, targets, rank=4, seed=0) as made,
        exact_gradients(unet, patcher.load_device),
    ):
        weights = [weight for adapter in made for weight in adapter.parameters().values()]
        for adapter in made:
            adapter.values["lora_up.weight"].data.normal_(0, 0.3, generator=generator)
        step = step_for(patcher, models.clip, options)
        step.check_forward()
        step.backward(Batch(*given))
        gradients = [weight.grad.clone() for weight in weights if weight.grad is not None]
        assert len(gradients) == len(weights)
        norm = float(torch.cat([g.flatten() for g in gradients]).norm())
        start = [weight.detach().clone() for weight in weights]

        def loss_at(distance: float) -> float:
            for weight, value, gradient in zip(weights, start, gradients, strict=True):
                weight.data.copy_(value + distance / norm * gradient)
            return step.backward(Batch(*given))

        measured = slope_at_zero(loss_at, 0.05)
    assert measured == pytest.approx(norm, rel=5e-4)


def test_a_model_that_writes_over_itself_unseen_is_refused(
    models: SmallModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``x.add_(y)`` whose result is dropped cannot be told from ``x += y``."""
    forward = SingleStreamBlock.forward

    def writes_over(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        x = forward(self, x, *args, **kwargs)
        x.add_(x.mean(1, keepdim=True) + 1)
        return x

    monkeypatch.setattr(SingleStreamBlock, "forward", writes_over)
    flux = models.model.model.diffusion_model
    latent = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(1))
    samples = [TrainingSample(latent, "zqx person", 1.0)]
    with (
        torch.inference_mode(False),
        loaded(models.model, (1, 16, 8, 8), Precision()) as options,
        adapters(flux, target_modules(flux), rank=4, seed=0),
        exact_gradients(flux, models.model.load_device),
    ):
        prompts = encode_captions(models.clip, ["zqx person"])
        step = Step(models.model, TrainingSettings(), samples, prompts, options)
        with pytest.raises(ValueError, match="Flux predicts something else while it is trained"):
            step.check_forward()


class Packed(comfy.ops.manual_cast):
    """Layers that keep their weight as bytes and unpack it in their own forward pass."""

    class Linear(comfy.ops.manual_cast.Linear):
        def unpacked(self, like: torch.Tensor) -> torch.Tensor:
            return (self.weight.to(torch.float32) - 128).div(1000).to(like.dtype)

        def forward(self, input: torch.Tensor) -> torch.Tensor:
            if self.weight.dtype != torch.uint8:
                return super().forward(input)
            bias = None if self.bias is None else self.bias.to(input)
            return torch.nn.functional.linear(input, self.unpacked(input), bias)


class Closed(Packed):
    """Layers whose forward pass autograd cannot follow, as compiled kernels are."""

    class Linear(Packed.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return super().forward(input.detach())


def with_layers(operations: Any) -> Any:
    """A Flux whose block layers are packed in bytes, with layers of another pack's."""
    with torch.inference_mode():
        weights = narrow_weights(FLUX_DEV)
        patcher = comfy.sd.load_diffusion_model_state_dict(
            weights, model_options={"custom_operations": operations}
        )
        for name, module in patcher.model.diffusion_model.named_modules():
            if isinstance(module, operations.Linear) and "blocks." in name:
                whole = module.weight.mul(1000).round().add(128).clamp(0, 255)
                module.weight = torch.nn.Parameter(whole.to(torch.uint8), requires_grad=False)
    return patcher


def unpacked_twin(patcher: Any) -> Any:
    """The same model with ComfyUI's own layers."""
    with torch.inference_mode():
        weights = dict(patcher.model.diffusion_model.state_dict())
        for name, value in weights.items():
            if value.dtype == torch.uint8:
                weights[name] = (value.to(torch.float32) - 128).div(1000)
        return comfy.sd.load_diffusion_model_state_dict(weights)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_layers_of_another_pack_are_trained_exactly(checkpoint: bool) -> None:
    """GGUF files come with layers that unpack their weights themselves."""
    patcher = with_layers(Packed)
    found = []
    for model in (patcher, unpacked_twin(patcher)):
        with prepared(model, FLUX_DEV, SIZES, checkpoint=checkpoint) as (problem, made):
            found.append(gradient(problem, made))
    assert distance(*found) < 1e-5


def test_layers_without_a_backward_pass_are_refused_at_once() -> None:
    patcher = with_layers(Closed)
    with (
        pytest.raises(ValueError, match=r"Closed.Linear.* no backward pass.* load the same model"),
        prepared(patcher, FLUX_DEV, SIZES),
    ):
        pass


def quantised(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A file in scaled fp8 as ComfyUI reads them: block layers in 8 bits, each with its scale."""
    made = dict(weights)
    note = torch.tensor(list(b'{"format": "float8_e4m3fn"}'), dtype=torch.uint8)
    for name, value in weights.items():
        if "blocks." in name and name.endswith(".weight") and value.ndim == 2:
            layer = name.removesuffix(".weight")
            scale = value.abs().max() / 448
            made[name] = (value / scale).to(torch.float8_e4m3fn)
            made[f"{layer}.weight_scale"] = scale
            made[f"{layer}.comfy_quant"] = note
    return made


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_quantised_model_is_trained_exactly(checkpoint: bool) -> None:
    weights = quantised(narrow_weights(FLUX_DEV))
    whole = {}
    for name, value in weights.items():
        if value.dtype == torch.float8_e4m3fn:
            scale = weights[f"{name.removesuffix('.weight')}.weight_scale"]
            value = value.to(torch.float32) * scale
        if not name.endswith((".weight_scale", ".comfy_quant")):
            whole[name] = value
    found = []
    with torch.inference_mode():
        models = [comfy.sd.load_diffusion_model_state_dict(dict(w)) for w in (weights, whole)]
    layers = [type(m.model.diffusion_model.double_blocks[0].img_attn.qkv) for m in models]
    assert not issubclass(layers[0], torch.nn.Linear) and issubclass(layers[1], torch.nn.Linear)
    for model in models:
        targets = target_modules(model.model.diffusion_model)
        assert len(targets) == 12
        with prepared(model, FLUX_DEV, SIZES, checkpoint=checkpoint) as (problem, made):
            found.append(gradient(problem, made))
    assert distance(*found) < 1e-4


def test_a_layer_without_a_name_in_files_is_refused() -> None:
    model = load_family(FLUX_DEV, narrow=True).model
    with pytest.raises(ValueError, match=r"no LoRA name for the layer double_blocks\.9\.x of Flux"):
        lora_names(model, ["double_blocks.9.x"])


@pytest.mark.parametrize("checkpoint", [False, True])
def test_fast_fp8_layers_are_trained_by_their_whole_weights(checkpoint: bool) -> None:
    """ComfyUI's round their input, and clamp it where it stands, which the block before keeps."""
    found = []
    for operations in (comfy.ops.manual_cast, comfy.ops.fp8_ops):
        weights = narrow_weights(FLUX_DEV)
        wide = {name for name, tensor in weights.items() if tensor.ndim == 2 and "blocks." in name}
        weights |= {name: weights[name].to(torch.float8_e4m3fn) for name in wide}
        with torch.inference_mode():
            patcher = comfy.sd.load_diffusion_model_state_dict(
                weights, model_options={"custom_operations": operations}
            )
            for name, module in patcher.model.diffusion_model.named_modules():
                if f"{name}.weight" in wide:
                    fp8 = module.weight.to(torch.float8_e4m3fn)
                    module.weight = torch.nn.Parameter(fp8, requires_grad=False)
        with prepared(patcher, FLUX_DEV, SIZES, checkpoint=checkpoint) as (problem, made):
            found.append(gradient(problem, made))
    assert distance(*found) < 1e-5


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_compiled_model_is_trained_as_it_is_and_that_is_said(
    run: Train, models: SmallModels, checkpointing: bool
) -> None:
    settings = replace(SETTINGS, gradient_checkpointing=checkpointing)
    compiled = models.model.clone()
    set_torch_compile_wrapper(model=compiled, backend="eager")
    made = [run(settings, name, model=one) for name, one in (("a", models.model), ("b", compiled))]
    assert made[0].run.losses == made[1].run.losses
    assert "Trained without torch.compile" in made[1].note
    assert "torch.compile" not in made[0].note
