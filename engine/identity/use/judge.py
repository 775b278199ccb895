"""What is measured in a picture of everyday use, and what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import torch

from ...character import VIEW_YAW, Character
from ...measure.embedding import embed
from ...measure.faces import find_face
from ...sampling import fingerprint
from ..calibrate import Calibration
from ..condition import MEASURED_VIEWS
from ..copies import CopyFinder

UNLIKE, VIEW, NO_FACE, COPY = "unlike", "view", "no face", "copy"
SHARES = {
    "three_quarter_left": 0.95,
    "three_quarter_right": 0.95,
    "profile_left": 0.85,
    "profile_right": 0.85,
    "back": 0.75,
}
"""How much of the least likeness holds for a view: a face turned away is less alike to any encoder.
The shots' identity gate asks for the same."""
LEAST_DATASET = 3
"""From how many pictures on a dataset says how alike two honest pictures of it may be."""


@dataclass(frozen=True)
class Measures:
    """What was measured, whatever was asked; None where no model measured it.

    cosine: with the original. yaw: of the largest face in degrees, None without one. copied: the
    hash of the training picture that it repeats, '' for none. by: what measured each of them.
    """

    cosine: float | None = None
    face: bool | None = None
    yaw: float | None = None
    copied: str | None = None
    by: tuple[str, str, str] = ("", "", "")

    def record(self) -> dict[str, Any]:
        """The measures as plain JSON values."""
        return asdict(self)


def measures_from(record: Any) -> Measures:
    """The measures that ``record`` holds; none when it holds none."""
    if not isinstance(record, dict):
        return Measures()
    known = {one.name: record[one.name] for one in fields(Measures) if one.name in record}
    by = tuple(map(str, known.get("by", ())))
    return Measures(**{**known, "by": by}) if len(by) == 3 else Measures()


@dataclass(frozen=True)
class Verdict:
    """A picture held to what was asked. score: calibrated; None without a score card.

    value: what counts, the score or else the cosine; limit: what it had to reach. causes: what is
    wrong with it, of UNLIKE, VIEW, NO_FACE and COPY.
    """

    cosine: float | None
    score: float | None
    limit: float | None
    yaw: float | None
    causes: tuple[str, ...]
    note: str = ""

    @property
    def value(self) -> float | None:
        """The calibrated score, or the cosine where there is no scale."""
        return self.cosine if self.score is None else self.score

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.causes

    @property
    def rank(self) -> tuple[bool, int, float]:
        """Higher is better: not somebody else, fewer faults, more alike."""
        value = self.value if self.value is not None else 0.0
        return UNLIKE not in self.causes, -len(self.causes), value


class Judge:
    """Measures pictures beside the original of a character.

    A model that is None measures nothing, and ``notes`` say so. calibration: the scale of the score
    card of this character and encoder. min_likeness: the least score, or cosine without a scale.
    """

    def __init__(
        self,
        character: Character | None,
        clip_vision: Any = None,
        face_model: Any = None,
        calibration: Calibration | None = None,
        min_likeness: float = 0.5,
    ) -> None:
        self.character, self.min_likeness = character, min_likeness
        self.vision = None if character is None else clip_vision
        self.face_model = face_model
        self.calibration = calibration
        self.notes: list[str] = []
        if character is None:
            self.notes.append("No character is connected, so nothing says how alike they are.")
        elif clip_vision is None:
            self.notes.append("No CLIP_VISION is connected, so likeness was not measured.")
        elif calibration is None:
            self.notes.append(
                "Likeness is the bare cosine of the encoder with the original; connect a score of "
                "this character for a scale from 0, anybody, to 1, the character."
            )
        elif calibration.problem:
            self.notes.append(f"The score sets no scale. {calibration.problem}")
        if face_model is None:
            self.notes.append("No FACE_DETECTION_MODEL is connected, so views were not checked.")
        elif character is not None and find_face(face_model, character.source.image) is None:
            self.face_model = None
            self.notes.append(
                "The face model finds no face in the original, so views were not checked."
            )
        few = character is None or len(character.dataset) < LEAST_DATASET
        self.dataset = "" if few or self.vision is None or character is None else character.hash
        if self.vision is not None and not self.dataset:
            self.notes.append(
                f"The character has fewer than {LEAST_DATASET} pictures, so copies were not looked "
                "for."
            )
        source = "" if character is None else character.source.hash
        vision = fingerprint(self.vision)
        self._by = (
            f"{vision} {source}" if vision else "",
            fingerprint(self.face_model),
            f"{vision} {self.dataset}" if self.dataset else "",
        )

    def measure(self, image: torch.Tensor, known: Measures | None = None) -> Measures:
        """The measures of ``image`` (H, W, 3); what ``known`` tells is not measured again."""
        known = known or Measures()
        vision, face, copies = self._by
        cosine, found, yaw, copied = known.cosine, known.face, known.yaw, known.copied
        embedding = None
        if self.vision is not None and (known.by[0] != vision or known.by[2] != copies):
            embedding = embed(self.vision, [image])[0]
        if known.by[0] != vision:
            cosine = None if embedding is None else float(embedding @ self._original)
        if known.by[1] != face:
            there = None if self.face_model is None else find_face(self.face_model, image)
            found = None if self.face_model is None else there is not None
            yaw = None if there is None else there.yaw
        if known.by[2] != copies:
            copied = None
            if self.dataset and embedding is not None:
                nearest = self._copies.nearest(image, embedding)
                copied = nearest.shot if nearest.copied else ""
        return Measures(cosine, found, yaw, copied, self._by)

    def judge(self, measures: Measures, view: str) -> Verdict:
        """``measures`` held to a prompt that asked for ``view``; '' for one that asked for none."""
        causes, notes = [], []
        score, limit = None, None
        if measures.cosine is not None:
            score = self.calibration.score(measures.cosine) if self.calibration else None
            limit = self.min_likeness * SHARES.get(view, 1.0)
            value = measures.cosine if score is None else score
            if value < limit:
                causes.append(UNLIKE)
                notes.append(f"only {value:.2f} like the original, not {limit:.2f}")
        if measures.copied:
            causes.append(COPY)
            notes.append(f"repeats the training picture {measures.copied[:8]}")
        if measures.face is not None:
            wrong = self._wrong_view(measures, view)
            if wrong:
                causes.append(NO_FACE if not measures.face else VIEW)
                notes.append(wrong)
        return Verdict(
            measures.cosine, score, limit, measures.yaw, tuple(causes), "; ".join(notes)
        )

    def _wrong_view(self, measures: Measures, view: str) -> str:
        if view == "back":
            return "a face shows in a back view" if measures.face else ""
        if not measures.face or measures.yaw is None:
            return "no face was found"
        if view not in MEASURED_VIEWS:
            return ""
        yaw = measures.yaw
        nearest = min(MEASURED_VIEWS, key=lambda one: abs(VIEW_YAW[one] - yaw))
        asked = VIEW_YAW[view]
        return "" if nearest == view else f"looks to {yaw:+.0f}° instead of {asked:+.0f}°"

    @cached_property
    def _original(self) -> torch.Tensor:
        assert self.character is not None
        return embed(self.vision, [self.character.source.image])[0]

    @cached_property
    def _copies(self) -> CopyFinder:
        assert self.character is not None
        shots = self.character.dataset
        return CopyFinder(shots, embed(self.vision, [shot.image for shot in shots]))
