"""What the gates' models see in a picture: numbers that stand whatever is then asked of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from ...comfyui.fingerprint import fingerprint
from ...core.character import known_fields
from ...vision.embedding import embed
from ...vision.faces import find_heads
from ...vision.measures import measured_by
from ...vision.people import SECOND_PERSON, comparable, find_people
from ...vision.pose import PoseModel
from ...vision.sharpness import relative_sharpness

SECOND_FACE = 0.35
"""A face counts as another person's from this share of the largest one's height on: a poster on
the wall and people far behind do not."""


@dataclass(frozen=True)
class Reading:
    """Everything measured in one picture; it does not depend on what the picture was to show.

    face_model, person_model, vision: which models measured, empty for none. faces, people: how
    many of comparable size. yaw, pitch: of the largest face in degrees, as in ``Face``.
    face_height, person_height: of the largest ones, as shares of the picture's height.
    embedding: of length 1. sharpness: as a share of the original's. pose_model, pose: what found
    the pose, and ``Pose.record`` of the largest person.
    """

    face_model: str = ""
    faces: int = 0
    yaw: float | None = None
    pitch: float | None = None
    face_height: float | None = None
    person_model: str = ""
    people: int = 0
    person_height: float | None = None
    vision: str = ""
    embedding: tuple[float, ...] = ()
    sharpness: float | None = None
    pose_model: str = ""
    pose: tuple[float, ...] = ()

    @property
    def shows_somebody(self) -> bool:
        """Whether a face, a person or a pose was found."""
        return bool(self.faces or self.people or self.pose)

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "embedding": list(self.embedding), "pose": list(self.pose)}


def reading_from_record(record: Any) -> Reading:
    """The reading that ``record`` holds; an empty one when it holds none."""
    if not isinstance(record, dict):
        return Reading()
    known = known_fields(Reading, record)
    for name in ("embedding", "pose"):
        known[name] = tuple(known.get(name, ()))
    return Reading(**known)


@dataclass(eq=False)
class ShotMeter:
    """Measures pictures beside one original, each with the models that are there.

    face_model: a FACE_DETECTION_MODEL. clip_vision: a CLIP_VISION. person_detector: an RT-DETR
    MODEL. pose_model: a PoseModel. Each may be None.
    """

    original: torch.Tensor
    face_model: Any = None
    clip_vision: Any = None
    person_detector: Any = None
    pose_model: PoseModel | None = None

    def __post_init__(self) -> None:
        pose = self.pose_model and self.pose_model.model
        others = map(fingerprint, (self.clip_vision, self.person_detector, pose))
        self._names = (measured_by(self.face_model), *others)

    def read(self, image: torch.Tensor, known: Reading | None = None) -> Reading:
        """The reading of ``image`` (H, W, 3); what ``known`` already tells is not measured again.

        What a model measured that is no longer there is forgotten.
        """
        face, vision, person, pose = self._names
        reading = known or Reading()
        if reading.face_model != face:
            reading = replace(reading, face_model=face, **self._face(image))
        if reading.person_model != person:
            reading = replace(reading, person_model=person, **self._people(image))
        if reading.vision != vision:
            reading = replace(reading, vision=vision, embedding=self._embedding(image))
        if reading.pose_model != pose:
            reading = replace(reading, pose_model=pose, pose=self._pose(image))
        if reading.sharpness is None:
            reading = replace(reading, sharpness=relative_sharpness(image, self.original))
        return reading

    def _face(self, image: torch.Tensor) -> dict[str, Any]:
        found = find_heads(self.face_model, image)
        if not found:
            return {"faces": 0, "yaw": None, "pitch": None, "face_height": None}
        return {
            "faces": comparable(found, SECOND_FACE),
            "yaw": found[0].yaw,
            "pitch": found[0].pitch,
            "face_height": found[0].height / image.shape[0],
        }

    def _people(self, image: torch.Tensor) -> dict[str, Any]:
        found = [] if self.person_detector is None else find_people(self.person_detector, image)
        if not found:
            return {"people": 0, "person_height": None}
        return {
            "people": comparable(found, SECOND_PERSON),
            "person_height": found[0].height / image.shape[0],
        }

    def _pose(self, image: torch.Tensor) -> tuple[float, ...]:
        found = None if self.pose_model is None else self.pose_model.find(image)
        return () if found is None else found.record()

    def _embedding(self, image: torch.Tensor) -> tuple[float, ...]:
        if self.clip_vision is None:
            return ()
        return tuple(round(value, 5) for value in embed(self.clip_vision, image[None])[0].tolist())
