"""What is wrong with single pictures."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from statistics import median
from typing import Any

from ...core.character import Character
from ...vision.faces import lies_on_its_side
from ...vision.framing import bands_of
from .finding import Finding, found
from .looks import Look, face_share

TURNED_AWAY = ("back", "profile_left", "profile_right")
"""Views that a face detector may find no face in, although nothing is wrong."""
LEAST_SHARP = 0.5
"""Share of the sharpness that faces of this size have, below which one is blurred."""
PEERS = 15
FEWEST_PEERS = 5
TINY_SHARE = 0.4
"""Of the height that a face has in a full-body shot at most: 53 px of 1024 for an adult."""
FAR = 0.35
"""Height of a whole subject as a share of the picture's, below which no face can be seen."""
LEAST_SIDE = 0.6
"""Share of the side that is trained at, below which a picture is too small."""
EMPTY_MASK = 0.002
ODD_WEIGHT = 4.0


def picture_findings(
    character: Character, seen: Sequence[Look], face_model: Any = None, resolution: int = 0
) -> list[Finding]:
    """The faults of each picture in ``seen``; ``resolution`` 0 stands for the usual size."""
    findings = blurred(seen)
    if face_model is not None:
        # What is blurred too much for a face to be found is reported once.
        hazy = {shot for finding in findings for shot in finding.shots}
        findings += faces(character, seen, face_model, hazy)
    return findings + small(seen, resolution) + weights(seen) + masks(seen)


def blurred(seen: Sequence[Look]) -> list[Finding]:
    """Pictures less than half as sharp as the others in which the face has about this size.

    Sharpness depends on the scale, so that each is held to its 15 neighbours by size.
    """
    findings = []
    for of_faces in (True, False):
        group = sorted((one for one in seen if bool(one.faces) is of_faces), key=lambda x: x.size)
        if len(group) < FEWEST_PEERS:
            continue
        for place, look in enumerate(group):
            start = min(max(0, place - PEERS // 2), max(0, len(group) - PEERS))
            usual = median(peer.sharpness for peer in group[start : start + PEERS])
            if look.sharpness < LEAST_SHARP * usual:
                share = round(100 * look.sharpness / usual)
                what = "face" if of_faces else "image"
                says = f"The {what} is blurred: {share} % as sharp as others of its size."
                findings.append(found("blurred", [look.shot.hash], says))
    return findings


def small(seen: Sequence[Look], resolution: int = 0) -> list[Finding]:
    """Pictures much smaller than what is trained at."""
    sides = [math.prod(look.shot.size) ** 0.5 for look in seen]
    wanted = resolution or (median(sides) if sides else 0)
    findings = []
    for look, side in zip(seen, sides, strict=True):
        if side < LEAST_SIDE * wanted:
            rows, columns = look.shot.size
            size = f"{columns} x {rows} px; training needs about {wanted:.0f} px"
            findings.append(found("small_picture", [look.shot.hash], f"The image is {size}."))
    return findings


def weights(seen: Sequence[Look]) -> list[Finding]:
    """Weights that hide a picture, or let one speak for many."""
    given = [look.shot.weight for look in seen]
    usual = median([weight for weight in given if weight > 0] or [1.0])
    findings = []
    for look, weight in zip(seen, given, strict=True):
        if not math.isfinite(weight) or weight < 0:
            says, effect = "no weight at all", "The trainer stops at it."
        elif weight == 0:
            says, effect = "that of an image left out", "The LoRA never sees this image."
        elif weight > ODD_WEIGHT * usual:
            says = f"more than {ODD_WEIGHT:.0f} times the others'"
            effect = "The LoRA memorises this one image."
        else:
            continue
        better = usual if math.isfinite(usual) else 1.0
        says = f"The weight {weight:g} is {says}."
        findings.append(found("odd_weight", [look.shot.hash], says, better, effect=effect))
    return findings


def masks(seen: Sequence[Look]) -> list[Finding]:
    """Masks that leave nothing to learn."""
    return [
        found("empty_mask", [look.shot.hash], "The mask is empty.")
        for look in seen
        if look.shot.mask is not None and float(look.shot.mask.mean()) < EMPTY_MASK
    ]


def faces(
    character: Character, seen: Sequence[Look], face_model: Any, hazy: Container[str] = ()
) -> list[Finding]:
    """No face where one should be, faces too small to learn from, and more people than belong.

    hazy: hashes of pictures that a face is not expected to be found in.
    """
    tiny = TINY_SHARE * bands_of(face_model)[1]
    allowed = 1 + len(character.companions)
    findings = []
    for look in seen:
        share, name = face_share(look), look.shot.hash
        if share is None:
            findings += [] if name in hazy else _faceless(look, face_model)
        elif share < tiny and look.face is not None:
            says = f"The face is {look.face.height:.0f} px high."
            findings.append(found("tiny_face", [name], says))
        if len(look.faces) > allowed:
            says = f"There are {len(look.faces)} people in the image, and {allowed} should be."
            findings.append(found("several_people", [name], says))
    return findings


def _faceless(look: Look, face_model: Any) -> list[Finding]:
    name, tags, mask = look.shot.hash, look.shot.tags, look.shot.mask
    if tags.view in TURNED_AWAY:
        return []
    subject = mask.amax(dim=1) > 0.5 if mask is not None else None
    if subject is not None and 0 < float(subject.float().mean()) < FAR:
        share = round(100 * float(subject.float().mean()))
        says = f"The character takes {share} % of the image's height, and no face is found."
        return [found("tiny_face", [name], says)]
    lying = lies_on_its_side(face_model, look.shot.image)
    if lying:
        return [found("no_face", [name], f"No face is found. {lying}")]
    asked = f"is tagged {tags.view}" if tags.view else "has no view tagged"
    return [found("no_face", [name], f"No face is found in an image that {asked}.")]
