"""Ground truth of a drawn face: 478 landmarks, blendshapes and the head's transformation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from . import face_mesh as mesh
from .canvas import Point
from .head import NOSE_Y, Head

BLENDSHAPES = (
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
)
"""ARKit's names in the order core's face nodes use."""

_STRENGTHS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {
        "mouthSmile": 0.85,
        "jawOpen": 0.4,
        "cheekSquint": 0.4,
        "mouthUpperUp": 0.4,
        "mouthLowerDown": 0.4,
    },
    "sad": {"mouthFrown": 0.75, "browInnerUp": 0.75, "eyeSquint": 0.3},
    "angry": {
        "browDown": 0.85,
        "mouthStretch": 0.5,
        "eyeSquint": 0.5,
        "noseSneer": 0.4,
        "mouthUpperUp": 0.3,
        "mouthLowerDown": 0.3,
    },
    "surprised": {
        "jawOpen": 0.75,
        "browInnerUp": 0.8,
        "browOuterUp": 0.8,
        "eyeWide": 0.8,
        "mouthFunnel": 0.4,
    },
}


def blendshapes_of(expression: str) -> dict[str, float]:
    """All 52 coefficients (0..1) of an expression."""
    set_here = _STRENGTHS[expression]
    return {
        name: set_here.get(name, set_here.get(name.removesuffix("Left").removesuffix("Right"), 0.0))
        for name in BLENDSHAPES
    }


@dataclass(frozen=True)
class Face:
    """One face's ground truth.

    `landmarks_xy` (478, 2) float32 pixels; `landmarks_3d` (478, 3) float32 in pixels, z growing
    away from the camera; `blendshapes` 52 values 0..1; `transformation_matrix` (4, 4) of the head
    (y up, z towards the camera); `bbox` x0, y0, x1, y1 in pixels.
    """

    landmarks_xy: np.ndarray
    landmarks_3d: np.ndarray
    blendshapes: dict[str, float] = field(repr=False)
    transformation_matrix: np.ndarray
    bbox: np.ndarray


class _Placement:
    """Collects points in head radii: x, y and depth towards the camera."""

    def __init__(self, head: Head):
        self.head = head
        self.points = np.zeros((mesh.COUNT, 3), np.float32)

    def put(self, index: int, xy: Point, depth: float) -> None:
        self.points[index] = (*xy, depth)

    def rigid(self) -> None:
        tall = self.head.identity.face_height
        for index, (azimuth, y) in mesh.rigid_points().items():
            x, _, depth = self.head.on_surface(math.radians(azimuth), y, 0.95)
            self.put(index, (x, y * tall), depth)

    def eyes(self) -> None:
        head = self.head
        for sign, ring, iris in (
            (-1, mesh.RIGHT_EYE, mesh.RIGHT_IRIS),
            (1, mesh.LEFT_EYE, mesh.LEFT_IRIS),
        ):
            x, y, width = head.eye(sign)
            _, _, depth = head.on_surface(sign * head.identity.eye_spacing, y)
            half, tall = head.eye_half_width * max(width, 0.42), head.eye_half_height
            for i, index in enumerate(ring):
                turn = 2 * math.pi * i / len(ring)
                at = x + sign * half * math.cos(turn), y + tall * math.sin(turn)
                self.put(index, at, depth - sign * math.cos(turn) * half * head.side)
            cx, cy = x + 0.035 * head.side, y + 0.01
            rx, ry = half * 0.76, min(tall, 0.25 * head.identity.eye_size) * 0.84
            around = ((0, 0), (rx, 0), (0, -ry), (-rx, 0), (0, ry))
            for index, (dx, dy) in zip(iris, around):
                self.put(index, (cx + dx, cy + dy), depth)

    def brows(self) -> None:
        head = self.head
        for sign, edges in ((-1, mesh.RIGHT_BROW), (1, mesh.LEFT_BROW)):
            inner, middle, outer = head.brow(sign)
            x, _, depth = head.on_surface(sign * head.identity.eye_spacing, 0.0)
            for edge, lift in zip(edges, (0.5, -0.5)):
                dy = lift * head.identity.brow_thickness
                for i, index in enumerate(edge):
                    t = i / 4
                    a, b, local = (outer, middle, 2 * t) if t < 0.5 else (middle, inner, 2 * t - 1)
                    at = a[0] + (b[0] - a[0]) * local, a[1] + (b[1] - a[1]) * local + dy
                    self.put(index, at, depth - (at[0] - x) * head.side)

    def mouth(self) -> None:
        head = self.head
        centre = 0.85 * head.identity.face_width * head.facing
        for ring, indices in mesh.LIPS.items():
            for i, (index, at) in enumerate(zip(indices, head.mouth_points(ring, len(indices)))):
                across = (i / (len(indices) - 1) * 2 - 1) * head.expression.mouth.half_width
                self.put(index, at, centre - across * head.side)

    def nose(self) -> None:
        head = self.head
        wide = head.identity.face_width
        for i, index in enumerate(mesh.NOSE_LINE):
            t = i / (len(mesh.NOSE_LINE) - 1)
            y = -0.02 + t * (NOSE_Y + 0.1)
            out = 0.88 + 0.16 * math.sin(math.pi * min(1.0, t / 0.72) / 2) - 0.1 * max(0, t - 0.72)
            self.put(index, (wide * out * head.side, y), wide * out * head.facing)
        for index, (sign, dy) in mesh.NOSE_WINGS.items():
            x, _, depth = head.on_surface(sign * 0.13, NOSE_Y, 0.93)
            self.put(index, (x, NOSE_Y + 0.04 + dy), depth)


def face_of(
    head: Head, expression: str, to_pixels: Callable[[list[Point]], list[Point]], scale: float
) -> Face:
    """The ground truth of a drawn face; `scale` is in pixels per head radius."""
    placed = _Placement(head)
    for place in (placed.rigid, placed.eyes, placed.brows, placed.mouth, placed.nose):
        place()
    xy = np.array(to_pixels([(float(x), float(y)) for x, y, _ in placed.points]), np.float32)
    depth = -placed.points[:, 2:3] * scale
    matrix = np.eye(4, dtype=np.float32)
    s, c = head.side, head.facing
    matrix[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    return Face(
        landmarks_xy=xy,
        landmarks_3d=np.concatenate([xy, depth], 1).astype(np.float32),
        blendshapes=blendshapes_of(expression),
        transformation_matrix=matrix,
        bbox=np.array([*xy.min(0), *xy.max(0)], np.float32),
    )
