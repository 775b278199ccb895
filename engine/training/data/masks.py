"""Shots' masks as weights on the latent: 1 on the subject, 0 elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ...core.character import Shot
from ...core.errors import FacetError
from ..settings import TrainingSettings

# Less of a latent than this is a mask that found nobody.
_EMPTY = 1e-4


def masks_matter(settings: TrainingSettings) -> bool:
    """Whether the shots' masks have a part in the training."""
    return settings.masked_loss or settings.prior_outside > 0


def check_masks(shots: Sequence[Shot], settings: TrainingSettings) -> None:
    """Raises FacetError when masks are asked for and there are none, or an empty one."""
    if not masks_matter(settings):
        return
    asked = "masked_loss" if settings.masked_loss else "prior_outside"
    masks = [shot.mask for shot in shots]
    if all(mask is None for mask in masks):
        raise FacetError(
            f"{asked} is on, but none of the {len(shots)} images has a mask; give the shots "
            "masks, or turn it off."
        )
    for number, mask in enumerate(masks, 1):
        if mask is not None and float(mask.clamp(0, 1).mean()) < _EMPTY:
            raise FacetError(
                f"{asked} is on, but the mask of image {number} of {len(shots)} is empty; paint "
                "the subject in, take the mask away, or turn it off."
            )


def latent_mask(
    mask: torch.Tensor, size: tuple[int, int], latent: torch.Tensor, mirrored: bool = False
) -> torch.Tensor:
    """``mask`` (H, W) for ``latent`` (1, C, …, h, w): (1, 1, …, h, w), each point its area's mean.

    Cut like the picture that was scaled to ``size``, width and height in pixels.
    """
    import comfy.utils

    turned = mask.flip(-1) if mirrored else mask
    height, width = latent.shape[-2:]
    # First to the picture's size, whose shape decides what is cut off at the edges.
    picture = comfy.utils.common_upscale(turned[None, None].clamp(0, 1), *size, "area", "center")
    scaled = torch.nn.functional.interpolate(picture, size=(height, width), mode="area")
    return scaled.reshape((1, 1) + (1,) * (latent.ndim - 4) + (height, width))


def joined_masks(masks: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
    """The masks of a batch as one tensor (B, 1, …, h, w); a sample without one counts everywhere.

    None where no sample has one.
    """
    given = next((mask for mask in masks if mask is not None), None)
    if given is None:
        return None
    return torch.cat([torch.ones_like(given) if mask is None else mask for mask in masks])
