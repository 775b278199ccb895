"""A LoRA that is trained in one model is looked at in the one where it will be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_base
import comfy.model_management
import comfy.sd
import numpy as np
import pytest
import torch
from PIL import Image

from facet.engine.comfyui.lora import read_weights
from facet.engine.comfyui.models import Models
from facet.engine.core.character import Character, quantise
from facet.engine.studio.studio import Studio
from facet.engine.training.progress.samples import (
    SampleRequest,
    TrainingSampler,
    prompts_for,
    sample_request,
)
from facet.engine.training.run import Extras, TrainedLora
from harness.small_models import (
    SmallModels,
    small_clip_vision,
    small_flux,
    small_models,
    small_unet,
)
from harness.studios import studio_of
from harness.trainings import SAMPLED, Train


def studio(models: Any, model: Any) -> Studio:
    """Samples of two steps in ``model``, with the CLIP and the VAE of ``models``."""
    return studio_of(Models(model, models.clip, models.vae), steps=2, cfg=2.0)


@pytest.fixture(scope="module")
def other(models: SmallModels) -> Studio:
    """Of the same shape as the model that is trained, with other weights."""
    with torch.inference_mode():
        return studio(models, small_flux(seed=7))


def sheet(trained: TrainedLora, step: int = 4) -> torch.Tensor:
    """The samples of a step as they were kept: (H, W, 3) in whole numbers."""
    with Image.open(trained.run.folder / "samples" / f"step_{step:06d}.png") as image:
        return torch.from_numpy(np.asarray(image).copy())


def by_core(studio: Studio, who: Character, lora: Path | None) -> torch.Tensor:
    """What ComfyUI makes in ``studio`` with a LoRA's file loaded at strength 1; as ``sheet``."""
    if lora is not None:
        state = read_weights(lora)
        loaded = comfy.sd.load_lora_for_models(studio.model, studio.clip, state, 1.0, 1.0)
        studio = replace(studio, model=loaded[0], clip=loaded[1])
    request = SampleRequest(studio, prompts_for(who, SAMPLED.sample_prompts))
    with torch.inference_mode():
        made = TrainingSampler.encoding(request).make(studio.model)
    return quantise(torch.cat(list(made), dim=1))


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.model.state_dict().items()}


def same_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("adapter", ["LoRA", "DoRA", "LoKr"])
def test_samples_are_what_core_makes_of_the_other_model_with_the_saved_lora(
    run: Train, models: SmallModels, other: Studio, character: Character, adapter: str
) -> None:
    settings = replace(SAMPLED, adapter=adapter)
    comfy.model_management.load_models_gpu([models.model, other.model])
    before, others = weights(models.model), weights(other.model)
    trained = run(settings, "through", extras=Extras(small_clip_vision(), samples=other))
    # The trained model is as it was; ComfyUI takes the LoRA off the other one when it is needed.
    assert same_weights(before, weights(models.model))
    comfy.model_management.load_models_gpu([other.model])
    assert same_weights(others, weights(other.model))
    # What was learned is what is learned without a look.
    plain = run(settings, "plain", extras=Extras(samples=studio(models, models.model)))
    assert plain.run.losses == trained.run.losses
    for one, two in zip(trained.run.checkpoints, plain.run.checkpoints, strict=True):
        assert one.path.read_bytes() == two.path.read_bytes()

    for point in trained.run.checkpoints:
        made = by_core(other, character, point.path)
        assert torch.equal(sheet(trained, point.step), made)
    assert not torch.equal(made, by_core(other, character, None))
    assert not torch.equal(made, by_core(studio(models, models.model), character, point.path))
    assert None not in [point.identity for point in trained.run.checkpoints]


def test_the_same_weights_are_sampled_in_place(
    run: Train, models: SmallModels, character: Character
) -> None:
    trained, prompts = Models(models.model, models.clip, models.vae), ("zqx person",)

    def through(model: Any) -> bool:
        return sample_request(trained, studio(models, model), prompts, 64, ()).through

    with torch.inference_mode():
        again = small_models().model
    lora = read_weights(run().lora)
    patched, _ = comfy.sd.load_lora_for_models(models.model, None, lora, 1.0, 0.0)
    assert not through(models.model) and not through(models.model.clone())
    assert through(patched) and through(again)
    # Loaded a second time they make the same pictures, but for the last digit.
    in_place = run(SAMPLED, "in place", extras=Extras(samples=studio(models, models.model)))
    loaded = run(SAMPLED, "loaded again", extras=Extras(samples=studio(models, again)))
    assert (sheet(in_place).int() - sheet(loaded).int()).abs().max() <= 2
    assert in_place.run.sampled != loaded.run.sampled


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        (lambda: small_flux(single=1), r"the Flux model .* no such layer 'single_blocks\.1\."),
        (lambda: small_unet(comfy.model_base.ModelType.EPS), r"the SD15 model .* no such layer"),
    ],
)
def test_a_model_of_another_shape_is_refused_before_anything_is_encoded(
    run: Train, models: SmallModels, tmp_path: Path, shown: Any, named: str
) -> None:
    with torch.inference_mode():
        looked = studio(models, shown())
    with pytest.raises(ValueError, match=named) as error:
        run(SAMPLED, extras=Extras(samples=looked))
    assert str(error.value).endswith("connect a studio of the same model family to look_through.")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    # Without samples nobody looks through it.
    assert run(replace(SAMPLED, sample_every=0), extras=Extras(samples=looked)).run.finished


def test_likeness_seen_through_another_model_is_not_compared(
    run: Train, models: SmallModels, other: Studio
) -> None:
    settings = replace(SAMPLED, steps=2)
    judging = Extras(small_clip_vision(), samples=other)
    run(settings, extras=judging)
    same = run(replace(settings, steps=4), extras=judging)
    assert [one.identity is None for one in same.run.measures] == [False, False]
    here = replace(judging, samples=studio(models, models.model))
    longer = run(replace(settings, steps=6), extras=here)
    # What is there of the step that it resumes from is measured here, and what was before is not.
    assert [one.identity is None for one in longer.run.measures] == [True, False, False]
    assert longer.run.measures[1].identity != same.run.measures[1].identity


def test_a_training_adapter_is_trained_with_and_neither_shown_nor_saved(
    run: Train, models: SmallModels, character: Character
) -> None:
    """A LoRA on a distilled model, as its loader gives that."""
    bare = models.model.clone()
    bare.cached_patcher_init = (lambda path: None, ("/models/z_image_turbo.safetensors",))
    layer = "diffusion_model.double_blocks.0.img_attn.qkv.weight"
    change = torch.randn(bare.model.state_dict()[layer].shape) / 10
    adapted = bare.clone()
    assert adapted.add_patches({layer: ("diff", (change,))}, 1.0)
    trained = run(SAMPLED, "adapted", model=adapted, extras=Extras(samples=studio(models, adapted)))
    without, with_it = (
        by_core(studio(models, one), character, trained.lora) for one in (bare, adapted)
    )
    assert torch.equal(sheet(trained), without) and not torch.equal(sheet(trained), with_it)
    # It was in the way of the steps all the same.
    plain = run(SAMPLED, "bare", model=bare, extras=Extras(samples=studio(models, bare)))
    assert trained.run.losses != plain.run.losses
