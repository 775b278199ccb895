"""How sharp a picture is, whatever its size and whatever it shows."""

from __future__ import annotations

import torch
import torch.nn.functional as F

MOST_PIXELS = 1024
"""Short side at which pictures are compared at most."""


def relative_sharpness(image: torch.Tensor, original: torch.Tensor) -> float:
    """Sharpness of ``image`` as a share of that of ``original``, both (H, W, 3): 1 is as sharp.

    Both are brought to the same short side, that of the smaller one.
    """
    side = min(*image.shape[:2], *original.shape[:2], MOST_PIXELS)
    return sharpness(_sized(image, side)) / max(sharpness(_sized(original, side)), 1e-6)


def sharpness(grey: torch.Tensor) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) over the energy of the gradient.

    grey: (1, 1, H, W). The variance alone says how much there is to see, too: a park has more of
    it than a wall. A blur takes fine detail before coarse, so that the ratio tells it.
    """
    centre = grey[..., 1:-1, 1:-1]
    right, left = grey[..., 1:-1, 2:], grey[..., 1:-1, :-2]
    below, above = grey[..., 2:, 1:-1], grey[..., :-2, 1:-1]
    laplacian = right + left + below + above - 4 * centre
    energy = ((right - left).square() + (below - above).square()).mean()
    return float(laplacian.var() / (energy + 1e-6))


def grey_of(image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3) in grey: (1, 1, H, W)."""
    return image[..., :3].mean(dim=-1)[None, None]


def _sized(image: torch.Tensor, side: int) -> torch.Tensor:
    grey = grey_of(image)
    height, width = grey.shape[-2:]
    scale = side / min(height, width)
    if scale == 1:
        return grey
    size = (max(3, round(height * scale)), max(3, round(width * scale)))
    return F.interpolate(grey, size=size, mode="area")
