"""Pictures on their way to the model: size, scale and trigger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from facet.engine.character import Shot
from facet.engine.training.buckets import common_resolution, fitted_size
from facet.engine.training.pictures import encode_pictures, without_trigger
from harness.small_models import SmallModels


@pytest.mark.parametrize(
    ("size", "resolution", "fitted"),
    [
        ((128, 128), 128, (128, 128)),
        ((1024, 1536), 1024, (832, 1248)),
        ((6000, 4000), 1024, (1248, 832)),
        ((500, 333), 1024, (496, 336)),
        ((8, 8), 512, (64, 64)),
        ((3000, 30), 512, (3008, 64)),
    ],
)
def test_pictures_keep_their_shape_and_are_not_enlarged(
    size: tuple[int, int], resolution: int, fitted: tuple[int, int]
) -> None:
    assert fitted_size(*size, resolution) == fitted


def test_one_large_photograph_among_small_shots_does_not_decide(
    picture: Callable[..., Shot],
) -> None:
    assert common_resolution([picture(0, 900, 900), picture(1), picture(2)]) == 64


def test_latents_are_in_the_scale_of_the_model(
    models: SmallModels, picture: Callable[..., Shot]
) -> None:
    """Flux scales and shifts its latents; training on the VAE's own would be off by both."""
    shot = picture(0)
    (sample,) = encode_pictures(models.model.model, models.vae, [shot], 64)
    with torch.inference_mode():
        raw = models.vae.encode(shot.image[None])
    shift, scale = 0.1159, 0.3611
    assert torch.allclose(sample.latent, (raw - shift) * scale, atol=1e-5)
    assert not sample.latent.is_inference()


def test_every_size_is_encoded(models: SmallModels, picture: Callable[..., Shot]) -> None:
    shots = [picture(0, 100, 60), picture(1, 8, 8), picture(2, 64, 128)]
    shapes = [
        s.latent.shape[-2:] for s in encode_pictures(models.model.model, models.vae, shots, 128)
    ]
    assert shapes == [(8, 12), (8, 8), (16, 8)]


@pytest.mark.parametrize(
    ("caption", "lacks"),
    [("zqx person", False), ("a ZQX, smiling", False), ("zqxy person", True), ("", True)],
)
def test_the_trigger_has_to_be_a_word(
    picture: Callable[..., Shot], caption: str, lacks: bool
) -> None:
    shot = picture(0, caption=caption)
    assert without_trigger([shot], "zqx") == ([shot] if lacks else [])
