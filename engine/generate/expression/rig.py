"""Where each landmark of a face goes when its sliders move."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...core.errors import FacetError
from ...vision.faces import OUTER_EYES, Face
from .table import BETWEEN, BY_NAME, CONTROLS, EYES, GROUPS, LANDMARKS, TEMPLATE, Slider

LIMIT = 1.5
"""Sliders of one unit stay within this: neutralising and calibrating may ask for more than 1."""
MOST_TURN = 8.0
"""Degrees of a head's turn that a warp can show; beyond it, one has to see the other side."""
STEEPEST = 60.0
PIVOT = 0.35
"""The head turns about this height below the eyes, in outer-eye distances."""
UP_TO_THE_BROW, ASTRAY = 0.65, 0.12
"""How far from the upper lid to the brow the rows between them are, on 74 photographed faces 0.57
to 0.81; in outer-eye distances, how far off the landmarks of another detector may be."""


def checked(sliders: Mapping[str, float]) -> dict[str, float]:
    """``sliders`` as numbers. FacetError for one that there is not, or that is no finite number."""
    amounts: dict[str, float] = {}
    for name, value in sliders.items():
        if name not in BY_NAME:
            raise FacetError(f"There is no slider {name!r}; take one of {', '.join(BY_NAME)}.")
        try:
            amounts[name] = float(value)
        except (TypeError, ValueError, OverflowError):
            amounts[name] = math.nan
        if not math.isfinite(amounts[name]):
            raise FacetError(f"The slider {name} is {value!r}; give it a number, 0 for rest.")
    return amounts


def held(slider: Slider, amount: float) -> float:
    """``amount`` within what the rig can do with ``slider``."""
    most = MOST_TURN if slider.region == "head" else LIMIT
    return min(most, max(-most, amount))


@dataclass(frozen=True, eq=False)
class Frame:
    """A face's own frame: the middle between the eyes, u along them, v down.

    right, down: unit vectors (2,) in the picture. width, height: px that one unit of u and of v
    measures, unlike where the head is turned.
    """

    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray
    width: float
    height: float

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) px as (N, 2) u, v."""
        away = points - self.origin
        return np.stack([away @ self.right / self.width, away @ self.down / self.height], axis=-1)

    def vectors(self, moves: np.ndarray) -> np.ndarray:
        """Moves (N, 2) in u, v as (N, 2) px."""
        return moves[:, :1] * self.width * self.right + moves[:, 1:] * self.height * self.down


def frame_of(landmarks: np.ndarray, yaw: float = 0.0) -> Frame:
    """The frame of a face with ``landmarks`` (478, 2) px, turned by ``yaw`` degrees.

    Raises FacetError when the landmarks are not those of a face.
    """
    if landmarks.shape != (LANDMARKS, 2):
        raise FacetError(f"A face has {LANDMARKS} landmarks, not {tuple(landmarks.shape)}.")
    if not np.isfinite(landmarks).all():
        raise FacetError("Landmarks of the face are not numbers; detect or place them again.")
    first, second = landmarks[OUTER_EYES[0]], landmarks[OUTER_EYES[1]]
    distance = float(np.linalg.norm(second - first))
    if distance < 1:
        raise FacetError(
            "The outer corners of the eyes are less than a pixel apart; detect or place the "
            "landmarks again."
        )
    right = (second - first) / distance
    facing = math.cos(math.radians(min(STEEPEST, abs(yaw))))
    down = np.array([-right[1], right[0]])
    return Frame((first + second) / 2, right, down, distance, distance / facing)


def with_rows(face: Face) -> Face:
    """``face`` with a row of landmarks between each upper lid and its brow.

    A detector that only knows the lines of a face has those landmarks anywhere.
    """
    landmarks = face.landmarks.astype(np.float64)
    frame = frame_of(landmarks, face.yaw)
    astray = False
    for row in BETWEEN:
        lid, brow = landmarks[list(row.lid)], landmarks[list(row.brow)]
        there = lid + UP_TO_THE_BROW * (brow - lid)
        away = frame.inside(landmarks[list(row.points)]) - frame.inside(there)
        if np.linalg.norm(away, axis=1).max() > ASTRAY:
            landmarks[list(row.points)] = there
            astray = True
    return replace(face, landmarks=landmarks.astype(np.float32)) if astray else face


def displaced(
    landmarks: torch.Tensor, sliders: Mapping[str, float], yaw: float = 0.0
) -> torch.Tensor:
    """Where ``landmarks`` (478, 2) px go: (478, 2) px, the same ones when every slider is 0.

    yaw: of the head as it is, in degrees, as in ``Face``. Raises FacetError for sliders that there
    are not, that are not numbers, and for landmarks that are not those of a face.
    """
    amounts = {
        name: held(BY_NAME[name], value) for name, value in checked(sliders).items() if value
    }
    before = landmarks.detach().to("cpu", torch.float64).numpy()
    frame = frame_of(before, yaw)
    if not amounts:
        return landmarks.clone()
    start = frame.inside(before)
    places = start + _plain(amounts)
    _lids(start, places, amounts)
    _irises(start, places)
    places = _turned(places, amounts, yaw)
    moves = places - start
    _follow(start, moves)
    return torch.from_numpy(before + frame.vectors(moves)).to(landmarks)


def _plain(amounts: Mapping[str, float]) -> np.ndarray:
    """What the sliders' own moves come to: (478, 2) in u, v."""
    moves = np.zeros((LANDMARKS, 2))
    for name, amount in amounts.items():
        for move in BY_NAME[name].moves:
            group = GROUPS[move.group]
            away = np.array([move.u, move.v]) * amount
            moves[list(group.points)] += np.array(group.weights)[:, None] * away
    return moves


