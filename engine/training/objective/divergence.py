"""Telling a loss that is lost from one that is noisy, and what is raised for it."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable

from ...core.errors import FacetError

WINDOW = 50
"""Steps whose median stands for the loss: single steps differ by the noise they drew."""

_TIMES_LOWEST = 4.0
_TIMES_FIRST = 2.0
_PATIENCE = 25


class TrainingDiverged(FacetError):
    """The loss or a gradient was not a number; what was good until then is saved."""


class LossDiverged(TrainingDiverged):
    """The loss is far above what it was, and so are the weights: they are not worth keeping."""


class DivergenceGuard:
    """Watches the loss of every step.

    Diverged is a loss whose running median stood far above its lowest, and above where the run
    began, for ``_PATIENCE`` steps in a row: no training gets worse than untrained by chance.
    """

    def __init__(self, losses: Iterable[float] = ()) -> None:
        """``losses``: of the steps before."""
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._first = self._lowest = 0.0
        self._above = 0
        for loss in losses:
            self.diverged(loss)

    def diverged(self, loss: float) -> bool:
        """Whether the loss is lost, now that the next step's is ``loss``."""
        self._recent.append(loss)
        if len(self._recent) < WINDOW:
            return False
        median = statistics.median(self._recent)
        if not self._first:
            self._first = self._lowest = median
        self._lowest = min(self._lowest, median)
        lost = median > max(_TIMES_LOWEST * self._lowest, _TIMES_FIRST * self._first)
        self._above = self._above + 1 if lost else 0
        return self._above >= _PATIENCE
