"""A garment from a picture: cut out by its mask and laid on white."""

from __future__ import annotations

import torch

from ...core.errors import FacetError

SMALLEST = 8
"""Sides in pixels below which nothing is to be seen of a garment."""
INSIDE = 0.5
NOTHING = 0.995
MARGIN = 0.05


def cut_out(image: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The garment (h, w, 3) of ``image`` (H, W, 3), on white, with a narrow margin of white.

    mask: (H, W) in 0..1, 1 on the garment; without it the picture is taken as it is. Raises
    FacetError when the mask has another size, or hardly anything is in it.
    """
    if mask is None:
        return _large_enough(image)
    if mask.shape != image.shape[:2]:
        raise FacetError(
            f"The garment_mask is {mask.shape[1]} by {mask.shape[0]} pixels and the garment "
            f"{image.shape[1]} by {image.shape[0]}; they need the same size."
        )
    cover = mask.to(image).clamp(0, 1)
    rows, columns = ((cover >= INSIDE).any(side).nonzero().flatten() for side in (1, 0))
    if not len(rows):
        raise FacetError(
            "The garment_mask is empty, so that there is no garment; mask the garment with white."
        )
    on_white = image * cover[..., None] + (1 - cover[..., None])
    cut = on_white[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    _large_enough(cut)
    border = max(1, round(MARGIN * max(cut.shape[:2])))
    framed = torch.ones(cut.shape[0] + 2 * border, cut.shape[1] + 2 * border, 3)
    framed[border:-border, border:-border] = cut
    return framed


def _large_enough(picture: torch.Tensor) -> torch.Tensor:
    if min(picture.shape[:2]) < SMALLEST:
        raise FacetError(
            f"The garment is {picture.shape[1]} by {picture.shape[0]} pixels; give one of "
            f"{SMALLEST} or more, better of several hundred."
        )
    if bool((picture > NOTHING).all()):
        raise FacetError("The garment is an empty white picture; give one that shows clothes.")
    return picture
