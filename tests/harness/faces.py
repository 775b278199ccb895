"""Faces with known landmarks: drawn ones, a photograph annotated by hand, and both turned about."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from facet.engine.generate.expression.hand_placed import fitted
from facet.engine.generate.expression.rig import displaced
from facet.engine.generate.expression.table import LANDMARKS, PATH
from facet.engine.vision.faces import Face
from facet.world.identity import Identity
from facet.world.render import render
from facet.world.scene import Scene

ASTRONAUT = {
    0: (224.3, 140.3),
    1: (224.9, 125.5),
    2: (224.3, 134.3),
    4: (224.9, 123.4),
    6: (224.9, 106.3),
    10: (226.5, 77.2),
    13: (224.9, 144.0),
    14: (224.3, 149.8),
    17: (224.9, 156.1),
    33: (192.7, 100.7),
    39: (214.5, 139.6),
    46: (190.7, 91.5),
    52: (200.2, 89.7),
    54: (186.4, 82.7),
    55: (213.4, 93.0),
    61: (202.9, 139.6),
    64: (212.5, 127.7),
    70: (190.5, 90.3),
    78: (205.2, 140.7),
    81: (214.5, 142.0),
    98: (215.0, 131.5),
    105: (200.2, 88.1),
    107: (213.1, 91.7),
    127: (182.0, 101.4),
    132: (183.1, 139.8),
    133: (211.4, 102.5),
    145: (201.8, 103.9),
    150: (203.5, 170.8),
    152: (224.9, 178.3),
    159: (202.4, 96.9),
    168: (224.9, 100.8),
    172: (192.5, 160.7),
    178: (215.0, 148.8),
    181: (215.0, 153.5),
    234: (181.5, 112.4),
    263: (258.4, 104.5),
    269: (235.3, 139.8),
    276: (262.6, 95.7),
    282: (252.4, 92.8),
    284: (263.9, 87.1),
    285: (238.4, 93.9),
    291: (247.2, 138.3),
    294: (237.0, 128.8),
    300: (263.0, 94.6),
    308: (243.7, 141.4),
    311: (235.3, 142.9),
    327: (234.8, 131.7),
    334: (252.4, 91.3),
    336: (238.4, 92.8),
    356: (271.0, 106.9),
    361: (266.6, 139.8),
    362: (237.0, 104.3),
    374: (246.9, 107.6),
    379: (246.3, 171.9),
    386: (248.0, 99.6),
    397: (257.9, 160.7),
    402: (234.2, 149.1),
    405: (234.8, 152.6),
    454: (270.5, 113.5),
    468: (203.5, 101.2),
    473: (246.5, 103.4),
}
"""Landmarks of scikit-image's astronaut, x and y in px, read off the picture by hand."""


def astronaut() -> tuple[torch.Tensor, Face]:
    """The photograph (512, 512, 3) and its face."""
    from skimage.data import astronaut as photograph

    return torch.from_numpy(photograph().copy()).float() / 255, fitted(ASTRONAUT)


def drawn_picture(person: Identity, scene: Scene, size: int = 128) -> torch.Tensor:
    """What is drawn of a person in a scene: (size, size, 3) in 0..1."""
    return torch.from_numpy(render(person, scene, size).image.copy()).float() / 255


def drawn_face(
    seed: int, size: int = 256, expression: str = "neutral", yaw: float = 0.0, **identity: str
) -> tuple[torch.Tensor, Face]:
    """A drawn person's close-up (size, size, 3) and the face that was drawn."""
    person = replace(Identity.from_seed(seed), **identity)
    scene = Scene(framing="close_up", expression=expression, jitter=seed)
    picture = render(person, scene, size, yaw=yaw)
    truth = picture.face
    assert truth is not None
    image = torch.from_numpy(picture.image.copy()).float() / 255
    return image, face_at(truth.landmarks_xy, yaw, truth.blendshapes)


def face_at(
    landmarks: np.ndarray, yaw: float = 0.0, blendshapes: dict[str, float] | None = None
) -> Face:
    """The face that has ``landmarks`` (478, 2) px."""
    low, high = landmarks.min(0), landmarks.max(0)
    across = landmarks[263] - landmarks[33]
    return Face(
        landmarks=landmarks.astype(np.float32),
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        yaw=yaw,
        pitch=0.0,
        roll=math.degrees(math.atan2(float(across[1]), float(across[0]))),
        eye_distance=float(np.linalg.norm(across)),
        presence=1.0,
        blendshapes=blendshapes or {},
    )


def rolled(face: Face, degrees: float, about: tuple[float, float]) -> Face:
    """``face`` with the top of the head leant to the picture's right, around a point in px."""
    turn = math.radians(degrees)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return face_at((face.landmarks - about) @ matrix.T + about, face.yaw, face.blendshapes)


def larger(face: Face, by: float) -> Face:
    """``face`` in a picture ``by`` times as large."""
    return face_at(face.landmarks * by, face.yaw, face.blendshapes)


RIG = json.loads(PATH.read_text("utf-8"))
MIRRORED = np.arange(LANDMARKS)
"""The landmark that each one is in a mirror."""
for _row in RIG["template"]:
    MIRRORED[_row["points"] + _row["mirrored"]] = _row["mirrored"] + _row["points"]


