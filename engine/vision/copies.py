"""Whether a sample is a training picture over again: its nearest one, in pixels and in embedding.

How alike two honest pictures of the character may be is read off the dataset: each training picture
against its own nearest other one. A training picture that was cropped is one over again: it is cut
to fit before it is compared. The whole picture and the person alone, cut out of it, are two
questions: a LoRA may set the very figure of a training picture into another place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..core.character import Shot
from .fitting import cut_to_fit
from .similarity import SIDE, Windowed, psnr, small, ssim

Bounds = tuple[float, float]
PSNR_BOUNDS: Bounds = (20.0, 26.0)
SSIM_BOUNDS: Bounds = (0.65, 0.9)
"""Measured in the demo world: honest pictures of somebody come as near as 18.3 dB and 0.6 to one of
the dataset's, and a picture over again is at 29 dB and 0.9 or more. Of photographs, different ones
come as near as 16.5 dB and 0.49 when they are cut to fit, and cropped ones, by up to 10 % at each
side, are at 35 dB and 0.97 or more."""
FIGURE_PSNR: Bounds = (22.0, 28.0)
FIGURE_SSIM: Bounds = (0.75, 0.92)
"""The same for people who are cut out and fill their squares: 20.7 dB and 0.71, 29 dB and 0.93."""
QUANTILE = 0.95


@dataclass(frozen=True)
class NearestPerson:
    """The training picture whose person is nearest to a sample's: hash, SSIM, whether a copy."""

    shot: str
    ssim: float
    copied: bool


@dataclass(frozen=True)
class Nearest:
    """The training picture nearest to a sample: its hash, PSNR in dB, SSIM, cosine of embeddings.

    The three measures are the highest over the dataset; ``shot`` is the one nearest in pixels.
    excess: by how much the cosine is above what training pictures have among themselves. face: the
    highest SSIM of the aligned face with one of the dataset's, None where there is none to compare.
    figure: the same of the person alone, None where nothing cuts it out.
    """

    shot: str
    psnr: float
    ssim: float
    cosine: float
    copied: bool
    excess: float | None = None
    face: float | None = None
    figure: NearestPerson | None = None


class _Neighbours:
    """Pictures, and how near two different ones of them come to each other.

    whole: they may have been cropped; people who are cut out fill their squares as it is.
    """

    def __init__(
        self,
        images: Sequence[torch.Tensor],
        psnr_bounds: Bounds,
        ssim_bounds: Bounds,
        whole: bool = False,
    ) -> None:
        self.known = Windowed.of(torch.stack([small(image) for image in images]))
        larger = [small(image, 2 * SIDE) for image in images] if whole else []
        self.larger = torch.stack(larger) if whole else None
        decibels, similarity = [], []
        for number, picture in enumerate(self.known.pictures):
            others = torch.arange(len(images)) != number
            if others.any():
                near = self._compared(picture)
                decibels.append(near[0][others].max())
                similarity.append(near[1][others].max())
        self.psnr_limit = _limit(decibels, psnr_bounds)
        self.ssim_limit = _limit(similarity, ssim_bounds)

    def nearest(self, picture: torch.Tensor) -> tuple[int, float, float, bool]:
        """The number of the one nearest to ``picture`` (3, S, S), PSNR, SSIM, whether a copy."""
        decibels, similarity = self._compared(picture)
        close = (decibels > self.psnr_limit) & (similarity > self.ssim_limit)
        best = int(torch.where(close, similarity + 2, similarity).argmax())
        return best, float(decibels[best]), float(similarity[best]), bool(close.any())

    def _compared(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """PSNR and SSIM (N,) of each with ``picture``, as it is or cut to fit."""
        decibels, similarity = psnr(picture, self.known.pictures), ssim(picture, self.known)
        if self.larger is not None:
            numbers, cut = cut_to_fit(self.larger, picture)
            decibels[numbers] = torch.maximum(decibels[numbers], psnr(picture, cut))
            similarity[numbers] = torch.maximum(similarity[numbers], ssim(picture, cut))
        return decibels, similarity


class CopyFinder:
    """Compares samples with the pictures a LoRA was trained on.

    A copy is closer in PSNR and in SSIM than training pictures are to one another (the 95th
    percentile of their own nearest neighbours, kept within bounds where the dataset holds one
    picture twice or pictures that have nothing in common). Both are taken at 32 px, so that what
    counts is the composition and not the grain.

    embeddings: (N, D) of ``shots``. faces: their aligned faces (S, S, 3), figures: the people in
    them, cut out (s, s, 3); None where there is none.
    """

    def __init__(
        self,
        shots: Sequence[Shot],
        embeddings: torch.Tensor,
        faces: Sequence[torch.Tensor | None] = (),
        figures: Sequence[torch.Tensor | None] = (),
    ) -> None:
        self.shots = tuple(shots)
        self.embeddings = embeddings
        images = [shot.image for shot in shots]
        self.pictures = _Neighbours(images, PSNR_BOUNDS, SSIM_BOUNDS, whole=True)
        known = [small(face) for face in faces if face is not None]
        self.faces = Windowed.of(torch.stack(known)) if known else None
        pairs = zip(shots, figures, strict=False)
        cut = [(shot, figure) for shot, figure in pairs if figure is not None]
        self.figured = tuple(shot for shot, _ in cut)
        self.figures = None
        if cut:
            people = [figure for _, figure in cut]
            self.figures = _Neighbours(people, FIGURE_PSNR, FIGURE_SSIM)
        alike = embeddings @ embeddings.T - 2 * torch.eye(len(self.shots))
        self.usual_cosine = float(alike.amax(1).median()) if len(self.shots) > 1 else None

    def nearest(
        self,
        image: torch.Tensor,
        embedding: torch.Tensor,
        face: torch.Tensor | None = None,
        figure: torch.Tensor | None = None,
    ) -> Nearest:
        """The training picture nearest to ``image`` (H, W, 3) with ``embedding`` (D,).

        face: the image's own aligned face (S, S, 3). figure: the person in it, cut out (s, s, 3).
        """
        best, decibels, similarity, copied = self.pictures.nearest(small(image))
        cosine = float((self.embeddings @ embedding).max())
        alike = None
        if face is not None and self.faces is not None:
            alike = float(ssim(small(face), self.faces).max())
        return Nearest(
            shot=self.shots[best].hash,
            psnr=decibels,
            ssim=similarity,
            cosine=cosine,
            copied=copied,
            excess=None if self.usual_cosine is None else cosine - self.usual_cosine,
            face=alike,
            figure=self._figure(figure),
        )

    def _figure(self, figure: torch.Tensor | None) -> NearestPerson | None:
        if figure is None or self.figures is None:
            return None
        best, _, similarity, copied = self.figures.nearest(small(figure))
        return NearestPerson(self.figured[best].hash, similarity, copied)


def _limit(values: list[torch.Tensor], bounds: Bounds) -> float:
    """The 95th percentile of ``values`` within ``bounds``; the lower bound when there are none."""
    if not values:
        return bounds[0]
    return min(max(float(torch.stack(values).quantile(QUANTILE)), bounds[0]), bounds[1])
