"""What a picture shows of what its prompt asks for, as far as that can be measured.

The view and the framing by the face, the expression by its blendshapes, colours by their names: of
the clothes on the chest, and of a background that is to be plain. A place, such as a beach, cannot
be measured without a model that knows words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..core.words import ENGLISH, table, words_for
from ..vision.colours import NAMED, SPELLED, colour_names, colour_word, to_lab
from ..vision.faces import Face
from ..vision.framing import (
    ALIKE,
    MEASURED_VIEWS,
    PROFILES,
    bands_of,
    expression_of,
    face_share,
    framing_of,
    view_of,
)
from ..vision.measures import measures_of

GARMENTS = words_for("score", table(ENGLISH)["garments"])
"""What is worn on the chest."""
_COLOUR = "|".join((*NAMED, *SPELLED))
_WORN = re.compile(
    rf"\b({_COLOUR})\b(?:[ -](?!and\b|with\b)\w+){{0,2}}[ -](?:{'|'.join(GARMENTS)})\b", re.I
)
_PLAIN = re.compile(rf"\bplain (?:\w+ )?({_COLOUR}) (?:background|backdrop|wall)\b", re.I)

SIDE = (0.6, 0.1)
"""Height, from above, and width of the picture's left and right side where hardly anybody stands,
as shares of the picture."""
STILL, PLAIN = 0.7, 9.0
"""So much of a plain surface is no farther than this from its middle, in each channel of CIELAB;
what is left over may be an arm or hair."""
SAME = 16.0
"""Distance in CIELAB up to which both sides show the same surface; light falls off."""


@dataclass(frozen=True)
class Shown:
    """What was seen in a picture; empty or None where nothing could be seen.

    framing, expression: values of VOCABULARY. clothes: what their colour may be called. backdrop:
    what the colour of a plain background may be called; empty when it is not plain. missed: no face
    was found by a model that does not find every profile.
    """

    framing: str = ""
    expression: str = ""
    clothes: tuple[str, ...] | None = None
    backdrop: tuple[str, ...] | None = None
    missed: bool = False


NOTHING = Shown()


def shown(
    image: torch.Tensor,
    head: Face | None,
    face_model: Any,
    clothes: tuple[float, float, float] | None,
) -> Shown:
    """What ``image`` (H, W, 3) shows. clothes: their colour in CIELAB, None when none are seen."""
    framing = expression = ""
    if head is not None:
        framing = framing_of(face_share(head, image.shape[0]), bands_of(face_model))
        expression = expression_of(head.blendshapes) if head.seen and head.blendshapes else ""
    found = head is not None or face_model is None or measures_of(face_model).sees_everybody
    colours = None if clothes is None else colour_names(clothes)
    return Shown(framing, expression, colours, backdrop(image), missed=not found)


def backdrop(image: torch.Tensor) -> tuple[str, ...]:
    """What the colour behind the person may be called; empty when it is not plain.

    It is looked for at both sides of ``image`` (H, W, 3).
    """
    height = max(4, round(SIDE[0] * image.shape[0]))
    width = max(4, round(SIDE[1] * image.shape[1]))
    sides = to_lab(torch.stack([image[:height, :width], image[:height, -width:]]).flatten(1, 2))
    middles = np.median(sides, axis=1)
    spread = np.quantile(np.abs(sides - middles[:, None]), STILL, axis=1)
    if spread.max() > PLAIN or np.linalg.norm(middles[0] - middles[1]) > SAME:
        return ()
    lightness, a, b = middles.mean(axis=0).tolist()
    return colour_names((lightness, a, b))


def asked_clothes(text: str) -> str:
    """The colour that ``text`` asks of what is worn on the chest; '' for none."""
    found = _WORN.search(text)
    return colour_word(found[1]) if found else ""


def asked_backdrop(text: str) -> str:
    """The colour of the plain background that ``text`` asks for; '' for none."""
    found = _PLAIN.search(text)
    return colour_word(found[1]) if found else ""


def right_view(asked: str, yaw: float | None, seen: Shown = NOTHING) -> bool | None:
    """Whether ``yaw`` in degrees is nearest to that of the view ``asked``; False without a face.

    None when no measurable view was asked for, or when it is a profile that may have been missed.
    """
    if asked not in MEASURED_VIEWS or (yaw is None and seen.missed and asked in PROFILES):
        return None
    return yaw is not None and view_of(yaw) == asked


def right_framing(asked: str, seen: Shown) -> bool | None:
    """Whether the framing ``asked`` for is seen; None where none was, or no face tells it."""
    if asked not in ("close_up", "medium", "full") or not seen.framing:
        return None
    return seen.framing == asked


def right_expression(asked: str, seen: Shown) -> bool | None:
    """Whether the expression ``asked`` for is seen; None where none was, or no face tells it."""
    if not asked or not seen.expression:
        return None
    return seen.expression == ALIKE.get(asked, asked)


def right_colours(text: str, seen: Shown) -> tuple[bool, ...]:
    """Whether each colour that ``text`` asks for is seen: of the clothes, of a plain background."""
    pairs = ((asked_clothes(text), seen.clothes), (asked_backdrop(text), seen.backdrop))
    return tuple(colour in names for colour, names in pairs if colour and names is not None)
