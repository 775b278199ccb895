"""What a face tells of a picture: the view, the framing and the expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.vocabulary import VIEW_YAW
from .faces import Face

MEASURED_VIEWS = (
    "front",
    "three_quarter_left",
    "three_quarter_right",
    "profile_left",
    "profile_right",
)
"""The views that a yaw tells apart."""
PROFILES = ("profile_left", "profile_right")
ADULTS = (0.27, 0.13)
"""Height of the face, chin to forehead, as a share of the visible height: close-ups from the first
on, full-body shots up to the second. An adult is ten of these faces tall and shows four or five of
them from the waist up. A face model of other people says its own as ``framing_bands``."""

SMILES, OPEN, RAISED, FROWNS, LOWERED = 0.4, 0.25, 0.3, 0.25, 0.4
ALIKE = {"serious": "neutral"}
"""Expressions that no blendshape tells from another one."""


def bands_of(face_model: Any) -> tuple[float, float]:
    """The two shares of ``ADULTS``, for the people whom ``face_model`` knows."""
    bands: tuple[float, float] = getattr(face_model, "framing_bands", ADULTS)
    return bands


def view_of(yaw: float) -> str:
    """The view whose yaw is nearest to ``yaw`` degrees."""
    return min(MEASURED_VIEWS, key=lambda view: abs(VIEW_YAW[view] - yaw))


def framing_of(share: float, bands: tuple[float, float] = ADULTS) -> str:
    """The framing in which a face takes ``share`` of the visible height."""
    close, full = bands
    return "close_up" if share >= close else "full" if share <= full else "medium"


def face_share(face: Face, height: int) -> float:
    """The face's height as a share of that of its picture, which is ``height`` px high."""
    return face.height / height


def expression_of(blendshapes: Mapping[str, float]) -> str:
    """The expression of VOCABULARY that ``blendshapes`` (0..1, MediaPipe's names) show.

    'neutral' when none of the others is plain to see; a serious face is neutral by its blendshapes.
    """

    def both(name: str) -> float:
        sides = (blendshapes.get(f"{name}Left", 0.0), blendshapes.get(f"{name}Right", 0.0))
        return sum(sides) / 2

    brows_up = blendshapes.get("browInnerUp", 0.0)
    if both("mouthSmile") >= SMILES:
        return "smile"
    if blendshapes.get("jawOpen", 0.0) >= OPEN and max(brows_up, both("eyeWide")) >= RAISED:
        return "surprised"
    if both("browDown") >= LOWERED:
        return "angry"
    if both("mouthFrown") >= FROWNS and brows_up >= RAISED:
        return "sad"
    return "neutral"
