"""Faces from core's FACE_DETECTION_MODEL: landmarks, and which way the head is turned.

This is the one place that decides the sign of the angles. Core's face geometry puts the face in a
camera with x to the right of the picture, y up and z towards the viewer
(comfy_extras/mediapipe/face_geometry.py); the nose of the canonical face points along +z.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ..comfyui.internals import internal
from ..core.character import quantise
from .measures import Detector, FaceMeasures, measures_of

OUTER_EYES = (33, 263)
ONE_HEAD = 0.5
"""Two finds are of one head when their middles are nearer than this share of its size."""
MAX_SIDE = 2048
UPRIGHT = 45.0
"""Degrees of roll, beyond which a face is found by chance in a picture that was turned."""


class Boxed:
    """What has a ``box`` in a picture: x0, y0, x1, y1 px."""

    box: tuple[float, float, float, float]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def area(self) -> float:
        return (self.box[2] - self.box[0]) * self.height

    @property
    def middle(self) -> tuple[float, float]:
        """x and y px."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, eq=False)
class Face(Boxed):
    """One face in a picture.

    landmarks: (478, 2) px. box: x0, y0, x1, y1 px. Angles in degrees: ``yaw`` is negative when the
    nose points to the left edge of the picture, ``pitch`` positive when it points up, ``roll``
    positive when the top of the head leans to the right edge. eye_distance: px between the outer
    eye corners. presence: 0..1. blendshapes: the 52 ARKit weights by name.
    """

    landmarks: np.ndarray
    box: tuple[float, float, float, float]
    yaw: float
    pitch: float
    roll: float
    eye_distance: float
    presence: float
    blendshapes: dict[str, float]

    @property
    def seen(self) -> bool:
        """Whether the face itself is seen, so that its landmarks and blendshapes are its own."""
        return self.presence >= 0.5


