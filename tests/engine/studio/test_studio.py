"""What makes pictures, set for what is to be made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import comfy.sd
import pytest
import torch

from facet.engine.comfyui.sampling import CustomSampling, Sampling
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.families.modes import ReferenceMode
from facet.engine.studio.sizes import MEGAPIXEL
from facet.engine.studio.studio import Studio
from harness.edit_models import edit_models
from harness.small_models import HEAD, SmallModels, small_flux
from harness.studios import studio_of

QKV = "lora_unet_double_blocks_0_img_attn_qkv"


def ada(width: int, height: int) -> Character:
    return Character(
        "Ada", "zqx", "person", Shot(torch.zeros(height, width, 3), Provenance("original"))
    )


@pytest.fixture(scope="module")
def flux() -> Any:
    return small_flux()


def of(model: Any, mode: ReferenceMode = ReferenceMode.AUTO, **sampling: Any) -> Studio:
    return studio_of(SmallModels(model, None, None), mode, side=0, **sampling)


def with_lora(model: Any) -> Any:
    lora = {
        f"{QKV}.lora_up.weight": torch.ones(3 * HEAD, 1),
        f"{QKV}.lora_down.weight": torch.ones(1, HEAD),
    }
    return comfy.sd.load_lora_for_models(model, None, lora, 1.0, 0.0)[0]


def size(sampling: Sampling) -> tuple[int, int]:
    return sampling.width, sampling.height


def test_what_is_not_set_of_a_size_follows_the_original(flux: Any) -> None:
    assert size(of(flux).sampling_for(ada(517, 733))) == (512, 736)
    assert size(of(flux, width=128).sampling_for(ada(517, 733))) == (128, 736)
    assert size(of(flux, height=128).sampling_for(ada(517, 733), MEGAPIXEL)) == (512, 128)
    assert size(of(flux, width=96, height=128).sampling_for(ada(517, 733))) == (96, 128)
    wide, tall = size(of(flux).sampling_for(ada(4000, 3000)))
    assert wide / tall == pytest.approx(4 / 3, abs=0.02) and wide * tall < 1.02 * 2 * MEGAPIXEL


def test_without_a_character_a_picture_is_a_square(flux: Any) -> None:
    assert size(of(flux).sampling_for(None)) == (1024, 1024)
    assert size(of(flux).sampling_for(None, 512 * 512)) == (512, 512)
    assert size(of(flux, height=128).sampling_for(None)) == (1024, 128)


def test_by_the_prompt_alone_no_picture_is_larger_than_the_family_was_trained_at(flux: Any) -> None:
    assert size(of(flux).sampling_by_prompt(ada(128, 128))) == (128, 128)
    assert size(of(flux).sampling_by_prompt(None)) == (1024, 1024)
    wide, tall = size(of(flux).sampling_by_prompt(ada(4000, 3000)))
    assert wide / tall == pytest.approx(4 / 3, abs=0.05)
    assert wide * tall == pytest.approx(MEGAPIXEL, rel=0.1)
    assert size(of(flux, width=2048, height=2048).sampling_by_prompt(None)) == (2048, 2048)


def test_shots_are_made_in_the_mode_of_the_family_and_at_the_size_of_its_words() -> None:
    studio = of(edit_models("Flux2 Klein").model, steps=7)
    ready = studio.for_shots_of(ada(600, 600))
    assert ready.mode is ReferenceMode.REFERENCE_LATENTS and ready.steps == 7
    assert size(ready.sampling) == (608, 608)
    # Words that say how large their pictures are make others larger.
    sdxl = of(edit_models("SDXL").model, ReferenceMode.IMG2IMG).for_shots_of(ada(600, 600))
    assert size(sdxl.sampling) == (1024, 1024)
    fixed = of(edit_models("SDXL").model, ReferenceMode.IMG2IMG, width=64, height=64)
    assert size(fixed.for_shots_of(ada(600, 600)).sampling) == (64, 64)


@pytest.mark.parametrize(
    ("name", "mode", "sentence"),
    [
        ("SDXL", ReferenceMode.AUTO, "takes no reference images by itself; set reference_mode"),
        ("SDXL", ReferenceMode.QWEN_EDIT, "SDXL model is no Qwen-Image-Edit; set reference_mode"),
        ("Flux Kontext", ReferenceMode.AUTO, "may or may not take reference images"),
        ("Flux Kontext", ReferenceMode.PATCHED_MODEL, "The MODEL carries no patch"),
        ("Flux Kontext", ReferenceMode.TRAINED_LORA, "The MODEL carries no LoRA"),
    ],
)
def test_a_model_that_cannot_be_shown_the_original_makes_no_shots(
    name: str, mode: ReferenceMode, sentence: str
) -> None:
    studio = of(edit_models(name).model, mode)
    with pytest.raises(ValueError, match=sentence):
        studio.for_shots_of(ada(64, 64))
    with pytest.raises(ValueError, match=sentence):
        studio.for_retouching(show_original=True)


def test_retouching_begins_from_the_picture_whatever_the_mode_unless_the_original_is_shown(
    flux: Any,
) -> None:
    for mode in (ReferenceMode.AUTO, ReferenceMode.REFERENCE_LATENTS, ReferenceMode.QWEN_EDIT):
        assert of(flux, mode).for_retouching(False).mode is ReferenceMode.IMG2IMG
    shown = of(flux, ReferenceMode.REFERENCE_LATENTS).for_retouching(True)
    assert shown.mode is ReferenceMode.REFERENCE_LATENTS
    # Who a LoRA is of is called by the trigger, whether or not the original is shown.
    trained = of(with_lora(flux), ReferenceMode.TRAINED_LORA)
    assert trained.for_retouching(False).mode is ReferenceMode.TRAINED_LORA
    assert trained.for_retouching(True).mode is ReferenceMode.TRAINED_LORA


def test_retouching_keeps_a_sampler_of_ones_own_and_not_its_sigmas(flux: Any) -> None:
    sampler, sigmas = object(), torch.linspace(1, 0, 4)
    own = replace(of(flux, steps=9), custom=CustomSampling(sampler, sigmas))
    assert own.steps == 3
    retouching = own.for_retouching(False)
    assert retouching.custom == CustomSampling(sampler) and retouching.steps == 9
    assert of(flux).for_retouching(False).custom is None
