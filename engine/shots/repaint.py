"""A part of a picture made anew where a mask says, in the picture's own colours."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F

from ..character import Tags
from ..measure.faces import Face
from .colours import match_colours
from .retouch import OnStep, Retoucher, surroundings, working_size
from .sizes import fitting

Box = tuple[int, int, int, int]
AROUND = 0.5
"""How far around the face the model sees, as a share of its size."""
EDGE = 0.03
"""Over how much of the longest side of the masked part the picture and what is made are blended."""
COVERED = 0.5
"""From which value on the mask covers a pixel; what is less has hardly changed."""


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
    """``image`` (H, W, 3) with what ``mask`` (H, W) covers denoised by ``denoise``.

    The model works at about ``size`` squared pixels and sees what these hold without loss: the
    whole picture, or the face, or the masked part with something around. Pixels away from the mask
    are the same to the bit; a mask that covers nothing gives the very ``image``.
    """
    if not bool((mask >= COVERED).any()):
        return image
    left, top, right, bottom = _region(image, mask, face, size)
    before = image[top:bottom, left:right]
    height, width = before.shape[:2]
    laid = fitting((width, height), working_size(width, height, size))
    shown = tags if before.shape == image.shape else replace(tags, framing="close_up", pose="")
    made = laid.undo(retoucher.part(laid.apply(before), shown, denoise, on_step=on_step))
    weight = soft_edged(mask)[top:bottom, left:right, None]
    painted = image.clone()
    after = match_colours(made, made, before)
    painted[top:bottom, left:right] = torch.where(
        weight > 0, before * (1 - weight) + after * weight, before
    )
    return painted


def soft_edged(mask: torch.Tensor) -> torch.Tensor:
    """What ``mask`` (H, W) covers as 1, falling to 0 a little beyond it."""
    left, top, right, bottom = _covered(mask)
    edge = max(1, round(EDGE * max(right - left, bottom - top)))
    grown = F.max_pool2d((mask >= COVERED).to(torch.float32)[None, None], 4 * edge + 1, 1, 2 * edge)
    # Two boxes one after the other make a ramp without corners.
    for _ in range(2):
        padded = F.pad(grown, (edge,) * 4, mode="replicate")
        grown = F.avg_pool2d(padded, 2 * edge + 1, 1)
    return grown[0, 0]


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
    rows, columns = ((mask >= COVERED).any(axis).nonzero()[:, 0] for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
