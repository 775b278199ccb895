"""The rig as a table: sliders, landmark groups, and an average face, read from rig.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ...core.errors import FacetError

PATH = Path(__file__).with_name("rig.json")
LANDMARKS = 478
"""How many landmarks a face has: MediaPipe's mesh and irises."""


@dataclass(frozen=True)
class Group:
    """Landmarks that move together, each by its weight (0..1)."""

    points: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Move:
    """How far a slider at 1 moves a group: u and v in outer-eye distances, right and down.

    With ``towards``, instead: ``share`` of the way to the same places of that group.
    """

    group: str
    u: float = 0.0
    v: float = 0.0
    towards: str = ""
    share: float = 0.0


@dataclass(frozen=True)
class Slider:
    """One thing that a face can do; 0 is nothing and 1 the full natural expression.

    ``does`` says it in a line. low and high: what a person may ask for; degrees in the region
    "head". blendshapes: the weights of MediaPipe's blendshapes whose sum measures it.
    """

    name: str
    region: str
    low: float
    high: float
    does: str
    moves: tuple[Move, ...]
    blendshapes: MappingProxyType[str, float]

    def within(self, amount: float) -> float:
        """``amount`` within what a person may ask for."""
        return min(self.high, max(self.low, amount))


@dataclass(frozen=True)
class HandPlaced:
    """A landmark that a person can place where no detector finds a face."""

    name: str
    point: int


@dataclass(frozen=True)
class RowBetween:
    """Landmarks between the upper lid and the brow, and their neighbours in both."""

    points: tuple[int, ...]
    lid: tuple[int, ...]
    brow: tuple[int, ...]


def _group(row: dict[str, Any]) -> Group:
    points = tuple(row["points"])
    weights = tuple(row.get("weights", [1.0] * len(points)))
    if len(points) != len(weights) or len(set(points)) != len(points):
        raise FacetError(f"rig.json: the group of landmarks {points} has {len(weights)} weights.")
    return Group(points, weights)


def _slider(row: dict[str, Any]) -> Slider:
    moves = tuple(Move(**move) for move in row["moves"])
    return Slider(
        row["name"],
        row["region"],
        float(row["low"]),
        float(row["high"]),
        row["does"],
        moves,
        MappingProxyType(dict(row["blendshapes"])),
    )


def _along(through: Sequence[Sequence[float]], count: int) -> np.ndarray:
    """``count`` places (count, 3), evenly on the line or parabola ``through`` two or three."""
    t = np.linspace(0, 1, count)[:, None]
    nodes = np.asarray(through, dtype=np.float64)
    if len(nodes) == 2:
        return nodes[0] * (1 - t) + nodes[1] * t
    first, middle, last = nodes
    return first * (2 * t - 1) * (t - 1) + middle * 4 * t * (1 - t) + last * t * (2 * t - 1)


def _template(rows: list[dict[str, Any]]) -> np.ndarray:
    """The average face (478, 3), nan where it has no landmark."""
    places = np.full((LANDMARKS, 3), np.nan)
    for row in rows:
        curve = _along(row["through"], len(row["points"]))
        places[row["mirrored"]] = curve * (-1, 1, 1)
        places[row["points"]] = curve
    return places


EYES = (
    (33, "upper_lid_r", "lower_lid_r", 133, "iris_r"),
    (362, "upper_lid_l", "lower_lid_l", 263, "iris_l"),
)
"""The corner on the picture's left, lids, the corner on its right, and the iris."""

_RIG: dict[str, Any] = json.loads(PATH.read_text("utf-8"))

GROUPS: MappingProxyType[str, Group] = MappingProxyType(
    {name: _group(row) for name, row in _RIG["groups"].items()}
)
SLIDERS: tuple[Slider, ...] = tuple(_slider(row) for row in _RIG["sliders"])
BY_NAME: MappingProxyType[str, Slider] = MappingProxyType({one.name: one for one in SLIDERS})
BETWEEN: tuple[RowBetween, ...] = tuple(
    RowBetween(**{name: tuple(points) for name, points in row.items()}) for row in _RIG["between"]
)
ANCHORS: tuple[int, ...] = tuple(_RIG["anchors"])
OUTLINE: tuple[int, ...] = tuple(_RIG["outline"])
"""Landmarks around the face, in their order."""
TEMPLATE = _template(_RIG["template"])
"""An average face seen straight on: (478, 3) u, v and depth in outer-eye distances around the
middle between the eyes, nan where the rig needs no landmark."""
HAND_PLACED: tuple[HandPlaced, ...] = tuple(HandPlaced(**row) for row in _RIG["hand_placed"])

CONTROLS: tuple[int, ...] = tuple(
    sorted({*ANCHORS, *OUTLINE, *(point for group in GROUPS.values() for point in group.points)})
)
"""The landmarks that the rig moves or holds; the rest of the face follows them."""
