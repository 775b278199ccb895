"""Sliders from what a detector measures: copied, taken away, and searched for."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
DEAF, MOST_TIMES = 0.1, 2.0
"""A detector that shows less of a slider than this share does not see it: its amount is left as it
was asked for. No amount becomes more than so many times what was asked for."""
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

    sliders: the amounts to give the rig. remainder: by slider, what the detector still misses
    where that is more than ``TOLERANCE``. tries: how many pictures were looked at.
    """

    sliders: dict[str, float]
    warped: Warped
    targets: torch.Tensor
    remainder: dict[str, float]
    tries: int


def calibrated(
    image: torch.Tensor,
    face_model: Any,
    sliders: Mapping[str, float],
    face: Face,
    neutralise: bool = False,
) -> Calibrated:
    """The amounts at which ``face_model`` sees what ``sliders`` ask for on ``image`` (H, W, 3).

    They ask for as much more than ``face`` shows, or with ``neutralise`` for as much in all. Each
    picture is measured again, and the amounts moved by what it lacks, until every slider is within
    ``TOLERANCE`` or ``TRIES`` are used up; the nearest picture counts.
    """
    asked, shown = checked(sliders), sliders_from_blendshapes(face.blendshapes)
    amounts = neutralised(asked, face) if neutralise else dict(asked)
    wanted = {
        name: BY_NAME[name].within(asked.get(name, 0.0) + (0.0 if neutralise else shown[name]))
        for name in MEASURED
        if neutralise or asked.get(name)
    }
    landmarks = torch.from_numpy(face.landmarks)
    best: Calibrated | None = None
    least = math.inf
    # What a slider has shown at what amount, so that the next step knows how much it does.
    seen = {name: (0.0, shown[name]) for name in wanted}
    first = dict(amounts)
    for number in range(1, TRIES + 1):
        targets = displaced(landmarks, amounts, face.yaw)
        warped = warp(image, landmarks, targets, face.yaw)
        again = nearest(faces_in(face_model, warped.image), face)
        if again is None:
            if best is None:
                missed = {name: value for name, value in wanted.items() if value}
                best = Calibrated(amounts, warped, targets, missed, number)
            break
        found = sliders_from_blendshapes(again.blendshapes)
        missing = {name: wanted[name] - found[name] for name in wanted}
        total = sum(max(0.0, abs(value) - TOLERANCE) for value in missing.values())
        if total < least:
            least = total
            left = {name: value for name, value in missing.items() if abs(value) > TOLERANCE}
            best = Calibrated(dict(amounts), warped, targets, left, number)
        if total == 0:
            break
        for name, value in missing.items():
            amount = amounts.get(name, 0.0)
            before, was = seen[name]
            step = amount - before
            if abs(step) > LEAST_STEP:
                gain = (found[name] - was) / step
                seen[name] = amount, found[name]
            else:
                gain = 1.0
            if abs(value) > TOLERANCE / 2 and gain > DEAF:
                moved = amount + value / min(MOST_GAIN, max(LEAST_GAIN, gain))
                most = MOST_TIMES * max(abs(first.get(name, 0.0)), TOLERANCE)
                amounts[name] = held(BY_NAME[name], min(most, max(-most, moved)))
            elif gain <= DEAF:
                amounts[name] = first.get(name, 0.0)
    assert best is not None
    return best


def nearest(faces: list[Face], face: Face) -> Face | None:
    """The one of ``faces`` that stands where ``face`` does, or None when none does."""

    def away(other: Face) -> float:
        return float(np.linalg.norm(np.subtract(_middle(other), _middle(face))))

    close = [other for other in faces if away(other) < face.eye_distance]
    return min(close, key=away, default=None)


def _middle(face: Face) -> tuple[float, float]:
    return (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
