"""Sampling with the demo models, and what tells one model from another."""

from __future__ import annotations

import pytest
import torch

from facet.engine.comfyui.fingerprint import model_fingerprint
from facet.engine.comfyui.sampling import Sampling, encode_prompt, sample, with_reference
from facet.engine.core.errors import FacetError
from facet.engine.demo.models import DemoModels


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


def patched(model, strength: float):
    key = "diffusion_model.double_blocks.0.img_attn.qkv.weight"
    other = model.clone()
    weight = dict(model.model.named_parameters())[key]
    other.add_patches({key: (torch.ones_like(weight, dtype=torch.float32),)}, strength)
    return other


def test_a_fingerprint_is_the_models_and_that_of_its_patches(models):
    import comfy.model_management

    plain = model_fingerprint(models.model)
    weak, strong = patched(models.model, 0.1), patched(models.model, 0.2)
    known = model_fingerprint(weak)
    assert len({plain, known, model_fingerprint(strong)}) == 3
    comfy.model_management.load_models_gpu([weak], force_full_load=True)
    assert model_fingerprint(weak) == known
    comfy.model_management.load_models_gpu([models.model], force_full_load=True)
    assert model_fingerprint(models.model) == plain


@torch.inference_mode()
def test_pictures_come_in_the_size_asked_for_and_by_the_seed(models):
    negative = encode_prompt(models.clip, "")
    positive = encode_prompt(models.clip, "person, close-up, front view")

    def picture(seed: int, **size: int) -> torch.Tensor:
        sampling = Sampling(**({"width": 128, "height": 128} | size), steps=2)
        return sample(models.model, models.vae, positive, negative, sampling, seed)

    first = picture(1)
    assert first.shape == (1, 128, 128, 3)
    assert first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, picture(1))
    assert not torch.equal(first, picture(2))
    assert picture(1, width=96, height=160).shape == (1, 160, 96, 3)


@torch.inference_mode()
def test_a_reference_changes_the_picture(models):
    negative = encode_prompt(models.clip, "")
    positive = encode_prompt(models.clip, "same character, close-up, front view")
    seen = []
    for value in (0.1, 0.9):
        latent = models.vae.encode(torch.full((1, 128, 128, 3), value))
        both = (with_reference(side, [latent]) for side in (positive, negative))
        seen.append(sample(models.model, models.vae, *both, Sampling(128, 128, steps=2), 1))
    assert (seen[0] - seen[1]).abs().mean() > 0.01


@pytest.mark.parametrize(("width", "height"), [(100, 128), (128, 40), (0, 40)])
def test_a_size_that_cannot_be_sampled_is_refused(width, height):
    with pytest.raises(ValueError, match="multiples of 16"):
        Sampling(width, height)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a red hat, " * 1000, "has 11000 letters .*; shorten it to 5000"),
        ("[" * 50_000, "has 50000 letters"),
        ("(" * 2400 + "a" + ")" * 2400, "too many brackets inside each other"),
    ],
    ids=["long", "deep JSON", "brackets"],
)
def test_a_prompt_that_nobody_wrote_is_a_sentence(models, text, said):
    with pytest.raises(FacetError, match=said):
        encode_prompt(models.clip, text)
