"""Which of the LoRAs that were tried to use.

Every one of them makes the same scenes from the same noise, so two are compared scene by scene:
what a scene is worth by itself falls away, and a difference shows that the interval of either
would hide. In the demo world LoRAs whose intervals overlap are up to 0.25 apart, and the probe
agrees with what the scenes say.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from . import metrics
from .calibrate import UNKNOWN
from .metrics import COPIES, IDENTITY, POSE_COPIES
from .variant import Variant

ENOUGH = 12
"""Scenes that tell two LoRAs apart. Of those that are as like by a dozen scenes, 95 % seem no more
than 0.08 behind by any four of them (three people of the demo world, nine LoRAs each)."""
AS_GOOD = 0.05
"""So small a difference of likeness over a dozen scenes is none."""
ONE_ANSWER = 0.03
"""What a single answer makes of the share that obeys, where a dozen scenes ask for three things."""


def choose(tried: Sequence[Variant], most: float) -> int:
    """The number of the one to use; the last when similarity could not be judged.

    Of those that are as like as the best, the ones that obey best; of these the one that copies
    least, then the one whose strength is nearest to 1, then the earliest step. ``most``: see
    `as_like`.
    """
    alike = as_like(tried, most)
    if not alike:
        return len(tried) - 1
    best = max(obedience(tried[n]) for n in alike)
    obedient = [n for n in alike if obedience(tried[n]) >= best - ONE_ANSWER]

    def order(number: int) -> tuple[float, float, int, int]:
        one = tried[number]
        return copying(one), round(abs(one.strength - 1), 6), one.step or 0, number

    return min(obedient, key=order)


def as_like(tried: Sequence[Variant], most: float) -> list[int]:
    """The numbers of those whose likeness cannot be told from the best one's, the best first.

    The best is the likest of those that do not copy (of all, when all do) and have the most
    scenes. Others may be 0.05 behind it, and their medians 0.1; more where they have fewer than a
    dozen scenes. Where the best is the same character, they have to be it, too. In all of them
    strangers show in as few scenes as in any, or in one more. Empty when similarity could not be
    judged.

    most: the score of the character's likest picture; more is no more like.
    """
    known = [n for n, one in enumerate(tried) if one.identity.value is not None]
    clean = [n for n in known if not copies(tried[n])] or known
    if not clean:
        return []
    scenes = max(len(tried[n].scenes) for n in clean)
    seen = [n for n in clean if len(tried[n].scenes) == scenes]
    fewest = min(tried[n].strangers for n in seen)
    seen = [n for n in seen if tried[n].strangers <= fewest + 1]

    def ahead(number: int) -> float:
        return fmean(behind(tried[other], tried[number], most) for other in seen)

    best = max(seen, key=lambda n: (ahead(n), -tried[n].strangers, -n))

    def equal(number: int) -> bool:
        one = tried[number]
        if one.strangers * scenes > (fewest + 1) * len(one.scenes):
            return False
        same = [bool(IDENTITY.rule.holds(each.identity, UNKNOWN)) for each in (one, tried[best])]
        loose = slack(len(one.scenes)) if all(same) else AS_GOOD
        median, highest = (min(most, e.identity.value or 0.0) for e in (one, tried[best]))
        apart = behind(one, tried[best], most)
        return same[0] >= same[1] and apart <= loose and highest - median <= 2 * loose

    return [best, *(n for n in clean if n != best and equal(n))]


def slack(scenes: int) -> float:
    """How far apart two may be over so many ``scenes`` by chance."""
    return AS_GOOD * max(1.0, ENOUGH / max(1, scenes))


def behind(one: Variant, other: Variant, most: float) -> float:
    """By how much ``one`` is less like the character than ``other``, scene by scene.

    The middle of the differences' pairwise means (Hodges and Lehmann 1963): a scene without a face
    is a whole scale away, and must not decide. ``most``: see `as_like`.
    """
    mine, theirs = (
        {sample.prompt: min(most, sample.score or 0.0) for sample in each.scenes}
        for each in (one, other)
    )
    apart = np.array([theirs[prompt] - score for prompt, score in mine.items() if prompt in theirs])
    first, second = np.triu_indices(len(apart))
    return float(np.median((apart[first] + apart[second]) / 2))


def obedience(one: Variant) -> float:
    """The mean share of what the scenes ask for that is seen, over views, framings and so on."""
    known = [one[metric].value for metric in metrics.METRICS if metric.obeys]
    return fmean([value for value in known if value is not None] or [0.0])


def copies(one: Variant) -> bool:
    """Whether the verdict would say that it copies training images, whole."""
    return COPIES.rule.holds(one[COPIES], UNKNOWN) is False


def copying(one: Variant) -> float:
    """How often it copies a training image, or the person in one."""
    return max(one[metric].value or 0.0 for metric in (COPIES, POSE_COPIES))
