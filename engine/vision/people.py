"""People in a picture, by core's detection model RT-DETR, loaded as a MODEL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist
from typing import Any

import torch

from ..comfyui.internals import internal
from ..core.errors import FacetError
from .faces import Boxed, Face

SIDE = 640
"""The square that the detector was trained on; pictures are stretched to it, as core does."""
CONFIDENCE = 0.5
SECOND_PERSON = 0.35
"""Somebody counts from this share of the largest person's height on."""
HEAD_APART = 1.0
"""Faces are of two people when their middles are a face's size apart; a second face nearer
than that is the same head found again."""
SAME_SIZE = 0.4


@dataclass(frozen=True)
class Person(Boxed):
    """One person in a picture. box: x0, y0, x1, y1 px. score: 0..1."""

    box: tuple[float, float, float, float]
    score: float


def check_detector(model: Any) -> None:
    """Raises FacetError with a sentence when ``model`` is no detection model."""
    family = type(model.model).__name__
    if family != "RT_DETR_v4":
        raise FacetError(
            f"A {family} model finds no people; connect an RT-DETR model, loaded with Load "
            "Diffusion Model, as person_detector."
        )


@torch.no_grad()
def find_people(model: Any, image: torch.Tensor) -> list[Person]:
    """Every person in ``image`` (H, W, 3) in 0..1, largest first.

    ``model`` is a MODEL of class RT_DETR_v4; it is asked as core's `RTDETR_detect` asks it.
    """
    import comfy.model_management
    import comfy.utils

    comfy.model_management.load_model_gpu(model)
    picture = image[None, ..., :3].movedim(-1, 1)
    height, width = image.shape[:2]
    picture = comfy.utils.common_upscale(picture, SIDE, SIDE, "bilinear", "disabled")
    (found,) = model.model.diffusion_model(picture, (width, height))
    person = internal("COCO_CLASSES").index("person")
    people = []
    for box, label, score in zip(found["boxes"], found["labels"], found["scores"], strict=True):
        if int(label) == person and float(score) > CONFIDENCE:
            x0, y0, x1, y1 = (float(value) for value in box)
            x0, x1 = max(0.0, x0), min(float(width), x1)
            y0, y1 = max(0.0, y0), min(float(height), y1)
            if x1 > x0 and y1 > y0:
                people.append(Person((x0, y0, x1, y1), float(score)))
    return sorted(people, key=lambda one: one.area, reverse=True)


def comparable(found: Sequence[Boxed], share: float) -> int:
    """How many of ``found``, the largest first, have ``share`` of the first one's height."""
    return sum(one.height >= share * found[0].height for one in found)


def different_people(faces: Sequence[Face]) -> tuple[Face, ...]:
    """Of ``faces``, the largest first, those of different people of comparable size."""
    kept: list[Face] = []
    for face in faces:
        if kept and face.height < SAME_SIZE * kept[0].height:
            continue
        if all(dist(face.middle, other.middle) >= HEAD_APART * other.area**0.5 for other in kept):
            kept.append(face)
    return tuple(kept)
