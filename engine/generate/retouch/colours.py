"""Brings the colours of a picture to those of another one."""

from __future__ import annotations

import torch

SIDE = 64
"""Colours are compared at this size: detail that was gained or lost is not taken for colour."""
MOST_CONTRAST = 1.5


def match_colours(
    image: torch.Tensor, measured: torch.Tensor, wanted: torch.Tensor, strength: float = 1.0
) -> torch.Tensor:
    """``image`` (H, W, 3) in 0..1 with the colours of ``wanted``, as told by ``measured``.

    Mean and deviation in CIELAB are moved from those of ``measured`` to those of ``wanted``
    (Reinhard et al. 2001), both (h, w, 3) of any size: parts that show the same, such as the face.
    The contrast changes by a factor of 1.5 at most.
    """
    from kornia.color import lab_to_rgb, rgb_to_lab

    before, after = (_colours(rgb_to_lab(_small(part))) for part in (measured, wanted))
    scale = (after[1] / before[1].clamp_min(1e-3)).clamp(1 / MOST_CONTRAST, MOST_CONTRAST)
    lab = rgb_to_lab(image.permute(2, 0, 1)[None])
    moved = lab_to_rgb((lab - before[0]) * scale + after[0])[0].permute(1, 2, 0)
    return torch.lerp(image, moved.clamp(0, 1), strength)


def _small(image: torch.Tensor) -> torch.Tensor:
    picture = image.permute(2, 0, 1)[None]
    size = (min(SIDE, image.shape[0]), min(SIDE, image.shape[1]))
    return torch.nn.functional.interpolate(picture, size=size, mode="area")


def _colours(lab: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation, each (1, 3, 1, 1)."""
    return lab.mean((2, 3), keepdim=True), lab.std((2, 3), correction=0, keepdim=True)
