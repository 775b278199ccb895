"""Which expression a face has, by its blendshapes."""

from __future__ import annotations

from collections.abc import Mapping

SMILES, OPEN, RAISED, FROWNS, LOWERED = 0.4, 0.25, 0.3, 0.25, 0.4
ALIKE = {"serious": "neutral"}
"""Expressions that no blendshape tells from another one."""


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
