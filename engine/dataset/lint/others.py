"""Pictures of somebody else, as a recognition model tells them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import torch

from ...core.character import Character
from ...vision.alignment import SIDE
from ...vision.by_picture import ByPicture
from ...vision.crops import FACE_CROPS, person_mask
from ...vision.embedders import FaceEmbedder, label
from ...vision.faces import Face
from .finding import Finding, found
from .looks import Look

FEWEST = 4
"""Pictures of which it can be said who most of them show."""
ARCFACE = 0.25
"""Similarity below which a model of the ArcFace family sees somebody else. On 26 photographs of ten
people one was at 0.58 and more with those of the same, and on average at 0.03 with the others'."""
FARTHER = 3.0
"""Times as far from the others as is usual (1 - cosine) where nobody says what is the same. With
dlib's network 12 pairs of photographs of one person reach 1.7, and others' are at 4.6 on average;
of 480 sets of drawn people, with one or three pictures of another one, seen whole, none has a
picture of the character beyond it, and in 5 % one of the other is nearer."""
LEAST_USUAL = 0.2
"""Where the pictures themselves are no more alike, a model does not know such faces."""

_SEEN: ByPicture[torch.Tensor] = ByPicture()
"""Of this process: the embeddings (F, D) of the faces in pictures, or of the whole picture."""


def other_people(
    character: Character,
    seen: Sequence[Look],
    embedder: FaceEmbedder | None,
    background: Any = None,
) -> tuple[list[Finding], list[str]]:
    """Pictures in ``seen`` that are hardly like the others, and what could not be judged.

    Of several people in one the likest counts. Most of the pictures have to be the character's.
    background: what goes over BACKGROUND_REMOVAL, for an embedder that looks at people alone.
    """
    if embedder is None:
        return [], ["Somebody else's pictures: skipped, no face embedder is connected."]
    if character.companions:
        return [], ["Somebody else's pictures: skipped, there are several characters."]
    vectors = _embeddings(embedder, seen, background)
    known = [number for number, one in enumerate(vectors) if len(one)]
    if len(known) < FEWEST:
        return [], [
            f"Somebody else's pictures: skipped, {len(known)} of {len(seen)} show a face, and "
            f"{FEWEST} are needed."
        ]
    likeness = {one: _likeness(vectors, one, known) for one in known}
    usual = median(likeness.values())
    least = _least(embedder, usual)
    if usual < max(least, LEAST_USUAL):
        return [], [
            f"Somebody else's pictures: skipped, the images are not alike to {label(embedder)} "
            f"(similarity {usual:.2f})."
        ]
    return [
        found(
            "somebody_else",
            [seen[one].shot.hash],
            f"This seems to be somebody else: similarity to the other images is {value:.2f}, where "
            f"{usual:.2f} is usual ({label(embedder)}).",
        )
        for one, value in likeness.items()
        if value < least
    ], []


def _least(embedder: FaceEmbedder, usual: float) -> float:
    """The similarity below which a picture is of somebody else, where ``usual`` is the others'."""
    card = embedder.model.card
    if card.same_from is not None:
        return card.same_from
    if (card.crop, card.size, card.mean) == ("aligned face", SIDE, None):
        return ARCFACE
    return 1 - FARTHER * (1 - usual)


def _likeness(vectors: Sequence[torch.Tensor], one: int, known: Sequence[int]) -> float:
    """The median cosine of picture ``one`` with the others, of its face that is likest to them."""
    cosines = [(vectors[one] @ vectors[other].T).amax(dim=1) for other in known if other != one]
    return float(torch.stack(cosines).median(dim=0).values.max())


def _embeddings(
    embedder: FaceEmbedder, seen: Sequence[Look], background: Any
) -> list[torch.Tensor]:
    """The embeddings (F, D) of each picture's faces, (0, D) of none; (1, D) of what is seen
    without looking for faces."""

    def embed(places: Sequence[int]) -> list[torch.Tensor]:
        looks = [seen[place] for place in places]
        by_faces = embedder.crop in FACE_CROPS
        faces_of: list[Sequence[Face | None]] = [
            [face for face in look.faces if face.seen] if by_faces else [None] for look in looks
        ]
        parts = [
            (look.shot, face) for look, faces in zip(looks, faces_of, strict=True) for face in faces
        ]
        masks = None
        if embedder.crop == "without background":
            masks = (person_mask(background, shot.image) for shot, _ in parts)
        images, faces = (shot.image for shot, _ in parts), (face for _, face in parts)
        found = embedder.embed(images, masks, faces)
        counts = [len(faces) for faces in faces_of]
        each = zip(found.vectors.split(counts), found.found.split(counts), strict=True)
        return [vectors[there] for vectors, there in each]

    pictures = [(look.shot.hash, *(face.box for face in look.faces)) for look in seen]
    return _SEEN.of(embedder, pictures, embed)
