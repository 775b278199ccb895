"""Asking a running training to stop early and keep the best of what it has."""

from __future__ import annotations

import threading


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
