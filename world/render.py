"""Draws a person in a scene, with the ground truth that belongs to the picture."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Point
from .draw_body import Body
from .draw_face import draw_ear, draw_features, draw_head
from .draw_hair import COVERS_EARS, draw_accessory, draw_back_hair, draw_hair
from .draw_place import draw_place
from .head import EXPRESSION_SHAPES, Head
from .identity import Identity
from .landmarks import Face, face_of
from .scene import VIEWS, Scene

CAMERAS: dict[str, tuple[float, float]] = {
    "close_up": (3.25, 0.2),
    "medium": (4.6, 0.98),
    "full": (6.7, 1.68),
}
"""Framing to visible height and the height of the picture's middle, in head radii."""

KEYPOINTS = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
)
"""The order of OpenPose's 18 body keypoints."""


@dataclass(frozen=True)
class Picture:
    """A rendered picture with its ground truth.

    `image` (H, W, 3) uint8; `mask` (H, W) bool, the person; `face` None from behind; `keypoints`
    (18, 3) float32: x, y in pixels and 1 where the point is inside the picture and not hidden;
    `head_box` x0, y0, x1, y1 in pixels; `yaw` in degrees.
    """

    image: np.ndarray
    mask: np.ndarray
    face: Face | None
    keypoints: np.ndarray
    head_box: np.ndarray
    yaw: float


def _lit(image: np.ndarray, lighting: str, from_left: bool) -> np.ndarray:
    size = image.shape[1]
    ramp = np.linspace(0, 1, size, dtype=np.float32)[None, :, None]
    if not from_left:
        ramp = 1 - ramp
    colour = {
        "natural": (1.0, 1.0, 1.0),
        "warm": (1.06, 0.93, 0.74),
        "side": (1.06, 1.04, 1.02),
        "low": (0.55, 0.56, 0.66),
    }[lighting]
    out = image * np.array(colour, np.float32)
    if lighting == "side":
        fall = 1 / (1 + np.exp((ramp - 0.52) * 9))
        out *= 0.42 + 0.64 * fall
    return np.clip(out, 0, 255).astype(np.uint8)


def _keypoints(
    head: Head, body: Body, size: int, to_pixels: Callable[[list[Point]], list[Point]]
) -> np.ndarray:
    placed: dict[str, tuple[Point, bool]] = {k: (p, True) for k, p in body.joints().items()}
    seen = not head.from_behind
    placed["nose"] = head.nose_tip, seen
    for sign, name in ((-1, "right"), (1, "left")):
        x, y, width = head.eye(sign)
        placed[f"{name}_eye"] = (x, y), bool(width) and seen
        ear_x, ear_y, depth = head.on_surface(sign * math.pi / 2, 0.2, 1.0)
        covered = head.identity.hair_style in COVERS_EARS
        placed[f"{name}_ear"] = (ear_x, ear_y), depth > -0.3 and not covered
    points = to_pixels([placed[name][0] for name in KEYPOINTS])
    rows = [
        (x, y, float(placed[name][1] and 0 <= x < size and 0 <= y < size))
        for name, (x, y) in zip(KEYPOINTS, points)
    ]
    return np.array(rows, np.float32)


@dataclass(frozen=True)
class Setup:
    """A scene with its camera and its person placed, before anything is drawn."""

    canvas: Canvas
    head: Head
    body: Body
    yaw: float
    light_from_left: bool
    supersample: int

    def to_pixels(self, points: list[Point]) -> list[Point]:
        """Points in head radii to pixels of the finished picture."""
        return [
            (x / self.supersample, y / self.supersample) for x, y in self.canvas.to_pixels(points)
        ]

    def face(self, expression: str) -> Face | None:
        """The face's ground truth; None when it is seen from behind."""
        if self.head.from_behind:
            return None
        scale = self.canvas.scale / self.supersample
        return face_of(self.head, expression, self.to_pixels, scale)

    @property
    def head_box(self) -> np.ndarray:
        """x0, y0, x1, y1 of a box around the head with its hair, in pixels."""
        corners = self.to_pixels([(-1.35, -1.5), (1.35, 1.2)])
        return np.array([*corners[0], *corners[1]], np.float32)


def set_up(
    identity: Identity,
    scene: Scene,
    size: int = 128,
    supersample: int = 3,
    yaw: float | None = None,
) -> Setup:
    """Place camera and person. `yaw` in degrees overrides the scene's view and its jitter."""
    rng = random.Random(f"scene {scene.jitter}")
    height, middle = CAMERAS[scene.framing]
    centre = (rng.uniform(-0.1, 0.1), middle + rng.uniform(-0.06, 0.06))
    canvas = Canvas(size * supersample, height * rng.uniform(0.97, 1.05), centre)
    jittered = VIEWS[scene.view] + rng.uniform(-6, 6)
    from_left = rng.random() < 0.5
    drawn_yaw = jittered if yaw is None else yaw
    head = Head(identity, math.radians(drawn_yaw), EXPRESSION_SHAPES[scene.expression])
    body = Body(canvas, head, scene, rng)
    return Setup(canvas, head, body, drawn_yaw, from_left, supersample)


def _draw_person(setup: Setup, expression: str) -> None:
    canvas, head = setup.canvas, setup.head
    draw_back_hair(canvas, head)
    setup.body.draw()
    identity = head.identity
    covered = identity.hair_style in COVERS_EARS and identity.ears == "round"
    depths = {sign: math.cos(sign * math.pi / 2 + head.yaw) for sign in (-1, 1)}
    ears = [] if covered else [-1, 1]
    for sign in ears:
        if depths[sign] < 0.35:
            draw_ear(canvas, head, sign)
    draw_head(canvas, head)
    draw_features(canvas, head, expression)
    draw_hair(canvas, head)
    for sign in ears:
        if depths[sign] >= 0.35:
            draw_ear(canvas, head, sign)
    draw_accessory(canvas, head)


def render(
    identity: Identity,
    scene: Scene,
    size: int = 128,
    supersample: int = 3,
    yaw: float | None = None,
) -> Picture:
    """Draw a person in a scene, `size` pixels square.

    `yaw` in degrees overrides the scene's view (with its few degrees of jitter).
    """
    setup = set_up(identity, scene, size, supersample, yaw)
    place = draw_place(scene, size * supersample, random.Random(f"place {scene.jitter}"))
    _draw_person(setup, scene.expression)
    drawn = setup.canvas.image
    place.paste(drawn, (0, 0), drawn)
    pixels = np.asarray(place.reduce(supersample), np.float32)
    return Picture(
        image=_lit(pixels, scene.lighting, setup.light_from_left),
        mask=np.asarray(drawn.getchannel("A").reduce(supersample)) > 127,
        face=setup.face(scene.expression),
        keypoints=_keypoints(setup.head, setup.body, size, setup.to_pixels),
        head_box=setup.head_box,
        yaw=(setup.yaw + 180) % 360 - 180,
    )
