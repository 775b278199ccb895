"""What a training tells of itself while it runs, and how it is asked to stop."""

from __future__ import annotations

import threading
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


class StopRequests:
    """Requests from other threads, each waiting under a key until the training takes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[str] = set()

    def request(self, key: str) -> None:
        """Asks the training under ``key``, a node's id, to end after its present step."""
        with self._lock:
            self._waiting.add(key)

    def take(self, key: str) -> bool:
        """Whether a request waits under ``key``; it is gone afterwards."""
        with self._lock:
            waits = key in self._waiting
            self._waiting.discard(key)
            return waits


STOP_REQUESTS = StopRequests()
"""The requests of this process: its HTTP routes ask, and its trainings take."""