def mirrored_slider(name: str) -> tuple[str, float]:
    """The slider that does the same in a mirror, and the sign of its amount there."""
    if name in ("gaze_x", "jaw_side", "head_yaw", "head_roll"):
        return name, -1.0
    side = {"_r": "_l", "_l": "_r"}.get(name[-2:])
    return (name if side is None else name[:-2] + side), 1.0


def in_a_mirror(sliders: Mapping[str, float]) -> dict[str, float]:
    """The amounts that do in a mirror what ``sliders`` do."""
    there = ((*mirrored_slider(name), amount) for name, amount in sliders.items())
    return {name: sign * amount for name, sign, amount in there}


def mirrored(face: Face, width: float) -> Face:
    """``face`` in the mirrored picture, ``width`` px wide."""
    landmarks = face.landmarks[MIRRORED] * (-1, 1) + (width, 0)
    return face_at(landmarks, -face.yaw, face.blendshapes)


def random_sliders(rng: random.Random, how_many: int = 6) -> dict[str, float]:
    """Amounts over the whole range, for some of the sliders."""
    from facet.engine.generate.expression.table import SLIDERS

    return {
        slider.name: rng.uniform(slider.low, slider.high)
        for slider in rng.sample(SLIDERS, how_many)
    }


def positions(height: int, width: int) -> torch.Tensor:
    """A picture (H, W, 3) whose red and green say where each pixel's middle is, in 0..1."""
    ys = (torch.arange(height) + 0.5) / height
    xs = (torch.arange(width) + 0.5) / width
    rows, columns = torch.meshgrid(ys, xs, indexing="ij")
    return torch.stack([columns, rows, torch.zeros_like(rows)], dim=-1)


EYES = ((33, 133), (362, 263))
BROWS = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
"""The corners of each eye, and the rim of each brow."""


def between_the_eyes(face: Face) -> float:
    """The distance between the middles of the eyes in px."""
    first, second = (face.landmarks[list(eye)].mean(0) for eye in EYES)
    return float(np.linalg.norm(first - second))


def brows_of(face: Face, size: tuple[int, int]) -> torch.Tensor:
    """The pixels of the brows in a picture of that height and width: (H, W) bool."""
    from skimage.draw import polygon2mask

    rims = (face.landmarks[list(brow), ::-1] for brow in BROWS)
    return torch.from_numpy(np.any([polygon2mask(size, rim) for rim in rims], axis=0))


READ = {
    "mouthSmileLeft": (291, "smile_l"),
    "mouthSmileRight": (61, "smile_r"),
    "browOuterUpLeft": (293, "brow_outer_l"),
    "jawOpen": (152, "jaw_open"),
}
"""Blendshapes by the landmark and the slider that show them."""


class PositionReader:
    """A face detector for pictures of `positions`, which says how far landmarks have gone.

    It shows a share of what a slider has moved, less of it the more there is. shown: blendshapes
    of the face at rest. blind_after: from how many pictures on it sees nothing. gain: of all.
    """

    exact_blendshapes = True

    def __init__(
        self,
        face: Face,
        shown: dict[str, float] | None = None,
        blind_after: int = 99,
        gain: float = 1.0,
    ) -> None:
        self.face, self.shown, self.left, self.gain = face, shown or {}, blind_after, gain
        rng = np.random.default_rng(0)
        vertices = np.column_stack([rng.uniform(-7, 7, (LANDMARKS, 2)), np.ones(LANDMARKS)])
        self.canonical_data = {
            "canonical_vertices": vertices.astype(np.float32),
            "procrustes_indices": np.arange(LANDMARKS),
            "procrustes_weights": np.ones(LANDMARKS, np.float32),
        }

    def detect_batch(self, images: list[np.ndarray], **_: object) -> list[list[dict[str, object]]]:
        """The face on each picture, in core's form."""
        self.left -= 1
        if self.left < 0:
            return [[] for _ in images]
        return [[self._detected(image)] for image in images]

    def _detected(self, image: np.ndarray) -> dict[str, object]:
        landmarks = self.face.landmarks.astype(np.float64)
        height, width = image.shape[:2]
        told = image[..., :2] / 255 * (width, height)
        ys, xs = np.mgrid[0:height, 0:width] + 0.5
        blendshapes = {}
        for name, (point, slider) in READ.items():
            far = np.square(told - landmarks[point]).sum(-1)
            weight = np.exp(-far / 4)
            now = np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum()
            way = displaced(torch.from_numpy(landmarks), {slider: 1.0})[point].numpy()
            way -= landmarks[point]
            moved = float((now - landmarks[point]) @ way / (way @ way))
            blendshapes[name] = self.shown.get(name, 0.0) + self.gain * (
                0.8 * moved - 0.1 * moved**2
            )
        return {
            "landmarks_xy": landmarks.astype(np.float32),
            "landmarks_3d": np.column_stack([landmarks, np.zeros(LANDMARKS)]).astype(np.float32),
            "bbox_xyxy": np.array(self.face.box, np.float32),
            "blendshapes": blendshapes,
            "presence": 5.0,
        }
