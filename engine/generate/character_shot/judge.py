"""What is measured in a picture of everyday use, and what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import torch

from ...comfyui.fingerprint import fingerprint
from ...core.character import Character, known_fields
from ...core.errors import FacetError
from ...core.vocabulary import VIEW_YAW
from ...vision.copies import CopyFinder
from ...vision.crops import FACE_CROPS, person_mask
from ...vision.embedders import Embedder, Embeddings, label, nothing_found
from ...vision.faces import Face, find_face, find_head, lies_on_its_side
from ...vision.framing import MEASURED_VIEWS, PROFILES, view_of
from ...vision.measures import measured_by, measures_of

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
NO_EMBEDDING = torch.zeros(1)
"""Of pictures that are looked for as copies: whether one is a copy is told by pixels alone."""


class Scale(Protocol):
    """The scale that a score card sets: 0 is anybody, 1 the character."""

    @property
    def problem(self) -> str:
        """Why it sets none, as a sentence; '' when it does."""

    def score(self, cosine: float) -> float | None:
        """``cosine`` on the scale; None when there is none."""


@dataclass(frozen=True)
class Measures:
    """What was measured, whatever was asked; None where no model measured it.

    cosine: with the original, None also where there was no face to compare. yaw: of the largest
    face in degrees, None without one. copied: the hash of the training picture that it repeats, ''
    for none. by: what measured each of them.
    """

    cosine: float | None = None
    face: bool | None = None
    yaw: float | None = None
    copied: str | None = None
    by: tuple[str, str, str] = ("", "", "")

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "by": list(self.by)}


def measures_from(record: Any) -> Measures:
    """The measures that ``record`` holds; none when it holds none."""
    if not isinstance(record, dict):
        return Measures()
    known = known_fields(Measures, record)
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
        return not self.causes

    @property
    def rank(self) -> tuple[bool, int, float]:
        """Higher is better: not somebody else, fewer faults, more alike.

        Where there was no face to compare, nobody knows who it is.
        """
        value = self.value if self.value is not None else 0.0
        unknown = self.value is None and NO_FACE in self.causes
        return not (unknown or UNLIKE in self.causes), -len(self.causes), value


class ImageJudge:
    """Measures pictures beside the original of a character.

    A model that is None measures nothing, and ``notes`` say so. embedder: tells likeness.
    calibration: the scale of the score card of this character and embedder. min_likeness: the least
    score, or cosine without a scale. background: what goes over BACKGROUND_REMOVAL, for an embedder
    that looks at the person alone. Raises FacetError when the embedder finds nothing to look at in
    the original.
    """

    def __init__(
        self,
        character: Character | None,
        embedder: Embedder | None = None,
        face_model: Any = None,
        calibration: Scale | None = None,
        min_likeness: float = 0.5,
        background: Any = None,
    ) -> None:
        self.character, self.min_likeness = character, min_likeness
        self.embedder = None if character is None else embedder
        self.measured_by = "" if self.embedder is None else label(self.embedder)
        self.face_model, self.background = face_model, background
        self.calibration = calibration
        self._original_face, self._turn = None, ""
        if character is not None and face_model is not None:
            self._original_face = find_face(face_model, character.source.image)
            if self._original_face is None:
                self.face_model = None
                self._turn = lies_on_its_side(face_model, character.source.image)
        if self.embedder is not None and self.embedder.crop != "whole":
            self._original  # noqa: B018 — whether there is one is said before anything is made
        few = character is None or len(character.dataset) < LEAST_DATASET
        self.dataset = "" if few or character is None else character.hash
        self.notes = self._notes(face_model)
        source = "" if character is None else character.source.hash
        faces = measured_by(self.face_model)
        seen = "" if self.embedder is None else f"{self.embedder.fingerprint} {source}"
        if self._needs_face:
            seen = f"{seen} {faces}"
        if self._needs_mask:
            seen = f"{seen} {fingerprint(self.background)}"
        self._by = (seen, faces, f"pixels {self.dataset}" if self.dataset else "")

    @property
    def _needs_face(self) -> bool:
        return self.embedder is not None and self.embedder.crop in FACE_CROPS

    @property
    def _needs_mask(self) -> bool:
        return self.embedder is not None and self.embedder.crop == "without background"

    def _notes(self, face_model: Any) -> list[str]:
        """What measures, and what was not measured and why."""
        notes = []
        if self.character is None:
            notes.append("No character is connected, so similarity was not measured.")
        elif self.embedder is None:
            notes.append(
                "Neither a CLIP_VISION nor a face embedder is connected, so likeness was not "
                "measured."
            )
        elif self.calibration is None:
            notes.append(
                f"Likeness is {self.measured_by}: the bare cosine with the original; connect a "
                "score of this character, measured in the same way, for a scale from 0, anybody, "
                "to 1, the character."
            )
        elif self.calibration.problem:
            notes.append(
                f"Likeness is {self.measured_by}: the bare cosine with the original. The score "
                f"sets no scale. {self.calibration.problem}"
            )
        else:
            notes.append(
                f"Likeness is {self.measured_by}, on the score's scale: 0 is anybody, 1 the "
                "character."
            )
        if face_model is None:
            notes.append("No FACE_DETECTION_MODEL is connected, so views were not checked.")
        elif self.face_model is None:
            said = "The face model finds no face in the original, so views were not checked."
            notes.append(" ".join(filter(None, (said, self._turn))))
        if self.character is not None and not self.dataset:
            notes.append(
                f"The character has fewer than {LEAST_DATASET} pictures, so copies were not looked "
                "for."
            )
        return notes

    def measure(self, image: torch.Tensor, known: Measures | None = None) -> Measures:
        """The measures of ``image`` (H, W, 3); what ``known`` tells is not measured again."""
        known = known or Measures()
        likeness, faces, copies = (old == new for old, new in zip(known.by, self._by, strict=True))
        cosine, found, yaw, copied = known.cosine, known.face, known.yaw, known.copied
        face = None
        if self.face_model is not None and not (faces and (likeness or not self._needs_face)):
            face = find_head(self.face_model, image)
        if not likeness:
            cosine = self._cosine(image, face if face is not None and face.seen else None)
        if not faces:
            found = None if self.face_model is None else face is not None
            yaw = None if face is None else face.yaw
        if not copies:
            copied = self._copied(image)
        return Measures(cosine, found, yaw, copied, self._by)

    def _cosine(self, image: torch.Tensor, face: Face | None) -> float | None:
        if self.embedder is None:
            return None
        return self._seen(self.embedder, image, face).cosines(self._original)[0]

    def _seen(self, embedder: Embedder, image: torch.Tensor, face: Face | None) -> Embeddings:
        """What ``embedder`` makes of ``image`` (H, W, 3), with what its crop needs."""
        masks = [person_mask(self.background, image)] if self._needs_mask else None
        return embedder.embed([image], masks, [face])

    def _copied(self, image: torch.Tensor) -> str | None:
        if not self.dataset:
            return None
        nearest = self._copies.nearest(image, NO_EMBEDDING)
        return nearest.shot if nearest.copied else ""

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
        elif self._needs_mask:
            causes.append(UNLIKE)
            notes.append("no person could be separated from the background")
        elif self.embedder is not None and measures.face and view != "back":
            causes.append(UNLIKE)
            notes.append("its face cannot be compared with the original's")
        if measures.copied:
            causes.append(COPY)
            notes.append(f"repeats the training picture {measures.copied[:8]}")
        if measures.face is not None:
            wrong = self._wrong_view(measures, view)
            if wrong:
                causes.append(NO_FACE if not measures.face else VIEW)
                notes.append(wrong)
        return Verdict(measures.cosine, score, limit, measures.yaw, tuple(causes), "; ".join(notes))

    def _wrong_view(self, measures: Measures, view: str) -> str:
        if view == "back":
            return "a face shows in a back view" if measures.face else ""
        if not measures.face or measures.yaw is None:
            missed = view in PROFILES and not measures_of(self.face_model).sees_everybody
            # That it is the character says that somebody is in it.
            return "" if missed and measures.cosine is not None else "no face was found"
        if view not in MEASURED_VIEWS:
            return ""
        if view_of(measures.yaw) == view:
            return ""
        return f"looks to {measures.yaw:+.0f}° instead of {VIEW_YAW[view]:+.0f}°"

    @cached_property
    def _original(self) -> torch.Tensor:
        assert self.character is not None and self.embedder is not None
        seen = self._seen(self.embedder, self.character.source.image, self._original_face)
        if not seen.found[0]:
            raise FacetError(nothing_found(self.embedder))
        return seen.vectors[0]

    @cached_property
    def _copies(self) -> CopyFinder:
        assert self.character is not None
        shots = self.character.dataset
        return CopyFinder(shots, NO_EMBEDDING.expand(len(shots), 1))
