"""Whether a sample is a training picture over again: its nearest one, in pixels and in embedding.

How alike two honest pictures of the character may be is read off the dataset: each training picture
against its own nearest other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..character import Shot
from ..measure.likeness import Windowed, psnr, small, ssim

PSNR_BOUNDS = (18.0, 26.0)
SSIM_BOUNDS = (0.6, 0.9)
QUANTILE = 0.95


@dataclass(frozen=True)
class Nearest:
    """The training picture nearest to a sample: its hash, PSNR in dB, SSIM, cosine of embeddings.

    The three measures are the highest over the dataset; ``shot`` is the one nearest in pixels.
    excess: by how much the cosine is above what training pictures have among themselves. face: the
    highest SSIM of the aligned face with one of the dataset's, None where there is none to compare.
    """

    shot: str
    psnr: float
    ssim: float
    cosine: float
    copied: bool
    excess: float | None = None
    face: float | None = None


class CopyFinder:
    """Compares samples with the pictures a LoRA was trained on.

    A copy is closer in PSNR and in SSIM than training pictures are to one another (the 95th
    percentile of their own nearest neighbours, kept within bounds where the dataset holds one
    picture twice or pictures that have nothing in common). Both are taken at 32 px, so that what
    counts is the composition and not the grain.

    embeddings: (N, D) of ``shots``. faces: their aligned faces (S, S, 3), None where there is none.
    """

    def __init__(
        self,
        shots: Sequence[Shot],
        embeddings: torch.Tensor,
        faces: Sequence[torch.Tensor | None] = (),
    ) -> None:
        self.shots = tuple(shots)
        known = [small(face) for face in faces if face is not None]
        self.faces = Windowed.of(torch.stack(known)) if known else None
        self.embeddings = embeddings
        self.pictures = torch.stack([small(shot.image) for shot in shots])
        decibels, similarity, cosine = [], [], []
        for number, picture in enumerate(self.pictures):
            others = [other for other in range(len(self.shots)) if other != number]
            if others:
                decibels.append(psnr(picture, self.pictures[others]).max())
                similarity.append(ssim(picture, self.pictures[others]).max())
                cosine.append((embeddings[others] @ embeddings[number]).max())
        self.windowed = Windowed.of(self.pictures)
        self.psnr_limit = _limit(decibels, PSNR_BOUNDS)
        self.ssim_limit = _limit(similarity, SSIM_BOUNDS)
        self.usual_cosine = float(torch.stack(cosine).median()) if cosine else None

    def nearest(
        self, image: torch.Tensor, embedding: torch.Tensor, face: torch.Tensor | None = None
    ) -> Nearest:
        """The training picture nearest to ``image`` (H, W, 3) with ``embedding`` (D,).

        face: the image's own aligned face (S, S, 3).
        """
        picture = small(image)
        decibels, similarity = psnr(picture, self.pictures), ssim(picture, self.windowed)
        close = (decibels > self.psnr_limit) & (similarity > self.ssim_limit)
        best = int(torch.where(close, similarity + 2, similarity).argmax())
        cosine = float((self.embeddings @ embedding).max())
        alike = None
        if face is not None and self.faces is not None:
            alike = float(ssim(small(face), self.faces).max())
        return Nearest(
            shot=self.shots[best].hash,
            psnr=float(decibels[best]),
            ssim=float(similarity[best]),
            cosine=cosine,
            copied=bool(close.any()),
            excess=None if self.usual_cosine is None else cosine - self.usual_cosine,
            face=alike,
        )


def _limit(values: list[torch.Tensor], bounds: tuple[float, float]) -> float:
    """The 95th percentile of ``values`` within ``bounds``; the lower bound when there are none."""
    if not values:
        return bounds[0]
    return min(max(float(torch.stack(values).quantile(QUANTILE)), bounds[0]), bounds[1])
