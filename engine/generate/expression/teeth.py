"""Teeth that show: a warp that opens the mouth further stretches them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ...vision.faces import Face
from .rig import displaced, frame_of

JAW = "jaw_open"
UPPER, LOWER = (81, 82, 13, 312, 311), (178, 87, 14, 317, 402)
UPPER_EDGE, LOWER_EDGE = (39, 37, 0, 267, 269), (181, 84, 17, 314, 405)
"""The inner edges of the lips around their middle, and the outer ones."""
APART, BRIGHT = 0.03, 0.7
"""Lips show teeth where they are further apart than that, in outer-eye distances, and what is
between them is not darker than that share of their own luminance. On 36 photographed mouths teeth
have 0.8 and more, a dark opening has 0.57."""
WITHIN, BRIGHTEST = (0.2, 0.35, 0.5, 0.65, 0.8), 80
MOST_GROWTH = 4 / 3
"""How much larger the gap between the lips may become."""
LUMINANCE = (0.299, 0.587, 0.114)


def held_jaw(image: torch.Tensor, face: Face, sliders: Mapping[str, float]) -> float | None:
    """What jaw_open of ``sliders`` is held at in ``image`` (H, W, 3); None where it is not."""
    asked = sliders.get(JAW, 0.0)
    if asked <= 0 or not shows_teeth(image, face):
        return None
    landmarks = torch.from_numpy(face.landmarks)
    frame = frame_of(face.landmarks.astype(np.float64), face.yaw)

    def gap(jaw: float) -> float:
        moved = displaced(landmarks, {**sliders, JAW: jaw}, face.yaw)
        return _gap(frame.inside(moved.numpy()))

    shut = gap(0.0)
    most = MOST_GROWTH * _gap(frame.inside(face.landmarks))
    held = asked * max(0.0, most - shut) / (gap(asked) - shut)
    return held if held < asked else None


def shows_teeth(image: torch.Tensor, face: Face) -> bool:
    """Whether there are teeth between the lips of ``face`` in ``image`` (H, W, 3)."""
    places = face.landmarks
    frame = frame_of(places.astype(np.float64), face.yaw)
    if _gap(frame.inside(places)) < APART:
        return False
    upper, lower = places[list(UPPER)], places[list(LOWER)]
    between = np.concatenate([upper + share * (lower - upper) for share in WITHIN])
    edges = places[list(UPPER_EDGE)], places[list(LOWER_EDGE)]
    lips = np.concatenate([(upper + edges[0]) / 2, (lower + edges[1]) / 2])
    inside = np.percentile(_luminance(image, between), BRIGHTEST)
    return bool(inside >= BRIGHT * np.median(_luminance(image, lips)))


def _gap(places: np.ndarray) -> float:
    """The mean height between the lips of a face at ``places`` (478, 2) u, v."""
    return float((places[list(LOWER), 1] - places[list(UPPER), 1]).mean())


def _luminance(image: torch.Tensor, points: np.ndarray) -> np.ndarray:
    """Of ``image`` at ``points`` (N, 2) px, those outside at its border."""
    last = torch.tensor([image.shape[1], image.shape[0]]) - 1
    x, y = torch.from_numpy(points).long().clamp_min(0).minimum(last).T
    return (image[y, x].float().cpu() @ torch.tensor(LUMINANCE)).numpy()
