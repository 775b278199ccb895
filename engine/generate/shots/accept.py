"""Which shots are kept: measured, held to the gates, compared with one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ...core.character import Score, Shot, Tags
from ...vision.embedding import embed
from ...vision.framing import bands_of
from ...vision.pose import PoseModel
from . import gates
from .gates import IDENTITY_GATE, Look, Thresholds
from .reading import Meter, Reading


class Gates:
    """Measures shots against one original.

    A model that is None skips its gates, and the scores say so. ``face_model`` is what goes over
    FACE_DETECTION_MODEL, ``clip_vision`` a CLIP_VISION, ``person_detector`` an RT-DETR MODEL,
    ``pose_model`` core's SDPose.
    """

    def __init__(
        self,
        source: torch.Tensor,
        thresholds: Thresholds,
        face_model: Any = None,
        clip_vision: Any = None,
        person_detector: Any = None,
        pose_model: PoseModel | None = None,
    ) -> None:
        self.thresholds = thresholds
        self.meter = Meter(source, face_model, clip_vision, person_detector, pose_model)
        self.bands = bands_of(face_model)
        self.source_embedding = None if clip_vision is None else embed(clip_vision, source[None])[0]

    def read(self, image: torch.Tensor, known: Reading | None = None) -> Reading:
        """What there is to see in ``image`` (H, W, 3); see ``Meter.read``."""
        return self.meter.read(image, known)

    def judge(
        self, reading: Reading, tags: Tags, this: Look | None = None, others: Sequence[Look] = ()
    ) -> tuple[Score, ...]:
        """Every gate's score for a picture that was asked to show ``tags``.

        this, others: its look and those of the shots that it may not repeat.
        """
        thresholds = self.thresholds
        scores = [
            gates.view(reading, tags, thresholds),
            gates.framing(reading, tags, thresholds, self.bands),
            gates.persons(reading),
            gates.identity(reading, tags, thresholds, self.source_embedding),
            gates.sharpness(reading, thresholds),
        ]
        if this is not None:
            scores.append(gates.duplicate(this, others, thresholds))
        return tuple(
            Score(score.gate, score.value, None, None, "switched off")
            if score.gate in thresholds.off
            else score
            for score in scores
        )

    def measure(self, image: torch.Tensor, tags: Tags) -> tuple[Score, ...]:
        """Every gate's score for ``image`` (H, W, 3) that was asked to show ``tags``."""
        return self.judge(self.read(image), tags)


def failed(scores: Sequence[Score]) -> list[str]:
    """The gates that a shot did not pass."""
    return [score.gate for score in scores if score.passed is False]


def better(shot: Shot, other: Shot | None) -> bool:
    """Whether ``shot`` is the one to keep: fewer failed gates, then the more alike."""

    def rank(candidate: Shot) -> tuple[int, float]:
        identity = candidate.score(IDENTITY_GATE)
        alike = identity.value if identity is not None and identity.value is not None else 0.0
        return -len(failed(candidate.scores)), alike

    return other is None or rank(shot) > rank(other)