def angles(matrix: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of a (4, 4) facial transformation matrix, signs as in Face.

    The rotation is read as R = Ry(yaw) Rx(-pitch) Rz(-roll), so that yaw and pitch are those of
    the nose's direction and roll is what is left.
    """
    rotation = np.asarray(matrix, dtype=np.float64)[:3, :3]
    rotation = rotation / np.linalg.norm(rotation, axis=0, keepdims=True)
    nose = rotation[:, 2]
    yaw = math.degrees(math.atan2(nose[0], nose[2]))
    pitch = math.degrees(math.asin(min(1.0, max(-1.0, float(nose[1])))))
    roll = -math.degrees(math.atan2(rotation[1, 0], rotation[1, 1]))
    return yaw, pitch, roll


@torch.no_grad()
def find_heads(face_model: Any, image: torch.Tensor) -> list[Face]:
    """Every face in ``image`` (H, W, 3) in 0..1, largest first; none without a model.

    All of the model's detectors are asked, as ``measures_of`` has them. Of two that find the same
    face, the one counts that is sure of it, and of two that are, the one that the mesh agrees with
    more. Heads in profile are among them although the mesh sees no face: their presence is below
    0.5, and their landmarks lie roughly.
    """
    if face_model is None:
        return []
    pixels, scale = _pixels(image)
    measures = measures_of(face_model)
    finds = [
        find
        for detector in measures.detectors
        for find in _finds(face_model, detector, measures, pixels, scale)
    ]
    heads: list[Face] = []
    for find in sorted(finds, key=lambda one: one.rank, reverse=True):
        same = next((at for at, head in enumerate(heads) if _same_head(find.face, head)), None)
        if same is None:
            heads.append(find.face)
        elif find.in_profile:
            heads[same] = _in_profile(heads[same], measures)
    return sorted(heads, key=lambda head: head.area, reverse=True)


def find_faces(face_model: Any, image: torch.Tensor) -> list[Face]:
    """Of ``find_heads`` those whose face is seen, so that there are landmarks to work with."""
    return [head for head in find_heads(face_model, image) if head.seen]


def find_head(face_model: Any, image: torch.Tensor) -> Face | None:
    """The largest of ``find_heads``, or None when there is none."""
    return next(iter(find_heads(face_model, image)), None)


def find_face(face_model: Any, image: torch.Tensor) -> Face | None:
    """The largest face in ``image`` (H, W, 3), or None when there is none."""
    return next(iter(find_faces(face_model, image)), None)


def lies_on_its_side(face_model: Any, image: torch.Tensor) -> str:
    """A sentence when a face is in ``image`` (H, W, 3) only once that is turned; else ''."""
    for quarters, turn in ((1, "by 90° to the left"), (3, "by 90° to the right"), (2, "by 180°")):
        turned = torch.rot90(image, quarters, (0, 1))
        face = find_face(face_model, turned)
        if face is not None and abs(face.roll) < UPRIGHT:
            return f"The image lies on its side; turn it {turn}."
    return ""


@dataclass(frozen=True, eq=False)
class _Find:
    """A head that a detector found. in_profile: the mesh denies that it has a face, and so it is
    turned away. rank: of two finds of one head the higher one is the better."""

    face: Face
    in_profile: bool
    rank: tuple[bool, bool, float]


def _finds(
    face_model: Any, detector: Detector, measures: FaceMeasures, pixels: np.ndarray, scale: float
) -> Iterator[_Find]:
    """What ``detector`` finds in ``pixels`` (H, W, 3) uint8 and the mesh does not refute."""
    (found,) = face_model.detect_batch(
        [pixels], num_faces=0, score_thresh=detector.least, variant=detector.variant
    )
    for detection in found:
        score, logit = detection.get("score", 1.0), float(detection["presence"])
        sure = score >= detector.sure
        seen = logit >= (0 if sure else measures.certain)
        face = _face(detection, face_model.canonical_data, measures, pixels.shape, scale)
        if seen:
            yield _Find(face, False, (True, sure, logit))
        elif logit < 0 and score >= measures.sure_head and abs(face.yaw) >= measures.turned:
            yield _Find(_in_profile(face, measures), True, (False, sure, score))


def _in_profile(face: Face, measures: FaceMeasures) -> Face:
    """``face``, whose mesh denies it: if it is turned at all, then by ``measures.profile``."""
    if not measures.turned <= abs(face.yaw) < measures.profile:
        return face
    return replace(face, yaw=math.copysign(measures.profile, face.yaw))


def _same_head(face: Face, other: Face) -> bool:
    return math.dist(face.middle, other.middle) < ONE_HEAD * max(face.area, other.area) ** 0.5


def _pixels(image: torch.Tensor) -> tuple[np.ndarray, float]:
    """``image`` as uint8 of at most ``MAX_SIDE`` px, and how many of its px one of those is."""
    picture = image[..., :3].detach().to("cpu", torch.float32)
    side = max(picture.shape[:2])
    scale = 1.0
    if side > MAX_SIDE:
        scale = side / MAX_SIDE
        size = [max(1, round(extent / scale)) for extent in picture.shape[:2]]
        picture = torch.nn.functional.interpolate(
            picture.movedim(-1, 0)[None], size=size, mode="area"
        )[0].movedim(0, -1)
    return np.ascontiguousarray(quantise(picture).numpy()), scale


def _face(
    detection: dict[str, Any],
    canonical: dict[str, np.ndarray],
    measures: FaceMeasures,
    shape: tuple[int, ...],
    scale: float,
) -> Face:
    """The face of ``detection`` in a picture of ``shape`` (H, W, …)."""
    landmarks = np.asarray(detection["landmarks_xy"], dtype=np.float32) * scale
    yaw, pitch, roll = angles(_matrix(detection, canonical, measures, shape))
    x0, y0, x1, y1 = (float(value) * scale for value in detection["bbox_xyxy"])
    return Face(
        landmarks=landmarks,
        box=(x0, y0, x1, y1),
        yaw=measures.true_yaw(yaw),
        pitch=pitch - measures.level,
        roll=roll,
        eye_distance=float(np.linalg.norm(landmarks[OUTER_EYES[0]] - landmarks[OUTER_EYES[1]])),
        presence=1 / (1 + math.exp(-float(detection["presence"]))),
        blendshapes={name: float(value) for name, value in detection["blendshapes"].items()},
    )


def _matrix(
    detection: dict[str, Any],
    canonical: dict[str, np.ndarray],
    measures: FaceMeasures,
    shape: tuple[int, ...],
) -> np.ndarray:
    """The facial transformation matrix (4, 4) of ``detection`` in a picture of ``shape``.

    Core takes the picture for one of a camera of 63 degrees, in which a face at the side is seen
    from the side; but pictures are cropped, and a portrait at the edge of a wide canvas is the same
    portrait. With ``measures.window`` the face stands in the middle of a square of so many times
    its own size.
    """
    height, width = shape[:2]
    if measures.window is not None:
        points = np.asarray(detection["landmarks_xy"], dtype=np.float64)
        low, high = points.min(axis=0), points.max(axis=0)
        height = width = max(1, math.ceil(measures.window * float((high - low).max())))
        detection = {**detection, "landmarks_xy": points - (low + high) / 2 + width / 2}
    matrix: np.ndarray = internal("transformation_matrix_from_detection")(
        detection, width, height, canonical
    )
    return matrix
