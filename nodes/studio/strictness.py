"""The inputs that say how strict a judge is, which two nodes have."""

from __future__ import annotations

from dataclasses import Field
from typing import Any

from comfy_api.latest import io

from ...engine.generate.shots.remedies import RetryRules


def threshold_input(threshold: Field[float], **more: Any) -> io.Input:
    """A field of `Thresholds` as an input; ``more`` goes to the input."""
    told = threshold.metadata
    return io.Float.Input(
        threshold.name,
        default=threshold.default,
        min=told["low"],
        max=told["high"],
        step=told["step"],
        tooltip=told["text"],
        **more,
    )


def tries_input(**more: Any) -> io.Input:
    """How often a shot is tried at most; ``more`` goes to the input."""
    return io.Int.Input(
        "tries",
        default=RetryRules().tries,
        min=1,
        max=10,
        tooltip="Maximum number of attempts at a shot; the best one is kept. 3 is recommended.",
        **more,
    )
