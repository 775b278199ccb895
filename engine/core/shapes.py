"""Which shapes of pictures models can see."""

from __future__ import annotations

SMALLEST_SIDE = 64
"""Pixels of a side, below which a model has nothing to look at."""
MOST_RATIO = 4
"""Of the longer side to the shorter: the longest shapes that image models were trained at."""


def seen_part(width: int, height: int) -> tuple[int, int]:
    """Width and height of the middle of a picture that a model can see; all of most pictures."""
    return min(width, MOST_RATIO * height), min(height, MOST_RATIO * width)
