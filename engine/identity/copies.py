"""Whether a sample is a training picture over again: its nearest one, in pixels and in embedding.

How alike two honest pictures of the character may be is read off the dataset: each training picture
against its own nearest other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..character import Shot

SIDE = 32
WINDOW = 5
PSNR_BOUNDS = (18.0, 26.0)
SSIM_BOUNDS = (0.6, 0.9)
QUANTILE = 0.95


@dataclass(frozen=True)
class Nearest:
    """The training picture nearest to a sample: its hash, PSNR in dB, SSIM, cosine of embeddings.

    The three measures are the highest over the dataset; ``shot`` is the one nearest in pixels.
    """

    shot: str
    psnr: float
    ssim: float
    cosine: float
    copied: bool


class CopyFinder:
    """Compares samples with the pictures a LoRA was trained on.

    A copy is closer in PSNR and in SSIM than training pictures are to one another (the 95th
    percentile of their own nearest neighbours, kept within bounds where the dataset holds one
    picture twice or pictures that have nothing in common). Both are taken at 32 px, so that what
    counts is the composition and not the grain.
    """

    def __init__(self, shots: Sequence[Shot], embeddings: torch.Tensor) -> None:
        self.shots = tuple(shots)
        self.embeddings = embeddings
        self.pictures = torch.stack([small(shot.image) for shot in shots])
        psnr, ssim, cosine = [], [], []
        for number, picture in enumerate(self.pictures):
            others = [other for other in range(len(self.shots)) if other != number]
            if others:
                psnr.append(_psnr(picture, self.pictures[others]).max())
                ssim.append(_ssim(picture, self.pictures[others]).max())
                cosine.append((embeddings[others] @ embeddings[number]).max())
        self.psnr_limit = _limit(psnr, PSNR_BOUNDS)
        self.ssim_limit = _limit(ssim, SSIM_BOUNDS)
        self.usual_cosine = float(torch.stack(cosine).median()) if cosine else None

    def nearest(self, image: torch.Tensor, embedding: torch.Tensor) -> Nearest:
        """The training picture nearest to ``image`` (H, W, 3) with ``embedding`` (D,)."""
        picture = small(image)
        psnr, ssim = _psnr(picture, self.pictures), _ssim(picture, self.pictures)
        close = (psnr > self.psnr_limit) & (ssim > self.ssim_limit)
        best = int(torch.where(close, ssim + 2, ssim).argmax())
        return Nearest(
            shot=self.shots[best].hash,
            psnr=float(psnr[best]),
            ssim=float(ssim[best]),
            cosine=float((self.embeddings @ embedding).max()),
            copied=bool(close.any()),
        )


def small(image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3) as (3, 32, 32), stretched, so that pictures of any size compare."""
    return F.interpolate(
        image.movedim(-1, 0)[None], size=(SIDE, SIDE), mode="bilinear", antialias=True
    )[0]


def _psnr(picture: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """PSNR in dB of ``picture`` (3, S, S) with each of ``others`` (N, 3, S, S), at most 60."""
    error = (others - picture).square().mean(dim=(1, 2, 3))
    return -10 * torch.log10(error.clamp_min(1e-6))


def _ssim(picture: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """SSIM of ``picture`` with each of ``others``, weighted by content.

    SSIM over 5 px windows and all channels (Wang et al. 2004, eq. 13), each window weighted by its
    contrast in the two pictures, as in IW-SSIM (Wang and Li 2011): two plain backgrounds alike
    would otherwise make copies of any two pictures.
    """
    first, second = picture.expand_as(others), others
    mean_1, mean_2 = _blur(first), _blur(second)
    variance_1 = _blur(first * first) - mean_1**2
    variance_2 = _blur(second * second) - mean_2**2
    covariance = _blur(first * second) - mean_1 * mean_2
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)) / (
        (mean_1**2 + mean_2**2 + c1) * (variance_1 + variance_2 + c2)
    )
    weight = (variance_1 + variance_2).clamp_min(0).sqrt() + 1e-4
    return (similarity * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3))


def _blur(pictures: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(pictures, WINDOW, stride=1)


def _limit(values: list[torch.Tensor], bounds: tuple[float, float]) -> float:
    """The 95th percentile of ``values`` within ``bounds``; the lower bound when there are none."""
    if not values:
        return bounds[0]
    return min(max(float(torch.stack(values).quantile(QUANTILE)), bounds[0]), bounds[1])
