"""Other families than the demo's: gradients, names and the refusal of what would go wrong."""

from __future__ import annotations

from typing import Any

import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import pytest
import torch
from comfy.ldm.flux.layers import SingleStreamBlock

from facet.engine.training.conditioning import encode_captions
from facet.engine.training.draws import Batch
from facet.engine.training.exact import exact_gradients
from facet.engine.training.formats import check_lora, lora_names, lora_state_dict
from facet.engine.training.lora import adapters, target_modules
from facet.engine.training.memory import Precision, loaded
from facet.engine.training.pictures import Sample
from facet.engine.training.settings import TrainingSettings
from facet.engine.training.step import Step
from facet.engine.training.tensors import write_tensors
from harness.small_models import SmallModels, small_unet


def step_for(patcher: Any, clip: Any, options: dict[str, Any]) -> Step:
    prompts = encode_captions(clip, ["zqx person"])
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    samples = [Sample(latent, "zqx person", 1.0)]
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
        weights = [weight for adapter in made for weight in (adapter.down, adapter.up)]
        for adapter in made:
            adapter.up.data.normal_(0, 0.3, generator=generator)
        step = step_for(patcher, models.clip, options)
        step.check_forward()
        step.backward(Batch(*given))
        gradients = [weight.grad.clone() for weight in weights if weight.grad is not None]
        assert len(gradients) == len(weights)
        norm = float(torch.cat([g.flatten() for g in gradients]).norm())
        losses = []
        for distance in (1e-3, -2e-3):
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.data.add_(gradient, alpha=distance / norm)
            losses.append(step.backward(Batch(*given)))
    assert (losses[0] - losses[1]) / 2e-3 == pytest.approx(norm, rel=2e-3)


def test_a_unet_lora_loads_in_core(models: SmallModels, tmp_path: Any) -> None:
    model = small_unet(comfy.model_base.ModelType.EPS).model
    targets = target_modules(model.diffusion_model)
    assert any("attn1.to_q" in name for name in targets)
    assert any("attn2.to_out" in name for name in targets)
    assert any("ff.net" in name for name in targets)
    generator = torch.Generator().manual_seed(3)
    weights = {}
    for name in targets:
        layer = model.diffusion_model.get_submodule(name)
        up = torch.randn(layer.out_features, 2, generator=generator)
        weights[name] = (torch.randn(2, layer.in_features, generator=generator), up)
    path = tmp_path / "lora.safetensors"
    write_tensors(path, lora_state_dict(weights, lora_names(model, targets)), {})
    check_lora(path, model, targets)


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
    samples = [Sample(latent, "zqx person", 1.0)]
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
