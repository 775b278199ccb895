"""Which checkpoint of a run to use, and when another one is not worth training for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...vision.embedding import embed
from ..run_record import Measure


@dataclass(frozen=True)
class BestCheckpoint:
    """The checkpoint to use, by its step, and why, as a sentence for people."""

    step: int
    why: str


def choose(measures: Sequence[Measure], steps: Sequence[int]) -> BestCheckpoint:
    """The best of the checkpoints at ``steps``, in order.

    The one whose samples are most similar to the original image; where that was not measured the
    one with the lowest validation loss; and else the last. Of equals the earlier.
    """
    saved = [one for one in measures if one.step in set(steps)]
    alike = [one for one in saved if one.identity is not None]
    if alike:
        best = max(alike, key=lambda one: (one.identity, -one.step))
        return BestCheckpoint(
            best.step,
            f"Step {best.step} is most similar to the original image: {best.identity:.3f}, "
            f"at step {alike[-1].step} {alike[-1].identity:.3f}.",
        )
    validated = [one for one in saved if one.validation is not None]
    if validated:
        best = min(validated, key=lambda one: (one.validation, one.step))
        return BestCheckpoint(
            best.step,
            f"Step {best.step} has the lowest validation loss: {best.validation:.4f}, "
            f"at step {validated[-1].step} {validated[-1].validation:.4f}.",
        )
    return BestCheckpoint(
        steps[-1], f"Step {steps[-1]} is the last; nothing was measured to choose by."
    )


def plateau(measures: Sequence[Measure], patience: int) -> bool:
    """Whether the last ``patience`` measures brought nothing better than those before them.

    Better by what ``choose`` goes by. Never with a patience of 0.
    """
    goodness = [one.identity for one in measures if one.identity is not None]
    if not goodness:
        goodness = [-one.validation for one in measures if one.validation is not None]
    if not patience or len(goodness) <= patience:
        return False
    return max(goodness[-patience:]) <= max(goodness[:-patience])


class OriginalSimilarity:
    """How similar images are to the original one, through a CLIP_VISION."""

    def __init__(self, clip_vision: Any, source: torch.Tensor) -> None:
        """source: (H, W, 3) in 0..1."""
        self._clip_vision = clip_vision
        self._source = source
        self._embedding: torch.Tensor | None = None

    def __call__(self, pictures: torch.Tensor) -> float:
        """The mean cosine of ``pictures`` (N, H, W, 3) with the original image, -1 to 1."""
        if self._embedding is None:
            self._embedding = embed(self._clip_vision, self._source[None])[0]
        return float((embed(self._clip_vision, pictures) @ self._embedding).mean())
