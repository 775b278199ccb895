"""A run of the expression editor: which pictures, each of their expressions, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ...comfyui.progress import interruptible
from ...core.character import Character, Provenance, Shot, Tags
from ...core.errors import FacetError
from ...store.keys import key
from ...vision.colours import to_rgb
from ...vision.faces import Face, lies_on_its_side
from ..retouch.retouch import surroundings
from ..shots.store import ShotStore
from .editor import ExpressionEditor
from .measured import faces_in, sliders_from_blendshapes
from .presets import FRONT, ExpressionRequest
from .subjects import AROUND, Subjects, subject_of

SHOWN = 12
FACES_SHOWN = 6


@dataclass(frozen=True, eq=False)
class EditedImage:
    """What is edited, and whose: ``shot`` is None where it is only a picture."""

    image: torch.Tensor
    character: Character
    shot: Shot | None = None


@dataclass
class Outcome:
    """What has been made so far, and what the page is told of it."""

    images: list[torch.Tensor] = field(default_factory=list)
    masks: list[torch.Tensor] = field(default_factory=list)
    made: list[Shot] = field(default_factory=list)
    cells: list[Shot] = field(default_factory=list)
    original: Shot | None = None
    pictures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


def pictures_from(
    image: torch.Tensor | None, character: Character | None, shots: str
) -> list[EditedImage]:
    """What is edited: each picture of ``image`` (B, H, W, C), or some of the character's.

    Raises FacetError when it is none of the two, or both.
    """
    if (image is None) == (character is None):
        raise FacetError("Connect an image or a character, one of the two.")
    if image is not None:
        if not len(image):
            raise FacetError("The IMAGE is empty; connect one that holds an image.")
        return [_alone(to_rgb(one).to("cpu", torch.float32)) for one in image]
    assert character is not None
    if shots != FRONT:
        return [EditedImage(character.source.image, character, character.source)]
    front = [one for one in character.dataset if one.tags.view in ("", "front")]
    if not front:
        raise FacetError(
            f"No included shot of {character.name} is from the front; set shots to original."
        )
    return [EditedImage(one.image, character, one) for one in front]


def _alone(image: torch.Tensor) -> EditedImage:
    if not torch.isfinite(image).all():
        raise FacetError("The image holds values that are not numbers; make it again.")
    return EditedImage(
        image, Character("Expressions", "facet", "person", Shot(image, Provenance("imported")))
    )


def copied_expression(image: torch.Tensor | None, face_model: Any) -> dict[str, float]:
    """The sliders of the expression in one picture (H, W, 3); none without a picture.

    Raises FacetError without a detector, or when it finds no face.
    """
    if image is None:
        return {}
    if face_model is None:
        raise FacetError(
            "Copying an expression measures the face; connect a judge with a face detection model."
        )
    faces = faces_in(face_model, image)
    if not faces:
        raise FacetError("No face was found in expression_from; give an image that shows one.")
    return sliders_from_blendshapes(faces[0].blendshapes)


def edit_all(
    work: ExpressionEditor,
    one: EditedImage,
    number: int,
    wanted: tuple[ExpressionRequest, ...],
    outcome: Outcome,
    subjects: Subjects,
    on_one: Callable[[], object],
) -> None:
    """Makes every expression of one picture, and puts it into ``outcome``.

    subjects: where its faces are kept for the page.
    """
    faces = work.faces(one.image)
    face = work.chosen(faces)
    if number < SHOWN:
        keys = [subjects.keep(subject_of(one.image, found)) for found in faces[:FACES_SHOWN]]
        # Points can be placed anew where the face is one that was placed, or none.
        measured = bool(faces and faces[0].blendshapes)
        whole = "" if measured else subjects.keep(subject_of(one.image, None))
        outcome.pictures.append({"faces": keys, "whole": whole})
    if outcome.original is None:
        outcome.original = _cell(one.shot or work.character.source, one.image, face, "")
    if face is None:
        code = "no_such_face" if faces else "no_face"
        turn = "" if faces else lies_on_its_side(work.face_model, one.image)
        note = {"picture": number, "code": code, "count": len(faces)}
        outcome.notes.append(note | ({"turn": turn} if turn else {}))
    for expression in interruptible(wanted):
        keep(work, one, number, face, expression, outcome)
        on_one()


def keep(
    work: ExpressionEditor,
    one: EditedImage,
    number: int,
    face: Face | None,
    expression: ExpressionRequest,
    outcome: Outcome,
) -> None:
    """Makes one expression; a picture without the face comes out as it is."""
    tags = Tags() if one.shot is None else one.shot.tags
    if face is None:
        outcome.images.append(one.image[None])
        outcome.masks.append(torch.zeros(1, *one.image.shape[:2]))
        same = one.shot or Shot(one.image, Provenance("imported"), tags=tags)
        outcome.cells.append(_cell(same, one.image, None, "no face"))
        return
    done = work.done(one.image, face, expression, tags)
    outcome.images.append(done.image[None])
    outcome.masks.append(done.mask[None])
    said = {"picture": number, "code": "", "expression": expression.name}
    known = {(note["picture"], note.get("text")) for note in outcome.notes}
    outcome.notes += [{**said, "text": note} for note in done.notes if (number, note) not in known]
    parent = one.shot or one.character.source
    shot = Shot(
        done.image,
        done.provenance if done.view else replace(done.provenance, parent=parent.hash),
        mask=None if one.shot is None or done.view else one.shot.mask,
        tags=replace(tags, expression=expression.tag, view=done.view or tags.view),
        scores=done.scores,
        include=done.include,
    )
    outcome.made.append(shot)
    shown = work.chosen(work.faces(done.image)) if done.view else face
    outcome.cells.append(_cell(shot, done.image, shown, expression.tag or expression.name))
    if one.shot is not None and shot.hash != one.shot.hash:
        name = key(1, shot=shot.hash, expression=expression.name)
        ShotStore(work.folder).save(name, shot)


def _cell(shot: Shot, image: torch.Tensor, face: Face | None, expression: str) -> Shot:
    """``shot`` for the sheet: ``face``, which was found in ``image``, and its expression alone."""
    part = shot.image
    if face is not None:
        left, top, right, bottom = surroundings(face, image, AROUND)
        part = part[top:bottom, left:right]
    return replace(shot, image=part, mask=None, tags=Tags(expression=expression))


def report(outcome: Outcome) -> str:
    """What was made and what could not be, a line for each."""
    lines = [f"{len(outcome.made)} of {len(outcome.images)} images have another expression."]
    for note in outcome.notes:
        where = f"Image {note['picture'] + 1}"
        if note["code"] == "no_face":
            unchanged = f"{where}: no face was found; it is unchanged."
            lines.append(" ".join(filter(None, (unchanged, note.get("turn")))))
        elif note["code"]:
            lines.append(f"{where}: only {note['count']} faces were found; it is unchanged.")
        else:
            lines.append(f"{where}, {note['expression']}: {note['text']}")
    return "\n".join(lines)
