"""What pictures show, as tags: the view, the framing, the expression, and how many people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.character import Character, Shot, Tags
from ..core.vocabulary import people_in_words
from .by_picture import ByPicture, heads_in
from .faces import Face
from .framing import bands_of, expression_of, face_share, framing_of, view_of
from .people import SECOND_PERSON, comparable, different_people, find_people

MEASURED = ("view", "framing", "expression")
UNSURE = ("angry",)
"""Expressions that are left to a person. On 30 photographs MediaPipe's blendshapes call five faces
angry that are not, since brows lie low on many; of 12 smiles 11 are, and the surprised one is."""
_COUNTS: ByPicture[int] = ByPicture()
"""Of this process: whole people in pictures."""


def face_tags(face: Face | None, height: int, face_model: Any) -> Tags:
    """What ``face`` tells of its picture, which is ``height`` px high; nothing without one."""
    if face is None:
        return Tags()
    expression = expression_of(face.blendshapes) if face.seen and face.blendshapes else ""
    return Tags(
        view=view_of(face.yaw),
        framing=framing_of(face_share(face, height), bands_of(face_model)),
        expression="" if expression in UNSURE else expression,
    )


@dataclass
class Measured:
    """A character with what its pictures show, and how often that was not known before.

    looked_at: how many pictures. found: in how many each axis was found, and several people, as
    details. faceless: those in which there is no face.
    """

    character: Character
    looked_at: int = 0
    found: Counter[str] = field(default_factory=Counter)
    faceless: tuple[Shot, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What was tagged, in a line; none where nothing was."""
        if not self.found:
            return []
        counts = [f"{axis} {self.found[axis]}" for axis in MEASURED]
        several = f", several people {self.found['details']}" * bool(self.found["details"])
        images = "1 image" if self.looked_at == 1 else f"{self.looked_at} images"
        return [f"Tagged by what the judge sees in {images}: {', '.join(counts)}{several}."]


def measured(character: Character, face_model: Any, person_detector: Any = None) -> Measured:
    """``character`` with view, framing, expression and number of people as the models see them.

    Only of pictures that were loaded, since others have what they were made or given with, and only
    where nothing is tagged: what a person wrote stays. face_model: a FACE_DETECTION_MODEL, without
    which nothing is measured. person_detector: an RT-DETR MODEL, or None.
    """
    if face_model is None:
        return Measured(character)
    wanted = [shot for shot in character.pictures if _unknown(shot)]
    faces = heads_in(face_model, wanted)
    people = _people(wanted, faces, person_detector)
    expected = 1 + len(character.companions)
    done = Measured(character, len(wanted))
    known: dict[str, Shot] = {}
    for shot, seen, count in zip(wanted, faces, people, strict=True):
        tags = face_tags(next(iter(seen), None), shot.size[0], face_model)
        several = (people_in_words(count),) if count > expected else ()
        filled = _filled(shot.tags, replace(tags, details=several))
        axes = (*MEASURED, "details")
        done.found.update(a for a in axes if getattr(filled, a) != getattr(shot.tags, a))
        known[shot.hash] = shot.changed(tags=filled)
    done.character = character.mapped(lambda shot: known.get(shot.hash, shot))
    done.faceless = tuple(shot for shot, seen in zip(wanted, faces, strict=True) if not seen)
    return done


def _unknown(shot: Shot) -> bool:
    axes = set(shot.tags.visible_axes()) & set(MEASURED)
    blank = any(not getattr(shot.tags, axis) for axis in axes)
    return blank and shot.provenance.source == "imported"


def _filled(tags: Tags, seen: Tags) -> Tags:
    """``tags`` with those of ``seen`` on the axes that they leave open."""
    whole = replace(tags, view=tags.view or seen.view, framing=tags.framing or seen.framing)
    visible = whole.visible_axes()
    for axis in ("expression", "details"):
        if axis in visible and not getattr(whole, axis):
            whole = replace(whole, **{axis: getattr(seen, axis)})
    return whole


def _people(
    shots: Sequence[Shot], faces: Sequence[tuple[Face, ...]], person_detector: Any
) -> list[int]:
    """How many people are in each of ``shots``: by faces, and whole where a detector is there."""
    by_faces = [len(different_people(seen)) for seen in faces]
    if person_detector is None:
        return by_faces

    def look(places: Sequence[int]) -> list[int]:
        found = (find_people(person_detector, shots[place].image) for place in places)
        return [comparable(one, SECOND_PERSON) for one in found]

    whole = _COUNTS.of(person_detector, [shot.hash for shot in shots], look)
    return [max(pair) for pair in zip(by_faces, whole, strict=True)]
