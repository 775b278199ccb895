"""Pictures on their way to the model: size, scale and trigger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from facet.engine.core.character import Shot
from facet.engine.training.data.buckets import View
from facet.engine.training.data.pictures import encode_views, without_trigger
from harness.small_models import SmallModels
from harness.trainings import encoded


def test_latents_are_in_the_scale_of_the_model(
    models: SmallModels, picture: Callable[..., Shot]
) -> None:
    """Flux scales and shifts its latents; training on the VAE's own would be off by both."""
    shot = picture(0)
    (sample,) = encoded(models, [shot], 64)
    with torch.inference_mode():
        raw = models.vae.encode(shot.image[None])
    shift, scale = 0.1159, 0.3611
    assert torch.allclose(sample.latent, (raw - shift) * scale, atol=1e-5)
    assert not sample.latent.is_inference()


def test_every_size_is_encoded(models: SmallModels, picture: Callable[..., Shot]) -> None:
    shots = [picture(0, 100, 60), picture(1, 8, 8), picture(2, 64, 128)]
    shapes = [sample.latent.shape[-2:] for sample in encoded(models, shots, 128)]
    assert shapes == [(8, 12), (8, 8), (16, 8)]


def test_a_mirrored_view_is_the_mirrored_picture_with_its_mask_and_its_words(
    models: SmallModels, picture: Callable[..., Shot]
) -> None:
    mask = torch.zeros(64, 64)
    mask[:, :16] = 1
    caption = "zqx person, left profile"
    shot = picture(0, mask=mask, caption=caption, weight=2.0)
    flipped = Shot(shot.image.flip(1), shot.provenance, caption=caption)
    model, vae = models.model.model, models.vae
    plain, mirrored = encode_views(
        model, vae, [View(shot, (64, 64)), View(shot, (64, 64), True, 0.25)], masked=True
    )
    (expected,) = encoded(models, [flipped], 64)
    assert torch.equal(mirrored.latent, expected.latent)
    assert plain.mask is not None and mirrored.mask is not None
    assert torch.equal(plain.mask.flip(-1), mirrored.mask)
    assert mirrored.caption == "zqx person, right profile"
    assert mirrored.weight == 0.5
    assert mirrored.provenance == shot.provenance


@pytest.mark.parametrize(
    ("caption", "lacks"),
    [("zqx person", False), ("a ZQX, smiling", False), ("zqxy person", True), ("", True)],
)
def test_the_trigger_has_to_be_a_word(
    picture: Callable[..., Shot], caption: str, lacks: bool
) -> None:
    shot = picture(0, caption=caption)
    assert without_trigger([shot], "zqx") == ([shot] if lacks else [])
