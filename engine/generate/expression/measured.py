"""Sliders from what a detector measures: copied, taken away, and searched for."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...core.errors import FacetError
from ...vision.faces import Face, find_faces
from .resting import above_rest
from .rig import checked, displaced, held, with_rows
from .table import BY_NAME, SLIDERS
from .warp import Warped, warp

TOLERANCE = 0.08
TRIES = 6
LEAST_GAIN, MOST_GAIN, LEAST_STEP = 0.3, 2.0, 0.02
HEARD, DEAF = 0.4, 0.1
"""A detector that shows less than the first share of what was asked of a slider does not hear it:
its amount stays, and nothing is said of it. One that it hears goes back there when it shows less
than the second share of a further step. MediaPipe's network shows half of smile, pucker and raised
inner brows, 0.1 to 0.3 of blinks, gaze, stretch and press, and next to nothing of the others."""
MOST, MOST_TIMES = 1.2, 1.5
"""No amount becomes more than that, or than so many times what was asked for; none turns round."""
GAZE = ("gaze_x", "gaze_y")
MEASURED = tuple(slider.name for slider in SLIDERS if slider.blendshapes)
"""The sliders that blendshapes measure."""


def sliders_from_blendshapes(blendshapes: Mapping[str, float]) -> dict[str, float]:
    """The sliders of the expression with ``blendshapes`` (0 at rest to 1, MediaPipe's names).

    What no blendshape measures is 0, and a blendshape that is missing counts as 0. Raises
    FacetError for one that is not a number.
    """
    for name, value in blendshapes.items():
        if not math.isfinite(value):
            raise FacetError(f"The blendshape {name} is {value!r}, which is not a number.")
    amounts = {}
    for slider in SLIDERS:
        shown = sum(
            weight * blendshapes.get(name, 0.0) for name, weight in slider.blendshapes.items()
        )
        amounts[slider.name] = slider.within(float(shown))
    return amounts


def faces_in(face_model: Any, image: torch.Tensor) -> list[Face]:
    """The faces in ``image`` (H, W, 3), largest first, with blendshapes that are 0 at rest."""
    return [
        replace(with_rows(face), blendshapes=above_rest(face_model, face.blendshapes))
        for face in find_faces(face_model, image)
    ]


def neutralised(sliders: Mapping[str, float], face: Face) -> dict[str, float]:
    """``sliders`` less what ``face`` shows already, so that they say the whole expression.

    Where the face looks is no part of it: the eyes would leave the viewer.
    """
    shown = sliders_from_blendshapes(face.blendshapes)
    amounts = {name: -shown[name] for name in MEASURED if name not in GAZE}
    for name, value in checked(sliders).items():
        amounts[name] = held(BY_NAME[name], amounts.get(name, 0.0) + value)
    return amounts


@dataclass(frozen=True, eq=False)
class Calibrated:
    """What a search for amounts has found.

    sliders: the amounts to give the rig. remainder: by slider that the detector hears, what it
    still misses where that is more than ``TOLERANCE``. tries: how many pictures were looked at.
    heard: whether the detector hears any of the sliders.
    """

    sliders: dict[str, float]
    warped: Warped
    targets: torch.Tensor
    remainder: dict[str, float]
    tries: int
    heard: bool = True


def calibrated(
    image: torch.Tensor,
    face_model: Any,
    sliders: Mapping[str, float],
    face: Face,
    fixed: Collection[str] = (),
) -> Calibrated:
    """The amounts near ``sliders`` with which ``face_model`` sees them on ``face`` in ``image``.

    Its readings are to change by the amounts; those that it does not hear, and ``fixed`` ones, stay
    as they are. The tries are measured one by one and the best is kept; where the detector loses
    the face, a single warp remains.
    """
    landmarks = torch.from_numpy(face.landmarks)
    first = checked(sliders)
    before = nearest(find_faces(face_model, image), face)
    shown = sliders_from_blendshapes({} if before is None else before.blendshapes)
    wanted = {
        name: BY_NAME[name].within(shown[name] + first.get(name, 0.0))
        for name in MEASURED
        if first.get(name) and name not in fixed
    }
    best: Calibrated | None = None
    least = math.inf
    # What a slider has shown at what amount, so that the next step knows how much it does.
    seen = {name: (0.0, shown[name]) for name in wanted}
    amounts = dict(first)
    for number in range(1, TRIES + 1):
        targets = displaced(landmarks, amounts, face.yaw)
        warped = warp(image, landmarks, targets, face.yaw)
        again = None if before is None else nearest(find_faces(face_model, warped.image), face)
        if again is None:
            if best is None:
                missed = {name: value - shown[name] for name, value in wanted.items()}
                best = Calibrated(amounts, warped, targets, missed, number)
            break
        found = sliders_from_blendshapes(again.blendshapes)
        if number == 1:
            gains = {name: (found[name] - shown[name]) / first[name] for name in wanted}
            wanted = {name: wanted[name] for name in _heard(gains)}
        missing = {name: value - found[name] for name, value in wanted.items()}
        total = sum(max(0.0, abs(value) - TOLERANCE) for value in missing.values())
        if total < least:
            least = total
            left = {name: value for name, value in missing.items() if abs(value) > TOLERANCE}
            best = Calibrated(dict(amounts), warped, targets, left, number, bool(wanted))
        if total == 0:
            break
        for name, value in missing.items():
            gain = 1.0
            if abs(amounts[name] - seen[name][0]) > LEAST_STEP:
                gain = (found[name] - seen[name][1]) / (amounts[name] - seen[name][0])
                seen[name] = amounts[name], found[name]
            amounts[name] = _next(name, first[name], amounts[name], value, gain)
    assert best is not None
    return best


def _heard(gains: Mapping[str, float]) -> list[str]:
    """The sliders that are heard; of two sides, both or none."""
    sides: dict[str, list[float]] = {}
    for name, gain in gains.items():
        sides.setdefault(re.sub("_[rl]$", "", name), []).append(gain)
    return [name for name in gains if np.mean(sides[re.sub("_[rl]$", "", name)]) >= HEARD]


def _next(name: str, first: float, amount: float, missing: float, gain: float) -> float:
    """What to try of a slider that was asked for as ``first``: ``missing`` is not seen at
    ``amount``, and ``gain`` of the last step is."""
    if gain <= DEAF:
        return first
    if abs(missing) <= TOLERANCE / 2:
        return amount
    moved = amount + missing / min(MOST_GAIN, max(LEAST_GAIN, gain))
    most = math.copysign(min(MOST, MOST_TIMES * abs(first)), first)
    return held(BY_NAME[name], min(max(0.0, most), max(min(0.0, most), moved)))


def nearest(faces: list[Face], face: Face) -> Face | None:
    """The one of ``faces`` that stands where ``face`` does, or None when none does."""

    def away(other: Face) -> float:
        return float(np.linalg.norm(np.subtract(_middle(other), _middle(face))))

    close = [other for other in faces if away(other) < face.eye_distance]
    return min(close, key=away, default=None)


def _middle(face: Face) -> tuple[float, float]:
    return (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
