"""A part of a picture made anew where a mask says, in the picture's own colours."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..character import Tags
from ..measure.faces import Face
from .colours import match_colours
from .retouch import OnStep, Retoucher, surroundings, working_size
from .sizes import fitting

Box = tuple[int, int, int, int]
AROUND = 0.5
"""How far around the face the model sees, as a share of its size."""


def repainted(
    retoucher: Retoucher,
    image: torch.Tensor,
    mask: torch.Tensor,
    face: Face,
    tags: Tags,
    denoise: float,
    size: int,
    on_step: OnStep | None = None,
) -> torch.Tensor:
    """``image`` (H, W, 3) denoised by ``denoise`` as far as ``mask`` (H, W), soft in 0..1, says.

    The model works at about ``size`` squared pixels and sees what these hold without loss: the
    whole picture, or the face, or the masked part with something around. Pixels where the mask
    is 0 are the same to the bit; a mask that is empty gives the very ``image``.
    """
    if not bool((mask > 0).any()):
        return image
    left, top, right, bottom = _region(image, mask, face, size)
    before = image[top:bottom, left:right]
    height, width = before.shape[:2]
    laid = fitting((width, height), working_size(width, height, size))
    shown = tags if before.shape == image.shape else replace(tags, framing="close_up", pose="")
    made = laid.undo(retoucher.part(laid.apply(before), shown, denoise, on_step=on_step))
    weight = mask[top:bottom, left:right, None]
    painted = image.clone()
    after = match_colours(made, made, before)
    painted[top:bottom, left:right] = torch.where(
        weight > 0, before * (1 - weight) + after * weight, before
    )
    return painted


def _region(image: torch.Tensor, mask: torch.Tensor, face: Face, size: int) -> Box:
    """Left, top, right and bottom of what the model is shown."""
    height, width = image.shape[:2]
    if height * width <= size * size:
        return 0, 0, width, height
    moved = _covered(mask)
    seen = surroundings(face, image, AROUND)
    whole = (*map(min, moved[:2], seen[:2]), *map(max, moved[2:], seen[2:]))
    if (whole[2] - whole[0]) * (whole[3] - whole[1]) <= size * size:
        return whole[0], whole[1], whole[2], whole[3]
    around = round(AROUND * max(moved[2] - moved[0], moved[3] - moved[1]))
    return (
        max(0, moved[0] - around),
        max(0, moved[1] - around),
        min(width, moved[2] + around),
        min(height, moved[3] + around),
    )


def _covered(mask: torch.Tensor) -> Box:
    """Left, top, right and bottom of what ``mask`` (H, W) covers."""
    rows, columns = ((mask > 0).any(axis).nonzero()[:, 0] for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
