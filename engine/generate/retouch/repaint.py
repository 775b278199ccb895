"""A part of a picture made anew where a mask says, in the picture's own colours."""

from __future__ import annotations

from dataclasses import replace

import torch

from ...comfyui.sampling import OnStep
from ...core.character import Tags
from ...studio.sizes import fitting
from ...vision.faces import Face
from .retouch import Retoucher, match_colours, working_size

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

    The model works at about ``size`` squared pixels: on the whole picture where these hold it
    without loss, else on a close-up of the face, and else on the masked part with something
    around. All of it is made anew and the masked part is taken over, because a mouth is the better
    drawn the more of its face is drawn with it. Pixels where the mask is 0 are the same to the bit;
    a mask that is empty gives the very ``image``.
    """
    if not bool((mask > 0).any()):
        return image
    left, top, right, bottom = _region(image, mask, face, size)
    before = image[top:bottom, left:right]
    height, width = before.shape[:2]
    laid = fitting((width, height), working_size(width, height, size))
    weight = mask[top:bottom, left:right, None]
    shown = shown_as(tags, image, size)
    made = laid.undo(retoucher.part(laid.apply(before), shown, denoise, on_step=on_step))
    painted = image.clone()
    after = match_colours(made, made, before)
    painted[top:bottom, left:right] = torch.where(
        weight > 0, before * (1 - weight) + after * weight, before
    )
    return painted


def shown_as(tags: Tags, image: torch.Tensor, size: int) -> Tags:
    """``tags`` of what the model is shown of ``image`` (H, W, 3)."""
    if _held(image, size):
        return tags
    return replace(tags, framing="close_up", pose="")


def _held(image: torch.Tensor, size: int) -> bool:
    return image.shape[0] * image.shape[1] <= size * size


def _region(image: torch.Tensor, mask: torch.Tensor, face: Face, size: int) -> Box:
    """Left, top, right and bottom of what the model is shown: a square where the picture has one.

    It is a close-up of the face, as models know them, unless ``size`` holds more or not even that.
    """
    if _held(image, size):
        return 0, 0, image.shape[1], image.shape[0]
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
