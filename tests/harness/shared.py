"""What several workers need is made by the first that asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, filled by `make` unless another worker has done so; waits while one is at it."""
    with FileLock(folder.with_suffix(".lock")):
        done = folder / ".done"
        if not done.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            done.touch()
    return folder
