"""What is said of the LoRA that was chosen: rules that a reader can check against the report.

What is asked of each metric stands in metrics.py, which LoRA is chosen in choice.py. What is asked
beside them stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.vocabulary import VIEW_YAW, VOCABULARY
from . import held_out, metrics
from .calibrate import FEW, Interval
from .choice import AS_GOOD, as_like, behind, copies, obedience, slack
from .metrics import COPIES, HELD_OUT, IDENTITY, POSE_COPIES, Cure, Metric, Needs, Unjudged
from .sample import CLOSE
from .text import DASH, degrees, images, percent, turning, two_places
from .variant import Variant

if TYPE_CHECKING:
    from .score import ScoreCard

SOME = 0.25
WIDE = 0.6
WEAK_VIEW = 0.25
STILL_RISING = 0.05
LESS_DIVERSE = 0.5
FACE_RECOGNITION = "face recognition"


@dataclass(frozen=True)
class Judgement:
    """A rule and what it found here: what it claims, what it asks, and whether it holds.

    holds: None where that is unknown. fault: what the verdict says where it does not hold.
    """

    claim: str
    bar: str
    found: str
    holds: bool | None
    fault: str = ""


def verdict(card: ScoreCard) -> str:
    """What to do, in a few sentences, the choice first."""
    problem = card.calibration.problem
    if problem:
        return f"Similarity cannot be judged. {problem}"
    said = [
        _choice(card),
        *_trade(card),
        *_second(card),
        *_faults(judged(card)),
        *_advice(card),
        *_faults(doubts(card)),
    ]
    return " ".join(said)


def judged(card: ScoreCard) -> list[Judgement]:
    """Every rule about the chosen LoRA, in the order of the verdict's sentences."""
    rules = [one for one in metrics.METRICS if not isinstance(one.rule, Unjudged)]
    rules.sort(key=lambda one: (one is not IDENTITY, not one.first))
    same, *others = (_of_metric(card, one) for one in rules)
    return [same, _strangers(card), *others, _weak_view(card), _diversity(card)]


def doubts(card: ScoreCard) -> list[Judgement]:
    """How sure the numbers are."""
    return [_certain(card.best.identity), _often_enough(len(card.best.scenes))]


def words(card: ScoreCard, metric: Metric) -> dict[str, Any]:
    """What may stand in a metric's texts.

    noun: Identity or Similarity. value, baseline: the shares with and without LoRA. count: how many
    of the samples are wrong, of total. often: the training image that is repeated most, in
    brackets. garment: the dataset's own. alike: how many scenes are like the character. problem:
    why there is no scale. unlike: why there is none with the held-out pictures.
    """
    value, baseline = card.best[metric], card.off[metric]
    repeated = card.best.most_often(metric.training_image) if metric.training_image else ""
    what = card.shots.get(repeated, "")
    garment = card.garment.name if card.garment else ""
    return {
        "noun": noun(card),
        "value": value.value or 0.0,
        "baseline": baseline.value or 0.0,
        "count": metric.wrong(value),
        "total": value.count,
        "often": f" (most often: {what})" if what else "",
        "garment": garment or "the garment that most of its shots show",
        "alike": card.best.alike,
        "problem": card.calibration.problem,
        "unlike": held_out.reason(card.held_out_calibration),
    }


def noun(card: ScoreCard) -> str:
    """What the first metric may be called: looking alike is not yet being recognised."""
    measured_by = str(card.settings.get("measured_by", ""))
    return "Identity" if measured_by.startswith(FACE_RECOGNITION) else "Similarity"


def unmet(card: ScoreCard, metric: Metric) -> str:
    """What ``metric`` needs and does not have, in a sentence; '' where it has all."""
    has = {
        Needs.FACES: card.best[metrics.FACES].value is not None,
        Needs.PEOPLE: card.best[metric].value is not None,
        Needs.GARMENT: card.garment is not None,
        Needs.HELD_OUT: card.held_out_calibration is not None,
    }
    return next((need.value for need in metric.needs if not has[need]), "")


def _faults(found: Sequence[Judgement]) -> list[str]:
    return [one.fault for one in found if one.holds is False and one.fault]


def _of_metric(card: ScoreCard, metric: Metric) -> Judgement:
    value, baseline, unit, rule = card.best[metric], card.off[metric], metric.unit, metric.rule
    holds = None if Needs.GARMENT in metric.needs and card.garment is None else _holds(card, metric)
    found = unit.text(value.value)
    if rule.relative and value.value is not None:
        found += f", baseline {unit.text(baseline.value)}"
    return Judgement(metric.claim, rule.text(unit), found, holds, _fault(card, metric))


