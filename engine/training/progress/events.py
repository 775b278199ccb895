"""What a training tells of itself while it runs, and what it is asked meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
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


class Ask(str, Enum):
    """What a training can be asked after a step: to end, to save a checkpoint, to make samples."""

    STOP = "stop"
    SAVE = "save"
    SAMPLE = "sample"


class RunRequests:
    """Requests from other threads, each waiting under a key until the training takes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[str, Ask]] = set()

    def request(self, key: str, what: Ask) -> None:
        """Asks the training under ``key``, a node's id, for ``what`` after its present step."""
        with self._lock:
            self._waiting.add((key, what))

    def take(self, key: str, what: Ask) -> bool:
        """Whether ``what`` is asked under ``key``; it is no longer, afterwards."""
        with self._lock:
            waits = (key, what) in self._waiting
            self._waiting.discard((key, what))
            return waits

    def forget(self, key: str) -> None:
        """Drops whatever is asked under ``key``."""
        for what in Ask:
            self.take(key, what)


RUN_REQUESTS = RunRequests()
"""The requests of this process: its HTTP routes ask, and its trainings take."""
