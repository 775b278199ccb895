"""What a figure of a benchmark is held against."""

from __future__ import annotations

from typing import Any

Bar = dict[str, Any]


def bar(value: float | None, target: float, better: str = "higher", *, judged: bool = True) -> Bar:
    """A figure and its target. value: None for what was never reached.

    judged: whether what was measured is enough to say that the bar is met or missed; a quick run's
    few images and seconds are not enough for a mean, a share, or a ratio of times.
    """
    return {"value": value, "target": target, "better": better, "judged": judged}
