"""What the next try does differently: each cause has its remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .judge import COPY, NO_FACE, UNLIKE, VIEW, Verdict
from .wording import Emphasis

STRONGER, WEAKER, LESS_STIFF = 0.25, 0.2, 0.1
LEAST, MOST = 0.1, 1.5
SEEDS_BETWEEN_TRIES = 0x9E3779B97F4A7C15
"""Odd and far, so that the tries of pictures with neighbouring seeds do not meet."""


@dataclass(frozen=True)
class Plan:
    """How a try is made. strength: the LoRA's; why: what it does differently, in words."""

    strength: float
    emphasis: Emphasis
    why: str = ""


def plan(strength: float, before: Sequence[Verdict], adjustable: bool) -> Plan:
    """The next try after those ``before``, the first of which was made at ``strength``.

    Too unlike the original: the LoRA stronger, and its words. A training picture over again: the
    LoRA weaker, whatever else was wrong, since a copy says nothing of likeness. The wrong view: its
    words stronger, and from the second time the LoRA a little weaker, which frees the pose. No
    face: it is asked for. adjustable: whether the strength can be changed at all.
    """
    new = strength
    unlike = copies = views = 0
    for verdict in before:
        if COPY in verdict.causes:
            copies += 1
            new -= WEAKER
            continue
        if UNLIKE in verdict.causes:
            unlike += 1
            new += STRONGER
        elif VIEW in verdict.causes:
            views += 1
            new -= LESS_STIFF if views > 1 else 0.0
    causes = {cause for verdict in before for cause in verdict.causes}
    # A strength that a person set beyond the bounds is theirs.
    new = min(max(new, min(LEAST, strength)), max(MOST, strength)) if adjustable else strength
    new = round(new, 3)
    emphasis = Emphasis(unlike, VIEW in causes, NO_FACE in causes)
    return Plan(new, emphasis, _why(strength, new, emphasis) if before else "")


def _why(strength: float, new: float, emphasis: Emphasis) -> str:
    parts = ["new seed"]
    if new != strength:
        parts.append(f"LoRA at {new:g}")
    if emphasis.likeness:
        parts.append("firmer words for the character")
    if emphasis.view:
        parts.append("stronger words for the view")
    if emphasis.face:
        parts.append("the face asked for")
    return ", ".join(parts)


def seed_of(seed: int, number: int, attempt: int) -> int:
    """The seed of try ``attempt``, from 1, of picture ``number``, from 0, of one prompt.

    The first try of the first picture has ``seed`` itself, as any sampler node would make it.
    """
    return (seed + number + (attempt - 1) * SEEDS_BETWEEN_TRIES) % 2**64
