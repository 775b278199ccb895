"""A picture taken from where maps over it say: one over the face, and one over each closing eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

STILL = 1e-3
"""A move of fewer pixels is none: those pixels keep their bytes."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A map over the part ``box`` of a picture: x0, y0, x1, y1 px.

    away: (h, w, 2) px from each pixel to where it is taken from. cover: how much of each pixel it
    covers, (h, w) in 0..1; None for all.
    """

    box: tuple[int, int, int, int]
    away: torch.Tensor
    cover: torch.Tensor | None = None


def sampled(
    image: torch.Tensor, layers: Sequence[Layer], shown: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """``image`` (H, W, 3) with ``layers`` over each other, and a mask (H, W) of what changed.

    Bicubic; outside of the picture is its border. shown: px from which on the mask is full.
    """
    height, width = image.shape[:2]
    source = image.detach().to("cpu", torch.float32).permute(2, 0, 1)[None]
    picture, mask = image.clone(), torch.zeros(height, width)
    for layer in layers:
        left, top, right, bottom = layer.box
        where = slice(top, bottom), slice(left, right)
        away = layer.away
        distance = (away[..., 0].square() + away[..., 1].square()).sqrt()
        ys = torch.arange(top, bottom, dtype=torch.float32)[:, None] + 0.5
        xs = torch.arange(left, right, dtype=torch.float32)[None] + 0.5
        at = torch.stack(
            [(xs + away[..., 0]) * (2 / width), (ys + away[..., 1]) * (2 / height)], -1
        )
        made = torch.nn.functional.grid_sample(
            source, at[None] - 1, mode="bicubic", padding_mode="border", align_corners=False
        )[0].permute(1, 2, 0)
        moving = distance > STILL
        made = torch.where(moving[..., None], made.clamp(0, 1).to(image), image[where])
        ramp = (distance / shown).clamp(0, 1)
        ramp = torch.where(
            moving, (ramp * ramp * (3 - 2 * ramp)).clamp_min(1e-6), ramp.new_zeros(())
        )
        if layer.cover is not None:
            over = layer.cover.to(made)[..., None]
            mixed = torch.lerp(picture[where], made, over)
            made = torch.where(over < 1, torch.where(over > 0, mixed, picture[where]), made)
            ramp = torch.lerp(mask[where], ramp, layer.cover)
        picture[where], mask[where] = made, ramp
    return picture, mask
