"""Masks on their way to the latent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from facet.engine.core.character import Shot
from facet.engine.training.data.masks import check_masks, joined_masks, latent_mask
from facet.engine.training.settings import TrainingSettings


def test_each_point_of_the_latent_has_its_areas_mean() -> None:
    mask = torch.zeros(64, 64)
    mask[:, :20] = 1
    scaled = latent_mask(mask, (64, 64), torch.zeros(1, 16, 8, 8))
    assert scaled.shape == (1, 1, 8, 8)
    assert scaled[0, 0, 3].tolist() == [1, 1, 0.5, 0, 0, 0, 0, 0]


def test_a_mask_is_cut_like_its_picture() -> None:
    """A wide picture loses its sides when it is trained as a square, and so does its mask."""
    mask = torch.zeros(64, 128)
    mask[:, :32] = 1
    scaled = latent_mask(mask, (64, 64), torch.zeros(1, 16, 8, 8))
    assert not scaled.any()


def test_a_mirrored_picture_has_a_mirrored_mask() -> None:
    mask = torch.zeros(64, 64)
    mask[:, :32] = 1
    latent = torch.zeros(1, 16, 1, 8, 8)
    plain, mirrored = (latent_mask(mask, (64, 64), latent, turned) for turned in (False, True))
    assert plain.shape == (1, 1, 1, 8, 8)
    assert torch.equal(plain.flip(-1), mirrored)
    assert not torch.equal(plain, mirrored)


def test_a_sample_without_a_mask_counts_everywhere() -> None:
    mask = torch.zeros(1, 1, 8, 8)
    joined = joined_masks([mask, None])
    assert joined is not None
    assert joined.flatten(1).mean(1).tolist() == [0, 1]
    assert joined_masks([None, None]) is None


@pytest.mark.parametrize("setting", [{"masked_loss": True}, {"prior_outside": 0.5}])
def test_masks_that_are_missing_are_said_in_a_sentence(
    picture: Callable[..., Shot], setting: dict[str, float]
) -> None:
    (name,) = setting
    settings = TrainingSettings(**setting)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{name} is on, but none of the 2 images has a mask"):
        check_masks([picture(0), picture(1)], settings)
    with_mask = picture(0, mask=torch.ones(64, 64))
    empty = picture(1, mask=torch.zeros(64, 64))
    check_masks([with_mask, picture(2)], settings)
    with pytest.raises(ValueError, match="the mask of image 2 of 2 is empty"):
        check_masks([with_mask, empty], settings)
    check_masks([empty], TrainingSettings())
