"""Gates: each measures a shot, holds it to a threshold, and says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..character import Score, Shot, Tags
from ..measure.embedding import embed
from ..measure.faces import find_face

VIEW_GATE = "view"
IDENTITY_GATE = "identity"


@dataclass(frozen=True)
class Thresholds:
    """How strict the gates are: yaw error in degrees, identity as cosine similarity."""

    max_yaw_error: float = 12.0
    min_identity: float = 0.5


class Gates:
    """Measures shots against one original.

    A model that is None skips its gate, and the score says so. ``face_model`` is what goes over
    FACE_DETECTION_MODEL, ``clip_vision`` a CLIP_VISION encoder.
    """

    def __init__(
        self,
        source: torch.Tensor,
        thresholds: Thresholds,
        face_model: Any = None,
        clip_vision: Any = None,
    ) -> None:
        self.thresholds = thresholds
        self.face_model = face_model
        self.clip_vision = clip_vision
        self.source_embedding = None if clip_vision is None else embed(clip_vision, source[None])[0]

    def measure(self, image: torch.Tensor, tags: Tags) -> tuple[Score, ...]:
        """Every gate's score for ``image`` (H, W, 3) that was asked to show ``tags``."""
        return (self.view(image, tags), self.identity(image))

    def view(self, image: torch.Tensor, tags: Tags) -> Score:
        """The yaw of the face against the yaw of the view; from behind, that there is no face."""
        limit = self.thresholds.max_yaw_error
        if tags.yaw is None or tags.view in ("top", "low"):
            return Score(VIEW_GATE, None, None, None, "the shot asks for no measurable view")
        if self.face_model is None:
            return Score(
                VIEW_GATE, None, None, None, "skipped: no FACE_DETECTION_MODEL is connected"
            )
        face = find_face(self.face_model, image)
        if tags.view == "back":
            if face is None:
                return Score(VIEW_GATE, 180.0, limit, True, "no face, as asked")
            return Score(VIEW_GATE, face.yaw, limit, False, "a face shows in a back view")
        if face is None:
            return Score(VIEW_GATE, None, limit, False, "no face was found")
        error = abs(face.yaw - tags.yaw)
        note = "" if error <= limit else f"yaw {face.yaw:+.0f}° instead of {tags.yaw:+.0f}°"
        return Score(VIEW_GATE, face.yaw, limit, error <= limit, note)

    def identity(self, image: torch.Tensor) -> Score:
        """Cosine similarity of the picture's embedding to the original's."""
        if self.source_embedding is None:
            return Score(IDENTITY_GATE, None, None, None, "skipped: no CLIP_VISION is connected")
        cosine = float(embed(self.clip_vision, image[None])[0] @ self.source_embedding)
        passed = cosine >= self.thresholds.min_identity
        note = "" if passed else f"only {cosine:.2f} like the original"
        return Score(IDENTITY_GATE, cosine, self.thresholds.min_identity, passed, note)


def failed(scores: tuple[Score, ...]) -> list[str]:
    """The gates that a shot did not pass."""
    return [score.gate for score in scores if score.passed is False]


def better(shot: Shot, other: Shot | None) -> bool:
    """Whether ``shot`` is the one to keep: fewer failed gates, then the more alike."""

    def rank(candidate: Shot) -> tuple[int, float]:
        identity = candidate.score(IDENTITY_GATE)
        alike = identity.value if identity is not None and identity.value is not None else 0.0
        return -len(failed(candidate.scores)), alike

    return other is None or rank(shot) > rank(other)
