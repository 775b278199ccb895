"""Cosines of an encoder, made readable on this one character: 0 a stranger, 1 the character.

An encoder's cosine says little by itself: 0.6 is a stranger to one and a twin to another. So it is
calibrated with what is at hand: the same prompts without LoRA give 0, and the dataset's own
pictures of the character give 1, all of them held against the one original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

DRAWS = 2000
MIN_GAP = 0.05
MIN_SHARE = 0.2
MIN_SEPARATION = 0.8
MIN_REPRODUCTION = 22.0
FEW = 8
VIEW_LEAST = 3


@dataclass(frozen=True)
class Interval:
    """A median with its 95 % bootstrap interval, and over how many images; None when unknown."""

    value: float | None
    low: float | None
    high: float | None
    count: int

    @property
    def text(self) -> str:
        """As in '0.82 (0.71 to 0.90)'."""
        if self.value is None:
            return "not measured"
        if self.low is None or self.high is None:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


UNKNOWN = Interval(None, None, None, 0)


@dataclass(frozen=True)
class Calibration:
    """What the encoder makes of strangers and of the character, as cosines with the original.

    null: images of the same prompts without LoRA. positives: the dataset's own shots.
    rejected: how many shots there are that no gate let through. reproduction: PSNR in dB at which
    the VAE gives the original back; a model cannot draw what its VAE cannot hold.
    """

    null: tuple[float, ...]
    positives: tuple[float, ...]
    rejected: int = 0
    reproduction: float | None = None

    @property
    def null_median(self) -> float | None:
        """The cosine that scores 0."""
        return float(np.median(self.null)) if self.null else None

    @property
    def positive_median(self) -> float | None:
        """The cosine that scores 1."""
        return float(np.median(self.positives)) if self.positives else None

    @property
    def gap(self) -> float:
        """How far the character stands above strangers; 0 when one of them is missing."""
        if self.null_median is None or self.positive_median is None:
            return 0.0
        return self.positive_median - self.null_median

    @property
    def least_gap(self) -> float:
        """The smallest gap to make a scale of: a part of the way from strangers to the original."""
        return max(MIN_GAP, MIN_SHARE * (1 - (self.null_median or 0.0)))

    @property
    def most(self) -> float:
        """The score of the character's likest picture, at least 1."""
        return max([1.0, *(self.score(one) or 0.0 for one in self.positives)])

    @property
    def separation(self) -> float:
        """How often an image of the character is more similar than a stranger (the ROC's area)."""
        if not self.null or not self.positives:
            return 0.0
        positives, null = np.array(self.positives)[:, None], np.array(self.null)[None]
        return float(((positives > null) + 0.5 * (positives == null)).mean())

    @property
    def problem(self) -> str:
        """Why nothing can be said with this calibration, in one sentence; empty when it can."""
        if self.reproduction is not None and self.reproduction < MIN_REPRODUCTION:
            return (
                "These models cannot draw images like the original: their VAE reproduces it at "
                f"{self.reproduction:.1f} dB PSNR, and {MIN_REPRODUCTION:g} or more is needed; use "
                "models that were trained on such images."
            )
        if not self.positives and self.rejected:
            return (
                f"None of the {self.rejected} shots was accepted as the character, so there is "
                "nothing to calibrate with; these models may not be able to draw such an image."
            )
        if not self.positives:
            return (
                "The dataset has no accepted shot besides the original, so there is nothing to "
                "calibrate with; add shots of the character."
            )
        if self.gap < self.least_gap or self.separation < MIN_SEPARATION:
            return (
                "The encoder cannot tell this character from others (the character's images "
                f"{self.positive_median:.2f}, strangers {self.null_median:.2f}); use another "
                "CLIP_VISION."
            )
        return ""

    def score(self, cosine: float) -> float | None:
        """``cosine`` on the calibrated scale, or None when there is a problem."""
        if self.problem or self.null_median is None:
            return None
        return (cosine - self.null_median) / self.gap

    def counted(self, cosine: float, face: bool | None) -> float:
        """``cosine``, but no more than a stranger's where a ``face`` was looked for in vain."""
        if face is not False or self.null_median is None:
            return cosine
        return min(cosine, self.null_median)

    def cosine(self, score: float) -> float | None:
        """The cosine whose score is ``score``, or None when there is a problem."""
        if self.problem or self.null_median is None:
            return None
        return self.null_median + score * self.gap

    def identity(self, cosines: Sequence[float]) -> Interval:
        """The calibrated median of ``cosines``.

        The bootstrap draws the samples, the strangers and the character's pictures alike, since
        all three are few. No draw has a smaller gap than a scale may have.
        """
        if self.problem or not cosines:
            return UNKNOWN
        rng = np.random.default_rng(0)
        sample, null, positive = (
            _medians(np.array(values), rng) for values in (cosines, self.null, self.positives)
        )
        drawn = (sample - null) / np.maximum(positive - null, self.least_gap)
        low, high = np.quantile(drawn, (0.025, 0.975))
        value = self.score(float(np.median(cosines)))
        return Interval(value, float(low), float(high), len(cosines))


@dataclass(frozen=True)
class Scales:
    """The scale of the cosines with the original, with the dataset's shots, view by view, and with
    pictures that were held out, where there are some."""

    original: Calibration
    to_set: Calibration
    by_view: dict[str, Calibration]
    held_out: Calibration | None = None

    def of(self, view: str) -> Calibration:
        """The scale for images in ``view``: that of all where the view has too few of its own."""
        own = self.by_view.get(view)
        if own is None or min(len(own.null), len(own.positives)) < VIEW_LEAST or own.problem:
            return self.original
        return own


def share(hits: Sequence[bool]) -> Interval:
    """How many of ``hits`` are true, with the Wilson interval (Wilson 1927) of a proportion."""
    count = len(hits)
    if not count:
        return UNKNOWN
    rate, z = sum(hits) / count, 1.96
    centre = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (rate * (1 - rate) / count + z**2 / (4 * count**2)) ** 0.5
    return Interval(rate, max(0.0, centre - half), min(1.0, centre + half), count)


def leave_one_out(embeddings: torch.Tensor) -> tuple[float, ...]:
    """Each row's median cosine with the other rows of ``embeddings`` (N, D), of length 1 each."""
    cosines = (embeddings @ embeddings.T).tolist()
    return tuple(
        float(np.median([value for other, value in enumerate(row) if other != own]))
        for own, row in enumerate(cosines)
        if len(row) > 1
    )


def with_others(own: torch.Tensor, others: torch.Tensor) -> tuple[float, ...]:
    """Each row of ``own`` (N, D) with ``others`` (M, D): the median cosine. Rows have length 1."""
    return tuple((own @ others.T).quantile(0.5, dim=1).tolist())


def _medians(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Medians of ``DRAWS`` resamples of ``values``."""
    return np.median(rng.choice(values, (DRAWS, len(values))), axis=1)
