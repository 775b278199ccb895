"""What the next attempt does differently: each cause has its remedy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..attempts import Attempt, spread
from .judge import COPY, NO_FACE, UNLIKE, VIEW, Verdict
from .wording import Emphasis, Wording

STRONGER, WEAKER, LESS_STIFF = 0.25, 0.2, 0.1
LEAST, MOST = 0.1, 1.5


def next_attempt(
    first: Attempt,
    before: Sequence[Verdict],
    adjustable: bool,
    write: Callable[[Emphasis], Wording],
) -> Attempt:
    """The attempt after those ``before``, the first of which was ``first``.

    adjustable: whether the LoRA's strength can be changed at all. write: the prompts.
    """
    strength, emphasis = first.lora_strength or 0.0, emphasis_after(before)
    new = strength_after(strength, before) if adjustable else round(strength, 3)
    wording = write(emphasis)
    return replace(
        first,
        seed=spread(first.seed, len(before)),
        prompt=wording.positive,
        negative=wording.negative,
        lora_strength=new,
        reason=_reason(strength, new, emphasis) if before else "",
    )


def strength_after(strength: float, before: Sequence[Verdict]) -> float:
    """The LoRA's strength after attempts, the first of which was made at ``strength``.

    Too unlike the original: stronger. A training image over again: weaker, whatever else was wrong,
    since a copy says nothing of likeness. The wrong view for the second time: a little weaker,
    which frees the pose.
    """
    new, views = strength, 0
    for verdict in before:
        if COPY in verdict.causes:
            new -= WEAKER
        elif UNLIKE in verdict.causes:
            new += STRONGER
        elif VIEW in verdict.causes:
            views += 1
            new -= LESS_STIFF if views > 1 else 0.0
    # A strength that a person set beyond the bounds is theirs.
    return round(min(max(new, min(LEAST, strength)), max(MOST, strength)), 3)


def emphasis_after(before: Sequence[Verdict]) -> Emphasis:
    """What the prompt says more firmly after attempts.

    Too unlike the original: what anchors the character. The wrong view: the view. No face: that it
    shows.
    """
    unlike = sum(UNLIKE in verdict.causes and COPY not in verdict.causes for verdict in before)
    causes = {cause for verdict in before for cause in verdict.causes}
    return Emphasis(unlike, VIEW in causes, NO_FACE in causes)


def _reason(strength: float, new: float, emphasis: Emphasis) -> str:
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