def _lids(start: np.ndarray, places: np.ndarray, amounts: Mapping[str, float]) -> None:
    """Moves groups towards others in ``places``, and keeps the lids from crossing."""
    shares: dict[tuple[str, str], float] = {}
    for name, amount in amounts.items():
        for move in BY_NAME[name].moves:
            if move.towards:
                pair = move.group, move.towards
                shares[pair] = shares.get(pair, 0.0) + move.share * amount
    apart = places.copy()
    for (group, towards), share in shares.items():
        points, goals = list(GROUPS[group].points), list(GROUPS[towards].points)
        places[points] += (apart[goals] - apart[points]) * share
    for _, upper, lower, _, _ in EYES:
        above, below = list(GROUPS[upper].points), list(GROUPS[lower].points)
        if (places[above + below] == start[above + below]).all():
            continue
        missing = np.maximum(0, places[above, 1] - places[below, 1])
        places[above, 1] -= missing / 2
        places[below, 1] += missing / 2


def _irises(start: np.ndarray, places: np.ndarray) -> None:
    """Keeps each iris in its eye: as high between the lids as it was, and off the corners.

    An upper lid that comes down does not push it: it comes over it.
    """
    for left, upper, lower, right, iris in EYES:
        points = list(GROUPS[iris].points)
        away = places[points] - start[points]
        low, high = start[left, 0], start[right, 0]
        margin = 0.25 * (high - low)
        centre = start[points[0], 0]
        across = away[0, 0]
        across = max(0.0, min(across, high - margin - centre)) if across > 0 else across
        across = min(0.0, max(across, low + margin - centre)) if across < 0 else across
        was = _lines(start, left, upper, lower, right, start[points, 0])
        lids = places.copy()
        above = list(GROUPS[upper].points)
        lids[above, 1] = np.minimum(places[above, 1], start[above, 1])
        now = _lines(lids, left, upper, lower, right, start[points, 0] + across)
        gap = np.maximum(was[1] - was[0], 1e-3)
        share = np.clip((start[points, 1] - was[0]) / gap, 0, 1)
        after = np.clip(share + away[:, 1] / gap, 0, 1)
        rise = now[0] + after * (now[1] - now[0]) - (was[0] + share * (was[1] - was[0]))
        places[points] = start[points] + np.stack([np.full(len(points), across), rise], axis=-1)


def _lines(
    places: np.ndarray, left: int, upper: str, lower: str, right: int, across: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How high the upper and the lower lid stand at ``across``."""

    def height(group: str) -> np.ndarray:
        line = places[[left, *GROUPS[group].points, right]]
        line = line[np.argsort(line[:, 0])]
        return np.interp(across, line[:, 0], line[:, 1])

    return height(upper), height(lower)


def _turned(places: np.ndarray, amounts: Mapping[str, float], yaw: float) -> np.ndarray:
    """``places`` with the head turned, by the depths of an average face."""
    turn, nod, lean = (
        math.radians(amounts.get(name, 0.0)) for name in ("head_yaw", "head_pitch", "head_roll")
    )
    if not (turn or nod or lean):
        return places
    seen = math.radians(min(STEEPEST, max(-STEEPEST, yaw)))
    facing = math.cos(seen)
    depth = np.nan_to_num(TEMPLATE[:, 2] * facing - TEMPLATE[:, 0] * math.sin(seen))
    x, y = places[:, 0] * facing, places[:, 1] - PIVOT
    x, depth = (
        x * math.cos(turn) + depth * math.sin(turn),
        depth * math.cos(turn) - x * math.sin(turn),
    )
    y = y * math.cos(nod) - depth * math.sin(nod)
    x, y = x * math.cos(lean) - y * math.sin(lean), x * math.sin(lean) + y * math.cos(lean)
    return np.stack([x / facing, y + PIVOT], axis=-1)


def _follow(start: np.ndarray, moves: np.ndarray) -> None:
    """Lets the landmarks that the rig does not know follow their neighbours."""
    known = list(CONTROLS)
    rest = np.setdiff1d(np.arange(LANDMARKS), known)
    away = np.square(start[rest, None] - start[None, known]).sum(-1)
    weights = 1 / np.square(away + 1e-4)
    moves[rest] = weights @ moves[known] / weights.sum(1, keepdims=True)
