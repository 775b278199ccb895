"""Presets: settings for a wish, fast or best, and for a graphics card, which give way to yours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .settings import TrainingSettings

Values = dict[str, Any]
"""Values of ``TrainingSettings`` by their names."""

CUSTOM, FAST, BALANCED, BEST = QUALITIES = ("custom", "fast", "balanced", "best")
AS_IT_IS = "as it is"
MEMORIES = (AS_IT_IS, "8 GB", "12 GB", "16 GB", "24 GB")

_QUALITY: dict[str, Values] = {
    CUSTOM: {},
    FAST: {"repeats": 1, "epochs": 50, "resolutions": "512"},
    BALANCED: {"resolutions": "512, 768", "sample_every": 250},
    BEST: {"repeats": 1, "epochs": 150, "resolutions": "512, 768, 1024", "sample_every": 250},
}

# The largest side to train at, and what else a card of this size asks for. Weights that do not
# fit beside the activations are streamed by ComfyUI itself.
_MEMORY: dict[str, tuple[int, Values]] = {
    AS_IT_IS: (0, {}),
    "8 GB": (512, {"base": "fp8", "cache": "disk", "micro_batch": 1}),
    "12 GB": (768, {"base": "fp8", "micro_batch": 1}),
    "16 GB": (1024, {"base": "fp8", "micro_batch": 1}),
    "24 GB": (1024, {}),
}


def preset(quality: str, memory: str) -> Values:
    """What the two presets set; a small card lowers the resolutions of either."""
    values = dict(_QUALITY[quality])
    largest, more = _MEMORY[memory]
    if memory == AS_IT_IS:
        return values
    values |= more | {"gradient_checkpointing": True, "vram": float(memory.removesuffix(" GB"))}
    wanted = values.get("resolutions", "")
    fitting = [side for side in TrainingSettings(resolutions=wanted).sides() if side <= largest]
    if wanted:
        values["resolutions"] = ", ".join(str(side) for side in fitting or [largest])
    else:
        values["resolution"] = largest
    return values


def stated(values: Mapping[str, Any]) -> Values:
    """The values that are not what they are by default."""
    usual = TrainingSettings().record()
    return {name: value for name, value in values.items() if value != usual[name]}


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Values:
    """Both; where both say something ``over`` wins, and a default says nothing.

    A resolution takes the place of several, and several that of one.
    """
    wins = stated(over)
    kept = dict(under)
    if {"resolution", "resolutions"} & wins.keys():
        for name in ("resolution", "resolutions"):
            kept.pop(name, None)
    if "steps" in wins or {"repeats", "epochs"} <= wins.keys():
        for name in ("steps", "repeats", "epochs"):
            kept.pop(name, None)
    return {**over, **kept, **wins}