def _holds(card: ScoreCard, metric: Metric) -> bool | None:
    return metric.rule.holds(card.best[metric], card.off[metric])


def _fault(card: ScoreCard, metric: Metric) -> str:
    said_already = [one for one in metrics.METRICS if one.name == metric.unless]
    if any(_holds(card, one) is False for one in said_already):
        return ""
    given = words(card, metric)
    if metric.as_before and given["baseline"] <= given["value"] + metrics.NEAR:
        return metric.as_before.format(**given)
    if not metric.fault:
        return ""
    return f"{metric.fault.format(**given)}: {_advised(card, metric)}."


def _advised(card: ScoreCard, metric: Metric) -> str:
    """What to do about ``metric``: of what mends it, what was not measured yet."""
    strength = card.best.strength
    cures = [one.value.format(strength=strength) for one in metric.cures if not _tried(card, one)]
    *others, last = [*cures, metric.advice]
    return f"{', '.join(others)}, or {last}" if others else last


def _tried(card: ScoreCard, cure: Cure) -> bool:
    """Whether ``cure`` was measured: nobody need be told to try it."""
    step, strength = card.best.step or 0, card.best.strength
    if cure is Cure.WEAKER:
        return any((o.step or 0) == step and o.strength < strength for o in card.tried)
    return any(o.strength == strength and (o.step or 0) < step for o in card.tried)


def _choice(card: ScoreCard) -> str:
    value = card.best.identity.value or 0.0
    use = f"use {card.best.label}"
    # Where a later step was tried and is no better, more steps are no advice.
    last = max((one.step or 0 for one in card.tried), default=0)
    longer = card.best.step is None or card.best.step == last
    if _holds(card, IDENTITY) and card.best.strangers:
        alike = f"It is the same character in {card.best.alike}: {use}"
        return f"{alike}, or train longer." if longer else f"{alike}."
    if _holds(card, IDENTITY):
        return f"It is the same character: {use}."
    if value >= CLOSE:
        close = f"Close to the character, not yet the same: {use}"
        return f"{close}, or train longer." if longer else f"{close}."
    train = "train longer, or with" if longer else "train with"
    if value >= SOME:
        return f"Only a resemblance: {train} more and better shots."
    return f"The LoRA does not show the character: {train} a higher learning rate."


def _trade(card: ScoreCard) -> Iterator[str]:
    """What was given for what: beside the likest, one that copies, and the one that obeys best."""
    tried, chosen, most = card.compared, card.chosen, card.calibration.most
    likest = next((tried[n] for n in as_like(tried, most)), chosen)
    better, worse = _differences(chosen, likest)
    if better:
        but = f", but {', '.join(worse)}" if worse else ""
        yield (
            f"Chosen over {likest.label}, which is as similar on {_on(likest)} ("
            f"{two_places(likest.identity.value)}, this one {two_places(chosen.identity.value)}): "
            f"{', '.join(better)}{but}."
        )
    copying = [one for one in tried if copies(one) and behind(chosen, one, most) > AS_GOOD]
    if copying and not copies(chosen):
        one = max(copying, key=lambda one: behind(chosen, one, most))
        yield (
            f"Not {one.label}: its {noun(card).lower()} is {two_places(one.identity.value)}, but "
            f"it reproduces a training image in {COPIES.wrong(one[COPIES])} of "
            f"{images(one[COPIES].count)}."
        )
    freer = [one for one in tried if not copies(one) and _obeys_better(card, one)]
    if freer:
        one = max(freer, key=lambda one: one.identity.value or 0.0)
        mine = card.over(chosen, one)
        better, _ = _differences(one, mine)
        yield (
            f"More obedient but less similar on {_on(one)}: {one.label}, with {noun(card).lower()} "
            f"{two_places(one.identity.value)} instead of {two_places(mine.identity.value)}, "
            f"{', '.join(better)}."
        )


def _second(card: ScoreCard) -> Iterator[str]:
    """The likeness with pictures that were held out, where it is what it should be."""
    if _holds(card, HELD_OUT):
        yield (
            f"With the held-out pictures, which neither what made the shots nor the trainer has "
            f"seen, {noun(card).lower()} is {card.best[HELD_OUT].text}: the harder figure."
        )


def _obeys_better(card: ScoreCard, one: Variant) -> bool:
    """Whether ``one``, no stranger, obeys better than the chosen one on the scenes of both."""
    if (one.identity.value or 0.0) < CLOSE:
        return False
    gained = obedience(one) - obedience(card.over(card.chosen, one))
    return gained > slack(len(one.scenes))


