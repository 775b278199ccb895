"""Which LoRA to use, why, and what to do next: rules that a reader can check against the report.

The choice: of the LoRAs of which at most 5 % of pictures repeat a training picture (of all, when
none is so), the one with the highest identity, where more than 1 counts as 1: it is the character
then. One within 0.05 of it is as good, as four pictures tell no finer, and then the one whose
strength is nearer to 1 is taken, and of those the earlier step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..core.character import VIEW_YAW, VOCABULARY
from .calibrate import FEW, Interval
from .condition import CLOSE, Condition

if TYPE_CHECKING:
    from .score import ScoreCard

SAME, SOME = 0.75, 0.25
AS_GOOD = 0.05
COPY_RATE = 0.05
RIGHT_VIEWS = 0.7
STIFFER = 0.1
WIDE = 0.6
WEAK_VIEW = 0.25
LEAK_RATE = 0.25
SPOILED_RATE = 0.25
STILL_RISING = 0.05
LESS_DIVERSE = 0.5


def choose(tried: Sequence[Condition]) -> int:
    """The number of the one to use; the last when likeness could not be judged."""
    known = [number for number, one in enumerate(tried) if one.identity.value is not None]
    if not known:
        return len(tried) - 1
    clean = [n for n in known if (tried[n].copies.value or 0.0) <= COPY_RATE] or known
    alike = {n: min(1.0, tried[n].identity.value or 0.0) for n in clean}
    best = max(alike.values())
    close = [n for n in clean if alike[n] >= best - AS_GOOD]
    return min(close, key=lambda n: (round(abs(tried[n].strength - 1), 6), tried[n].step or 0, n))


def verdict(card: ScoreCard) -> str:
    """What to do, in a few sentences, the choice first."""
    problem = card.calibration.problem
    if problem:
        return f"Likeness cannot be judged. {problem}"
    found = (rule(card) for rule in RULES)
    return " ".join([_likeness(card), *(sentence for sentence in found if sentence)])


def _likeness(card: ScoreCard) -> str:
    value = card.best.identity.value or 0.0
    use = f"use {card.best.label}"
    last = max((one.step or 0 for one in card.tried), default=0)
    # Where a later step was tried and is no better, more steps are no advice.
    longer = "" if card.best.step is not None and card.best.step < last else ", or train longer"
    if value >= SAME and card.best.strangers:
        return f"It is the same character in {card.best.alike}: {use}{longer}."
    if value >= SAME:
        return f"It is the same character: {use}."
    if value >= CLOSE:
        return f"Close to the character, not yet the same: {use}{longer}."
    if value >= SOME:
        return "Only a likeness: train longer, or with more and better shots."
    return "The LoRA does not show the character: train longer or with a higher rate."


def _copies(card: ScoreCard) -> str:
    copies = card.best.copies
    count = repeated(copies)
    if not count:
        return _figures(card)
    what = card.shots.get(card.best.copied_shot, "")
    what = f" (most often: {what})" if what else ""
    return (
        f"But {count} of {copies.count} pictures repeat a training picture{what}: use an earlier "
        "step, or add shots that differ from it."
    )


def repeated(copies: Interval) -> int:
    """How many pictures are ``copies``, when they are more than 5 % and more than one; else 0.

    One of twelve is more than 5 % too, and may be chance.
    """
    count = round((copies.value or 0.0) * copies.count)
    return count if count > 1 and (copies.value or 0.0) > COPY_RATE else 0


def _figures(card: ScoreCard) -> str:
    """The person of a training picture over again, in another place."""
    figures = card.best.figures
    count = repeated(figures)
    if not count:
        return ""
    what = card.shots.get(card.best.copied_figure, "")
    what = f" (most often: {what})" if what else ""
    return (
        f"But {count} of {figures.count} pictures repeat the figure of a training picture in "
        f"another place{what}: use an earlier step, or add shots in other poses and clothes."
    )


def _obeys(card: ScoreCard) -> str:
    """What it shows too seldom of what is asked for."""
    best, off = card.best, card.off
    found = [
        sentence
        for what, on, without in (
            ("view", best.views, off.views),
            ("framing", best.framings, off.framings),
            ("expression", best.expressions, off.expressions),
            ("colour", best.colours, off.colours),
        )
        if (sentence := _obeyed(what, on.value, without.value or 0.0))
    ]
    return " ".join(found)


def _obeyed(what: str, on: float | None, off: float) -> str:
    if on is None or on >= RIGHT_VIEWS:
        return ""
    shown = f"It shows the {what} asked for in {on:.0%} of pictures"
    if off > on + STIFFER:
        return (
            f"{shown}, and in {off:.0%} without the LoRA: lower the strength or use an earlier "
            "step."
        )
    # Views alone are told where the model itself does not follow: likeness is judged by them.
    return f"{shown}, and no more often without the LoRA." if what == "view" else ""


def _weak_view(card: ScoreCard) -> str:
    """The view in which it is least like the character, when that is far below the rest."""
    whole = card.best.identity.value or 0.0
    known = {
        view: one.value
        for view, one in card.best.by_view.items()
        if one.value is not None and one.count > 1
    }
    if not known:
        return ""
    view = min(known, key=lambda one: known[one])
    if known[view] > whole - WEAK_VIEW:
        return ""
    words, yaw = VOCABULARY["view"][view], f"{VIEW_YAW[view]:.0f}".replace("-", "\N{MINUS SIGN}")
    return f"Add shots in the {words}: at yaw {yaw}° it scores {known[view]:.2f}."


def _leaks(card: ScoreCard) -> str:
    leaks, off = card.best.leaks, card.off.leaks.value or 0.0
    if card.garment is None or leaks.value is None or leaks.value - off <= LEAK_RATE:
        return ""
    count = round(leaks.value * leaks.count)
    what = card.garment.name or "the garment that most of its pictures show"
    return (
        f"In {count} of {leaks.count} pictures it wears {what}, which nobody asked for: name the "
        "clothes in the captions, or add shots in others."
    )


def _spoiled(card: ScoreCard) -> str:
    kept = card.best.unspoiled
    if kept.value is None or 1 - kept.value <= SPOILED_RATE:
        return ""
    count = round((1 - kept.value) * kept.count)
    return (
        f"{count} of {kept.count} pictures are blurred, noisy, burnt or faded beside those without "
        "the LoRA: lower the strength or use an earlier step."
    )


def _stiff(card: ScoreCard) -> str:
    on, off = card.best.diversity, card.off.diversity
    pairs = ((on.yaw, off.yaw), (on.expression, off.expression))
    known = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs]
    if not known or any(mine >= LESS_DIVERSE * theirs for mine, theirs in known):
        return ""
    return "By its trigger alone it always looks the same way: add shots that differ in pose."


def _strength(card: ScoreCard) -> str:
    """Whether the best strength is at an end of those tried, where it is not the character yet."""
    if (card.best.identity.value or 0.0) >= SAME:
        return ""
    same = [one for one in card.tried if one.step == card.best.step]
    strengths = sorted(one.strength for one in same)
    if len(strengths) < 2 or card.best.strength not in (strengths[0], strengths[-1]):
        return ""
    if card.best.strength == strengths[-1] and card.best.strength > 1:
        return "It is best at the highest strength that was tried: train longer."
    if card.best.strength == strengths[0] and card.best.strength < 1:
        return "It is best at the lowest strength that was tried: an earlier step may do better."
    return ""


def _longer(card: ScoreCard) -> str:
    """How much longer to train, when likeness was still rising at the last step."""
    value = card.best.identity.value or 0.0
    curve = sorted(
        (one.step, one.identity.value)
        for one in card.tried
        if one.step is not None
        and one.identity.value is not None
        and one.strength == card.best.strength
    )
    if value >= SAME or len(curve) < 2 or card.best.step != curve[-1][0]:
        return ""
    if curve[-1][1] - curve[-2][1] < STILL_RISING:
        return ""
    return f"It was still rising: train {curve[-1][0] - curve[-2][0]} steps more."


def _uncertain(card: ScoreCard) -> str:
    low, high = card.best.identity.low, card.best.identity.high
    if low is None or high is None or high - low <= WIDE:
        return ""
    return (
        f"The figure is uncertain ({low:.2f} to {high:.2f}): use more samples, or a dataset with "
        "more shots."
    )


def _few(card: ScoreCard) -> str:
    count = len(card.best.scenes)
    return f"Measured on {count} pictures only: a rough figure." if count < FEW else ""


RULES: tuple[Callable[[ScoreCard], str], ...] = (
    _copies, _leaks, _spoiled, _obeys, _weak_view, _stiff, _strength, _longer, _uncertain, _few,
)  # fmt: skip
"""What is said after the likeness, in this order, where it holds."""
