"""What a training tells of itself while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingEvent:
    """A run after one of its steps.

    step: steps done, of ``steps``. loss: of this step; ``smoothed`` is its running average.
    seconds: since this start of the run, of which only the steps tell ``eta``, the seconds left.
    validation: loss on held-out pictures, and identity: likeness of held-out prompts to the
    source picture, -1 to 1; both None at steps that do not measure them. sample: a PNG with the
    pictures made after this step. note: a sentence when something happened that people should
    know. folder: the run's.
    """

    step: int
    steps: int
    loss: float
    smoothed: float
    learning_rate: float
    seconds: float
    eta: float
    validation: float | None = None
    identity: float | None = None
    sample: Path | None = None
    note: str = ""
    folder: Path | None = None


OnEvent = Callable[[TrainingEvent], None]
"""Called after each step, in the thread that trains."""
