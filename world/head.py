"""The head's geometry: where the parts of a turned face lie, for drawing and for ground truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .canvas import Point
from .identity import Identity

EYE_Y = 0.14
MOUTH_Y = 0.63
NOSE_Y = 0.36


@dataclass(frozen=True)
class Mouth:
    """A mouth's shape for one expression, in head radii around the mouth's centre."""

    half_width: float
    corner: float
    upper: float
    lower: float
    gap_top: float
    gap_bottom: float


@dataclass(frozen=True)
class Expression:
    """How an expression moves the features; lengths in head radii, y down."""

    brow_inner: float
    brow_outer: float
    eye_open: float
    mouth: Mouth


EXPRESSION_SHAPES: dict[str, Expression] = {
    "neutral": Expression(0.0, 0.0, 1.0, Mouth(0.2, -0.015, 0.02, 0.075, 0.04, 0.04)),
    "smile": Expression(-0.03, 0.0, 0.94, Mouth(0.36, -0.1, -0.05, 0.24, -0.05, 0.21)),
    "sad": Expression(-0.13, 0.09, 0.8, Mouth(0.25, 0.14, -0.06, 0.03, 0.0, 0.0)),
    "angry": Expression(0.15, -0.1, 0.74, Mouth(0.28, 0.05, -0.09, 0.12, -0.05, 0.08)),
    "surprised": Expression(-0.15, -0.13, 1.22, Mouth(0.18, 0.05, -0.16, 0.28, -0.12, 0.24)),
}


@dataclass(frozen=True)
class Head:
    """A person's head turned by `yaw` radians (negative: nose to the picture's left)."""

    identity: Identity
    yaw: float
    expression: Expression

    @property
    def side(self) -> float:
        """Sine of the yaw: -1 in left profile, 1 in right profile."""
        return math.sin(self.yaw)

    @property
    def facing(self) -> float:
        """Cosine of the yaw: 1 from the front, -1 from behind."""
        return math.cos(self.yaw)

    @property
    def from_behind(self) -> bool:
        """Whether no face is to be seen."""
        return self.facing < -0.25

    @property
    def chin(self) -> float:
        """Height of the chin below the head's centre."""
        return self.identity.face_height * 1.02

    def on_surface(
        self, azimuth: float, y: float, radius: float = 0.95
    ) -> tuple[float, float, float]:
        """A point of the head at `azimuth` (0: nose, positive: person's left) as x, y, depth."""
        r = radius * self.identity.face_width
        return r * math.sin(azimuth + self.yaw), y, r * math.cos(azimuth + self.yaw)

    def outline(self, grow: float = 1.0) -> list[Point]:
        """The head's contour without ears and nose."""
        person = self.identity
        power = {"round": 2.1, "oval": 2.0, "square": 3.0, "heart": 1.65}[person.face_shape]
        points: list[Point] = []
        for i in range(48):
            turn = 2 * math.pi * i / 48
            c, s = math.cos(turn), math.sin(turn)
            if s <= 0:
                points.append((c * person.face_width * grow, s * person.face_height * grow))
                continue
            x = math.copysign(abs(c) ** (2 / power), c) * person.face_width
            y = s ** (2 / power) * self.chin
            points.append((self._jaw_x(x, y) * grow, y * grow))
        return points

    def _jaw_x(self, x: float, y: float) -> float:
        down = max(0.0, y / self.chin)
        behind = x * self.side < 0
        narrow = 1 - 0.42 * abs(self.side) * down if behind else 1.0
        return x * narrow + 0.13 * self.side * down

    def eye(self, sign: int) -> tuple[float, float, float]:
        """Centre x, y and width factor of the eye on the person's right (-1) or left (1).

        The factor is 0 when the eye is hidden.
        """
        x, y, depth = self.on_surface(sign * self.identity.eye_spacing, EYE_Y)
        visible = depth / (0.95 * self.identity.face_width)
        return x, y, 0.0 if visible < 0.12 else max(0.42, visible)

    @property
    def eye_half_width(self) -> float:
        """Half the width of an open eye seen straight on."""
        return 0.205 * self.identity.eye_size

    @property
    def eye_half_height(self) -> float:
        """Half the height of an eye with this expression."""
        return 0.25 * self.identity.eye_size * self.expression.eye_open

    def brow(self, sign: int) -> list[Point]:
        """The brow's inner, middle and outer point."""
        x, _, width = self.eye(sign)
        base, move = EYE_Y - 0.42, self.expression
        w = max(width, 0.42) * 0.25
        return [
            (x - sign * w, base + move.brow_inner),
            (x + sign * w * 0.15, base - 0.06 + (move.brow_inner + move.brow_outer) / 2),
            (x + sign * w, base + 0.02 + move.brow_outer),
        ]

    @property
    def middle(self) -> tuple[float, float]:
        """x of the face's middle line at the mouth, and the width factor there."""
        return 0.8 * self.identity.face_width * self.side, max(0.46, self.facing)

    @property
    def nose_tip(self) -> Point:
        """The nose's tip."""
        return self.identity.face_width * 0.98 * self.side + 0.12 * self.side, NOSE_Y

    def mouth_points(self, ring: str, count: int) -> list[Point]:
        """`count` points from the person's right corner over the edge to the left corner.

        `ring` is "upper" or "lower" (the lips' outer edges), "gap_top" or "gap_bottom" (the inner).
        """
        shape = self.expression.mouth
        x0, width = self.middle
        half = shape.half_width * self.identity.mouth_width * width
        if ring.startswith("gap"):
            half *= 0.9
        peak = getattr(shape, ring)
        points: list[Point] = []
        for i in range(count):
            u = -1 + 2 * i / (count - 1)
            bend = math.sqrt(max(0.0, 1 - u * u)) if ring in ("lower", "gap_bottom") else 1 - u * u
            points.append((x0 + u * half, MOUTH_Y + shape.corner + (peak - shape.corner) * bend))
        return points