def _on(one: Variant) -> str:
    return f"the same {len(one.scenes)} scenes"


def _differences(one: Variant, other: Variant) -> tuple[list[str], list[str]]:
    """In what ``one`` is better than ``other``, and in what it is worse, with both numbers."""
    better: list[str] = []
    worse: list[str] = []
    for metric in metrics.METRICS:
        mine, theirs = one[metric].value, other[metric].value
        compared = metric.obeys or metric in (COPIES, POSE_COPIES)
        if not compared or mine is None or theirs is None or mine == theirs:
            continue
        text, unit = metric.label.lower(), metric.unit
        into = better if metric.good(mine) > metric.good(theirs) else worse
        into.append(f"{text} {unit.text(mine)} instead of {unit.text(theirs)}")
    return better, worse


def _strangers(card: ScoreCard) -> Judgement:
    count = card.best.strangers
    holds = None if card.best.identity.value is None else count == 0
    return Judgement("No image is closer to a stranger", "0", str(count), holds)


def _weak_view(card: ScoreCard) -> Judgement:
    """The view in which it is least like the character, when that is far below the rest."""
    claim, bar = "No view is far below the rest", f"none more than {WEAK_VIEW:g} below"
    whole = card.best.identity.value
    known = {
        view: one.value
        for view, one in card.best.by_view.items()
        if one.value is not None and one.count > 1
    }
    if not known:
        return Judgement(claim, bar, DASH, None)
    view = min(known, key=lambda one: known[one])
    return Judgement(
        claim,
        bar,
        f"{view.replace('_', ' ')} {two_places(known[view])}",
        None if whole is None else known[view] > whole - WEAK_VIEW,
        f"Add shots in the {VOCABULARY['view'][view]}: at yaw {degrees(VIEW_YAW[view])} similarity "
        f"is {known[view]:.2f}.",
    )


def _diversity(card: ScoreCard) -> Judgement:
    """Whether the trigger alone gives more than one look."""
    on, off = card.best.diversity, card.off.diversity
    pairs = ((on.yaw, off.yaw), (on.expression, off.expression))
    known = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs]
    return Judgement(
        "The trigger alone gives different poses",
        f"at least {percent(LESS_DIVERSE)} of the baseline",
        f"heads {turning(on.yaw)}, faces {two_places(on.expression)}; baseline {turning(off.yaw)}, "
        f"{two_places(off.expression)}",
        any(mine >= LESS_DIVERSE * theirs for mine, theirs in known) if known else None,
        "Prompted with the trigger only, every image has the same pose: add shots in other poses "
        "and with other expressions.",
    )


def _certain(identity: Interval) -> Judgement:
    claim, bar = "The similarity is certain", f"interval of {WIDE:g} or less"
    low, high = identity.low, identity.high
    if low is None or high is None:
        return Judgement(claim, bar, DASH, None)
    return Judgement(
        claim,
        bar,
        two_places(high - low),
        high - low <= WIDE,
        f"The similarity is uncertain ({low:.2f} to {high:.2f}): use more samples, or a dataset "
        "with more shots.",
    )


def _often_enough(count: int) -> Judgement:
    return Judgement(
        "Enough scenes were measured",
        f"{FEW} scenes or more",
        str(count),
        count >= FEW,
        f"Measured on {images(count)} only: a rough estimate.",
    )


def _advice(card: ScoreCard) -> Iterator[str]:
    """What to try next, where it is not the character yet."""
    if not _holds(card, IDENTITY):
        yield from filter(None, (_strength(card), _longer(card)))


def _strength(card: ScoreCard) -> str:
    """Whether the best strength is at an end of those tried."""
    best = card.best.strength
    strengths = sorted(one.strength for one in card.tried if one.step == card.best.step)
    if len(strengths) < 2:
        return ""
    if best == strengths[-1] and best > 1:
        return "The highest strength that was tried is the best: train longer."
    if best == strengths[0] and best < 1:
        what = "a lower one" if _tried(card, Cure.EARLIER) else "an earlier step"
        return f"The lowest strength that was tried is the best: {what} may do better."
    return ""


def _longer(card: ScoreCard) -> str:
    """How much longer to train, when similarity was still rising at the last step."""
    curve = sorted(
        (one.step, one.identity.value)
        for one in card.tried
        if one.step is not None
        and one.identity.value is not None
        and one.strength == card.best.strength
    )
    if len(curve) < 2 or card.best.step != curve[-1][0]:
        return ""
    if curve[-1][1] - curve[-2][1] < STILL_RISING:
        return ""
    return f"Similarity was still rising: train {curve[-1][0] - curve[-2][0]} steps more."
