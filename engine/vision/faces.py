"""Faces from core's FACE_DETECTION_MODEL: landmarks, and which way the head is turned.

This is the one place that decides the sign of the angles. Core's face geometry puts the face in a
camera with x to the right of the picture, y up and z towards the viewer
(comfy_extras/mediapipe/face_geometry.py); the nose of the canonical face points along +z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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
def find_faces(face_model: Any, image: torch.Tensor) -> list[Face]:
    """Every face in ``image`` (H, W, 3) in 0..1, largest first; none without a model.

    All of the model's detectors are asked, as ``measures_of`` has them. Of two that find the same
    face, the one counts that is sure of it, and of two that are, the one that the mesh agrees with
    more.
    """
    if face_model is None:
        return []
    pixels, scale = _pixels(image)
    measures = measures_of(face_model)
    found = [
        find
        for detector in measures.detectors
        for find in _found(face_model, detector, measures, pixels, scale)
    ]
    faces: list[Face] = []
    for _, _, face in sorted(found, key=lambda find: find[:2], reverse=True):
        if not any(_same_head(face, other) for other in faces):
            faces.append(face)
    return sorted(faces, key=lambda face: face.area, reverse=True)


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


def _found(
    face_model: Any, detector: Detector, measures: FaceMeasures, pixels: np.ndarray, scale: float
) -> list[tuple[bool, float, Face]]:
    """What ``detector`` finds in ``pixels`` (H, W, 3) uint8 and the mesh confirms.

    Of each whether it is sure of it, the mesh's logit, and the face.
    """
    transformation_matrix_from_detection = internal("transformation_matrix_from_detection")
    height, width = pixels.shape[:2]
    (found,) = face_model.detect_batch(
        [pixels], num_faces=0, score_thresh=detector.least, variant=detector.variant
    )
    faces = []
    for detection in found:
        sure = detection.get("score", 1.0) >= detector.sure
        logit = float(detection["presence"])
        if logit >= (0 if sure else measures.certain):
            matrix = transformation_matrix_from_detection(
                detection, width, height, face_model.canonical_data
            )
            faces.append((sure, logit, _face(detection, matrix, scale)))
    return faces


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


def _face(detection: dict[str, Any], matrix: np.ndarray, scale: float) -> Face:
    landmarks = np.asarray(detection["landmarks_xy"], dtype=np.float32) * scale
    yaw, pitch, roll = angles(matrix)
    x0, y0, x1, y1 = (float(value) * scale for value in detection["bbox_xyxy"])
    return Face(
        landmarks=landmarks,
        box=(x0, y0, x1, y1),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        eye_distance=float(np.linalg.norm(landmarks[OUTER_EYES[0]] - landmarks[OUTER_EYES[1]])),
        presence=1 / (1 + math.exp(-float(detection["presence"]))),
        blendshapes={name: float(value) for name, value in detection["blendshapes"].items()},
    )
