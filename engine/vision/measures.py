"""What is known of each face model: how it is asked, and how its readings are to be taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..comfyui.fingerprint import fingerprint


@dataclass(frozen=True)
class Detector:
    """One of the detectors of a face model.

    variant: its name in core's ``detect_batch``. least: the score, 0..1, below which its finds are
    left alone. sure: the score from which on a face is one when the mesh does not deny it; below
    it, the mesh has to be certain.
    """

    variant: str
    least: float = 0.5
    sure: float = 0.5


@dataclass(frozen=True)
class FaceMeasures:
    """How the readings of one face model are to be taken.

    version: goes beside the model's fingerprint where readings are kept, and changes with these
    numbers. detectors: all of them are asked. certain: the mesh's logit that makes a face of one
    that its detector is not sure of. sees_everybody: whether a picture without a face shows
    nobody's face.

    window: side of the square in which a face's angles are read, in sizes of the face; None reads
    them in the whole picture. yaws: what is read and what is true, in degrees off the front; none
    where one is the other. level: the pitch that is read of a level head.
    sure_head, turned, profile: a head that a detector is so sure of, and the mesh denies although
    it reads it as turned by so much, is turned by ``profile`` degrees at least.
    """

    version: str = ""
    detectors: tuple[Detector, ...] = (Detector("full"), Detector("short"))
    certain: float = 0.0
    sees_everybody: bool = False
    window: float | None = None
    yaws: tuple[tuple[float, float], ...] = ()
    level: float = 0.0
    sure_head: float = math.inf
    turned: float = 0.0
    profile: float = 0.0

    def true_yaw(self, read: float) -> float:
        """The yaw in degrees of a head of which ``read`` is read."""
        if not self.yaws:
            return read
        known, true = zip(*self.yaws, strict=True)
        return math.copysign(float(np.interp(abs(read), known, true)), read)


PHOTOGRAPHED = FaceMeasures(
    version="photographs 2",
    # The far-range detector finds 31 of the 33 faces in eight group photographs, 1 of them below
    # 0.5; the close-range one finds 10, and a face that is none at 0.58.
    detectors=(Detector("full", least=0.3, sure=0.5), Detector("short", least=0.5, sure=0.7)),
    # Of 24 pictures of nobody, what is found in one reads 4.7, in the others below 0; a face that
    # is found at 0.37 reads 11.
    certain=8.0,
    window=10.0,
    # The mesh turns a head less than it is, the more the farther. Labelled photographs read 27 for
    # 36, 33 for 38, 37 for 45, 59 for 71 and 72 for a full profile; a scanned head, turned in steps
    # of 10 degrees, reads 20, 30, 39, 47, 54, 69 and 77 for 20 to 80.
    yaws=((0, 0), (20, 20), (30, 33), (38, 44), (48, 60), (54, 69), (60, 79), (66, 86), (72, 90)),
    # 27 portraits of people who look ahead read -5 on the mean, 14 with labelled poses -2, the
    # scanned head -1.5.
    level=-3.0,
    # A detector finds heads in profile with a score of 0.75 and more, and the mesh denies them; of
    # the scanned head only when it is turned by 70 to 100 degrees, of faces from the front where
    # the detector is not sure. No find of nobody has both the score and the yaw.
    sure_head=0.7,
    turned=55.0,
    profile=80.0,
)
"""Core's MediaPipe networks on photographs of people."""


def measures_of(face_model: Any) -> FaceMeasures:
    """Those of ``face_model``: its own, where it says what they are, or those of core's model."""
    measures: FaceMeasures = getattr(face_model, "measures", PHOTOGRAPHED)
    return measures


def measured_by(face_model: Any) -> str:
    """What tells readings of ``face_model`` from others': the model, and how they are taken.

    The same in the next process; '' for None.
    """
    if face_model is None:
        return ""
    return " ".join(filter(None, (fingerprint(face_model), measures_of(face_model).version)))
