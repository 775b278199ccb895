"""A part of a picture made anew where a mask says, in the picture's own colours."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..character import Tags
from ..measure.faces import Face
from .colours import match_colours
from .retouch import OnStep, Retoucher, working_size
from .sizes import fitting

Box = tuple[int, int, int, int]
AROUND = 0.5
"""How far around the face the model sees, as a share of its size."""


@torch.no_grad()
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

    The model works at about ``size`` squared pixels: on a close-up of the face where these hold it
    without loss, and else on the masked part with something around. Pixels where the mask is 0 are
    the same to the bit; a mask that is empty gives the very ``image``.
    """
    if not bool((mask > 0).any()):
        return image
    left, top, right, bottom = _region(image, mask, face, size)
    before = image[top:bottom, left:right]
    height, width = before.shape[:2]
    laid = fitting((width, height), working_size(width, height, size))
    close = replace(tags, framing="close_up", pose="")
    weight = mask[top:bottom, left:right, None]
    where = laid.apply(weight)[..., 0]
    made = laid.undo(
        retoucher.part(laid.apply(before), close, denoise, on_step=on_step, mask=where)
    )
    painted = image.clone()
    after = match_colours(made, made, before)
    painted[top:bottom, left:right] = torch.where(
        weight > 0, before * (1 - weight) + after * weight, before
    )
    return painted


def _region(image: torch.Tensor, mask: torch.Tensor, face: Face, size: int) -> Box:
    """Left, top, right and bottom of what the model is shown: a square where the picture has one.

    It is a close-up of the face, as models know them, unless ``size`` does not hold that.
    """
    x0, y0, x1, y1 = face.box
    close = max(x1 - x0, y1 - y0) * (1 + 2 * AROUND)
    left, top, right, bottom = _covered(mask)
    moved = max(right - left, bottom - top)
    if max(close, moved) <= size:
        centre = ((x0 + x1) / 2, (y0 + y1) / 2)
        return _square(image, centre, max(close, moved))
    return _square(image, ((left + right) / 2, (top + bottom) / 2), moved * (1 + 2 * AROUND))


def _square(image: torch.Tensor, centre: tuple[float, float], side: float) -> Box:
    """The square around ``centre``, pushed into the picture and cut where it is larger."""
    found = []
    for middle, extent in zip(centre, (image.shape[1], image.shape[0])):
        length = min(extent, round(side))
        start = min(max(0, round(middle - length / 2)), extent - length)
        found.append((start, start + length))
    (left, right), (top, bottom) = found
    return left, top, right, bottom


def _covered(mask: torch.Tensor) -> Box:
    """Left, top, right and bottom of what ``mask`` (H, W) covers."""
    rows, columns = ((mask > 0).any(axis).nonzero()[:, 0] for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
