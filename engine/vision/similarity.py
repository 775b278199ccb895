"""How alike two pictures are in their pixels: PSNR and SSIM of small copies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

SIDE = 32
WINDOW = 5


def small(image: torch.Tensor, side: int = SIDE) -> torch.Tensor:
    """``image`` (H, W, 3) as (3, side, side), stretched, so that pictures of any size compare."""
    return F.interpolate(
        image.movedim(-1, 0)[None], size=(side, side), mode="bilinear", antialias=True
    )[0]


def psnr(picture: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """PSNR in dB of ``picture`` (3, S, S) with each of ``others`` (N, 3, S, S), at most 60."""
    error = (others - picture).square().mean(dim=(1, 2, 3))
    return -10 * torch.log10(error.clamp_min(1e-6))


@dataclass(frozen=True, eq=False)
class Windowed:
    """Pictures (N, 3, S, S) with the means of their windows, for those that are compared often."""

    pictures: torch.Tensor
    mean: torch.Tensor
    mean_square: torch.Tensor

    @classmethod
    def of(cls, pictures: torch.Tensor) -> Windowed:
        """``pictures`` (N, 3, S, S), looked at once."""
        return cls(pictures, _blur(pictures), _blur(pictures * pictures))


def ssim(picture: torch.Tensor, others: torch.Tensor | Windowed) -> torch.Tensor:
    """SSIM of ``picture`` with each of ``others``, weighted by content.

    Each window is weighted by its contrast in the two pictures, as in IW-SSIM (Wang and Li 2011):
    two plain backgrounds alike would otherwise make copies of any two pictures.
    """
    similarity, contrast = _windows(picture, others)
    weight = contrast.clamp_min(0).sqrt() + 1e-4
    return (similarity * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3))


def least_alike(picture: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """SSIM of ``picture`` with each of ``others`` where they differ most: the 2nd percentile of
    its windows. A mouth that smiles in one of them, in two pictures otherwise the same, shows."""
    similarity, _ = _windows(picture, others)
    return similarity.mean(dim=1).flatten(1).quantile(0.02, dim=1)


def _windows(
    picture: torch.Tensor, others: torch.Tensor | Windowed
) -> tuple[torch.Tensor, torch.Tensor]:
    """SSIM of each 5 px window and channel (Wang et al. 2004, eq. 13), and its contrast."""
    one = Windowed.of(picture[None])
    many = others if isinstance(others, Windowed) else Windowed.of(others)
    variance_1 = one.mean_square - one.mean**2
    variance_2 = many.mean_square - many.mean**2
    covariance = _blur(picture * many.pictures) - one.mean * many.mean
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * one.mean * many.mean + c1) * (2 * covariance + c2)) / (
        (one.mean**2 + many.mean**2 + c1) * (variance_1 + variance_2 + c2)
    )
    return similarity, variance_1 + variance_2


def _blur(pictures: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(pictures, WINDOW, stride=1)
