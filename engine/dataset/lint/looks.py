"""What the lint sees in each picture, looked at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from ...comfyui.progress import interruptible
from ...core.character import Character, Shot
from ...vision.by_picture import heads_in
from ...vision.faces import Face
from ...vision.framing import face_share as share_of
from ...vision.people import different_people
from ...vision.sharpness import grey_of, sharpness

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
    shots = character.dataset
    found = zip(shots, heads_in(face_model, shots), strict=True)
    return [_look(shot, different_people(heads)) for shot, heads in interruptible(found)]


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
