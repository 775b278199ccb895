"""Twelve points that a person placed in the page, as the face that they stand for."""

from __future__ import annotations

import json

import numpy as np

from ...engine.core.errors import FacetError
from ...engine.generate.expression.hand_placed import face_from_points
from ...engine.generate.expression.table import HAND_PLACED
from ...engine.vision.faces import Face


def parse_points(text: str) -> np.ndarray | None:
    """The points (12, 2) as shares of a picture's width and height; None for no text.

    Raises FacetError when ``text`` is no JSON list of so many pairs of numbers in the picture.
    """
    if not text.strip():
        return None
    try:
        points = np.array(json.loads(text), dtype=np.float64)
    except (ValueError, TypeError, RecursionError):
        points = np.zeros(0)
    if points.shape != (len(HAND_PLACED), 2):
        raise FacetError(
            f"The points are no list of {len(HAND_PLACED)} pairs of numbers; place them again in "
            "the node, or empty them."
        )
    if not ((points >= 0) & (points <= 1)).all():
        raise FacetError(
            "A point lies outside of the picture; give each as shares of its width and height, "
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
    return face_from_points((points * (width, height)).tolist())
