"""What a person did by hand to a face in the node: sliders moved and points placed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ...core.errors import FacetError
from .hand_placed import parse_points
from .rig import checked
from .table import SLIDERS


@dataclass(frozen=True)
class Edits:
    """sliders: what is added to each. points: the twelve placed by hand, as JSON; '' for none."""

    sliders: dict[str, float] = field(default_factory=dict)
    points: str = ""


def parse_edits(text: str) -> Edits:
    """The edits in ``text``, JSON such as ``{"sliders": {"smile_l": 0.5}, "points": []}``.

    Raises FacetError when it is something else, a slider is none of the rig's or out of its range,
    or the points make no face.
    """
    if not text.strip():
        return Edits()
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    sliders = told.get("sliders", {}) if isinstance(told, dict) else None
    if not isinstance(sliders, dict):
        raise FacetError(
            'face_edits is not a JSON object such as {"sliders": {"smile_l": 0.5}}; empty it, or '
            "move the sliders in the node."
        )
    amounts = checked(sliders)
    for slider in SLIDERS:
        most = slider.high - slider.low
        if abs(amounts.get(slider.name, 0.0)) > most:
            raise FacetError(
                f"The slider {slider.name} is {amounts[slider.name]:g}; give a number from "
                f"{-most:g} to {most:g}."
            )
    placed = told.get("points") or []
    points = json.dumps(placed, separators=(",", ":")) if placed else ""
    parse_points(points)
    return Edits(amounts, points)
