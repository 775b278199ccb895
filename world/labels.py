"""Labels of the training pictures as arrays, for the recognisers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dataset import PICTURES_PER_PERSON, scene_of
from .identity import ATTRIBUTES, Identity
from .scene import SCENE_ATTRIBUTES

HEADS: dict[str, tuple[str, ...]] = {**ATTRIBUTES, **SCENE_ATTRIBUTES}
"""Every attribute that a recogniser names, with its values."""


@dataclass(frozen=True)
class Labels:
    """`classes`: attribute to (people, 5) int64; `numbers`: (people, 21) continuous parameters."""

    classes: dict[str, np.ndarray]
    numbers: np.ndarray


def visible(attribute: str, classes: dict[str, np.ndarray]) -> np.ndarray:
    """Where an attribute can be told from the picture at all: bool, shaped like the classes."""
    view, framing = classes["view"], classes["framing"]
    back = view == SCENE_ATTRIBUTES["view"].index("back")
    close = framing == SCENE_ATTRIBUTES["framing"].index("close_up")
    plain = classes["place"] == SCENE_ATTRIBUTES["place"].index("plain")
    dress = classes["top"] == SCENE_ATTRIBUTES["top"].index("dress")
    seen = np.ones(view.shape, bool)
    if attribute in ("expression", "eyes", "glasses", "beard", "face_shape"):
        seen = ~back
    if attribute == "pose":
        seen = ~close
    if attribute in ("bottom", "bottom_colour"):
        seen = (framing == SCENE_ATTRIBUTES["framing"].index("full")) & ~dress
    if attribute == "background_colour":
        seen = plain
    if attribute == "hair":
        seen = classes["hair_style"] != ATTRIBUTES["hair_style"].index("bald")
    return seen


def labels_of(first: int, count: int) -> Labels:
    """Labels of people `first` .. `first + count - 1`."""
    people = [Identity.from_seed(i) for i in range(first, first + count)]
    classes = {
        name: np.array([[values.index(getattr(p, name))] * PICTURES_PER_PERSON for p in people])
        for name, values in ATTRIBUTES.items()
    }
    scenes = [[scene_of(p.seed, k) for k in range(PICTURES_PER_PERSON)] for p in people]
    for name, values in SCENE_ATTRIBUTES.items():
        classes[name] = np.array([[values.index(getattr(s, name)) for s in row] for row in scenes])
    return Labels(classes, np.array([p.numbers() for p in people], np.float32))
