"""A face from landmarks that a person placed, for drawings in which no detector finds one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from ...core.errors import FacetError
from ...vision.faces import OUTER_EYES, Face
from .rig import frame_of
from .table import HAND_PLACED, LANDMARKS, TEMPLATE
from .warp import spline

EYES = ((33, 159, 133, 145), (263, 386, 362, 374))
"""Outer corner, top, inner corner and bottom of each eye."""
BELOW = 0.85
"""How far the bottom of an eye is below the line of its corners, as a share of the top's height."""
NOSE, CHIN, MIDDLE = 1, 152, 168


def parse_points(text: str) -> np.ndarray | None:
    """The points (12, 2) as shares of a picture's width and height; None for no text.

    Raises FacetError when ``text`` is no JSON list of so many pairs of numbers in the picture.
    """
    if not text.strip():
        return None
    try:
        points = np.array(json.loads(text), dtype=np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        points = np.zeros(0)
    if points.shape != (len(HAND_PLACED), 2):
        raise FacetError(
            f"The points are no list of {len(HAND_PLACED)} pairs of numbers; place them again in "
            "the node, or empty them."
        )
    if not ((points >= 0) & (points <= 1)).all():
        raise FacetError(
            "A point lies outside of the image; give each as shares of its width and height, "
            "from 0 to 1."
        )
    return points


def hand_placed(text: str, width: int, height: int) -> Face | None:
    """The face that the points of ``text`` make in a picture of that size; None for no text.

    Raises FacetError when they make none.
    """
    points = parse_points(text)
    if points is None:
        return None
    return face_from_points(points * (width, height))


def face_from_points(points: np.ndarray) -> Face:
    """The face whose landmarks of ``HAND_PLACED`` are at ``points`` (12, 2) in px.

    Raises FacetError with a sentence when the points are no face.
    """
    return fitted({one.point: point for one, point in zip(HAND_PLACED, points, strict=True)})


def fitted(given: Mapping[int, Sequence[float] | np.ndarray]) -> Face:
    """The face with landmarks ``given`` by index as x, y in px, the others as an average face has
    them around those; landmarks that the rig does not need lie between the eyes.

    Raises FacetError with a sentence when both outer corners of the eyes, the tip of the nose and
    the chin are not among them, or are not where a face has them.
    """
    known = {index: np.asarray(place, dtype=np.float64) for index, place in given.items()}
    for index in (*OUTER_EYES, NOSE, CHIN):
        if index not in known:
            raise FacetError(f"Landmark {index} of the face is missing; place it as well.")
    for outer, top, inner, bottom in EYES:
        if {outer, top, inner} <= known.keys() and bottom not in known:
            middle = (known[outer] + known[inner]) / 2
            known[bottom] = middle - BELOW * (known[top] - middle)
    landmarks = np.zeros((LANDMARKS, 2))
    landmarks[list(known)] = list(known.values())
    frame = frame_of(landmarks)
    nose, chin = frame.inside(landmarks[[NOSE, CHIN]])
    if chin[1] < 0.2:
        raise FacetError(
            "The face is upside down; right and left are the person's own, so that the right "
            "eye of a face that looks at you is on the image's left."
        )
    template = TEMPLATE[:, :2]
    indices = [index for index in known if not np.isnan(template[index, 0])]
    start, goal = template[indices], frame.inside(landmarks[indices])
    drawn = ~np.isnan(template[:, 0])
    placed = np.zeros((LANDMARKS, 2))
    placed[drawn] = template[drawn] + spline(start, goal - start, template[drawn], smoothing=1e-6)
    placed[~drawn] = placed[MIDDLE]
    placed[list(known)] = frame.inside(landmarks[list(known)])
    landmarks = frame.origin + frame.vectors(placed)
    low, high = landmarks.min(0), landmarks.max(0)
    return Face(
        landmarks=landmarks.astype(np.float32),
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        yaw=math.degrees(math.atan2(float(nose[0]), float(TEMPLATE[NOSE, 2]))),
        pitch=0.0,
        roll=math.degrees(math.atan2(float(frame.right[1]), float(frame.right[0]))),
        eye_distance=frame.width,
        presence=1.0,
        blendshapes={},
    )
