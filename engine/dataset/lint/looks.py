"""What the lint sees in each picture, looked at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import dist
from typing import Any

import torch

from ...comfyui.progress import interruptible
from ...core.character import Character, Shot
from ...vision.faces import Face, find_heads
from ...vision.framing import face_share as share_of
from ...vision.sharpness import grey_of, sharpness

HEAD_APART = 1.0
"""Faces are of two people when their middles are a face's size apart; a second face nearer
than that is the same head found again."""
SAME_SIZE = 0.4
MARGIN = 0.1
LEAST_CROP = 8
"""Side in px of what sharpness can be told of at all."""


@dataclass(frozen=True, eq=False)
class Look:
    """One picture as the lint sees it.

    faces: of different people, the largest first; empty without a face model. size: px of the
    face's height, or of the whole picture's short side without a face. sharpness: of the face, or
    of the picture without one.
    """

    shot: Shot
    faces: tuple[Face, ...] = field(default=())
    size: float = 0.0
    sharpness: float = 0.0

    @property
    def face(self) -> Face | None:
        return self.faces[0] if self.faces else None


def looks(character: Character, face_model: Any = None) -> list[Look]:
    """Each picture of the dataset; an interrupt in ComfyUI ends it."""
    shots = interruptible(character.dataset)
    return [_look(shot, people(find_heads(face_model, shot.image))) for shot in shots]


def people(faces: list[Face]) -> tuple[Face, ...]:
    """Of ``faces``, the largest first, those of different people."""
    kept: list[Face] = []
    for face in faces:
        if kept and face.height < SAME_SIZE * kept[0].height:
            continue
        if all(dist(face.middle, other.middle) >= HEAD_APART * other.area**0.5 for other in kept):
            kept.append(face)
    return tuple(kept)


def face_share(look: Look) -> float | None:
    """Height of the face as a share of the picture's; None without one."""
    return None if look.face is None else share_of(look.face, look.shot.size[0])


def _look(shot: Shot, faces: tuple[Face, ...]) -> Look:
    image = shot.image
    crop, size = image, float(min(image.shape[:2]))
    if faces:
        size = faces[0].height
        part = _crop(image, faces[0])
        crop = part if min(part.shape[:2]) >= LEAST_CROP else image
    return Look(
        shot, faces, size, sharpness(grey_of(crop)) if min(crop.shape[:2]) >= LEAST_CROP else 0.0
    )


def _crop(image: torch.Tensor, face: Face) -> torch.Tensor:
    x0, y0, x1, y1 = face.box
    across, down = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
    top, left = max(0, int(y0 - down)), max(0, int(x0 - across))
    return image[top : max(0, int(y1 + down)) + 1, left : max(0, int(x1 + across)) + 1]
