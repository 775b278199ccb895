"""Ready plans: turnarounds, close-ups, and the sets that guides advise for a LoRA."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

from ...core.character import Tags
from .plan import ShotPlan, ShotRequest

OUTFITS = (
    "blue t-shirt and grey trousers",
    "green hoodie and black trousers",
    "white tank top and red shorts",
    "grey t-shirt and brown trousers",
)
PLAIN_BACKGROUNDS = ("plain grey background", "plain white background", "plain blue background")
PLACES = ("in a park", "in a room")
MORE_PLACES = (*PLACES, "in a city", "on a beach", "at night")

TURNAROUND_VIEWS = (
    "front",
    "three_quarter_left",
    "profile_left",
    "back",
    "profile_right",
    "three_quarter_right",
)
ALL_VIEWS = (*TURNAROUND_VIEWS, "top", "low")
EXPRESSIONS = ("neutral", "smile", "surprised", "sad", "angry")
ALL_EXPRESSIONS = ("neutral", "smile", "serious", "surprised", "sad", "angry")
LIGHTS = ("natural", "warm", "side", "back", "low")

SMALL_SET: Mapping[str, Mapping[str, int]] = {
    "framing": {"close_up": 4, "medium": 3, "full": 3},
    "view": {
        "front": 6,
        "three_quarter_left": 4,
        "three_quarter_right": 4,
        "profile_left": 2,
        "profile_right": 2,
        "back": 2,
    },
    "background": {"plain": 3, "place": 7},
    "lighting": {"natural": 7, "warm": 1, "side": 1, "low": 1},
    "pose": {"standing": 5, "hands_on_hips": 2, "waving": 2, "arms_raised": 1},
    "expression": dict.fromkeys(EXPRESSIONS, 1),
}
"""Shares of a small set: framing 40 / 30 / 30, backgrounds 30 % plain, mostly natural light."""

LARGE_SET: Mapping[str, Mapping[str, int]] = {
    **SMALL_SET,
    "view": {
        "front": 10,
        "three_quarter_left": 7,
        "three_quarter_right": 7,
        "profile_left": 4,
        "profile_right": 4,
        "back": 4,
        "top": 2,
        "low": 2,
    },
    "lighting": {"natural": 6, "warm": 1, "side": 1, "back": 1, "low": 1},
    "pose": {
        "standing": 4,
        "hands_on_hips": 2,
        "waving": 1,
        "arms_raised": 1,
        "sitting": 1,
        "walking": 1,
    },
    "expression": dict.fromkeys(ALL_EXPRESSIONS, 1),
}
"""The same with views from above and below, five lights, six expressions and poses."""


def turnaround(
    framing: str = "medium",
    outfit: str = "",
    background: str = "plain grey background",
    views: Sequence[str] = TURNAROUND_VIEWS,
) -> ShotPlan:
    """Views around the character, neutral, before one background."""
    return _plan(
        Tags(
            framing=framing,
            view=view,
            expression="" if view == "back" else "neutral",
            pose="" if framing == "close_up" else "standing",
            outfit=outfit,
            background=background,
            lighting="natural",
        )
        for view in views
    )


def close_ups(
    expressions: Sequence[str] = EXPRESSIONS, views: Sequence[str] = (), outfit: str = ""
) -> ShotPlan:
    """A front close-up of each expression, then a neutral one from each of ``views``."""
    shown = [("front", expression) for expression in expressions]
    shown += [(view, "neutral") for view in views]
    return _plan(
        Tags(
            framing="close_up",
            view=view,
            expression=expression,
            outfit=outfit,
            background=PLAIN_BACKGROUNDS[0],
            lighting="natural",
        )
        for view, expression in shown
    )


def portrait(
    count: int,
    seed: int = 0,
    outfits: Sequence[str] = (),
    places: Sequence[str] = (),
    shares: Mapping[str, Mapping[str, int]] = SMALL_SET,
) -> ShotPlan:
    """``count`` varied shots for a LoRA, in the proportions that the guides advise.

    outfits, places: what is worn and where, in turn; empty for the usual ones. The places hold for
    the backgrounds that are not plain.
    """
    axes = ("framing", "view", "background", "lighting", "pose", "expression")
    spread = {axis: _spread(shares[axis], count, seed + at) for at, axis in enumerate(axes)}
    worn = _spread(dict.fromkeys(outfits or OUTFITS, 1), count, seed + 6)
    plains, varied = cycle(PLAIN_BACKGROUNDS), cycle(places or PLACES)
    tags = []
    for at in range(count):
        chosen: dict[str, Any] = {axis: values[at] for axis, values in spread.items()}
        background = next(plains if chosen["background"] == "plain" else varied)
        tags.append(Tags(**{**chosen, "outfit": worn[at], "background": background}).visible())
    return _plan(tags)


def guide_list(outfits: Sequence[str] = (), places: Sequence[str] = ()) -> ShotPlan:
    """The least that a guide asks for, each thing once: seven angles, four more expressions, four
    more lights, three outfits, two places."""
    worn = list(islice(cycle(outfits or OUTFITS), 3))
    where = list(islice(cycle(places or MORE_PLACES), 2))
    plain = Tags("medium", "front", "neutral", "standing", worn[0], PLAIN_BACKGROUNDS[0], "natural")
    angles = [view for view in ALL_VIEWS if view != "back"]

    def shots(axis: str, values: Sequence[str], **others: str) -> list[Tags]:
        return [replace(plain, **{**others, axis: value}) for value in values]  # type: ignore[arg-type]

    tags = [
        *shots("view", angles),
        *shots("expression", ("smile", "serious", "surprised", "sad"), framing="close_up", pose=""),
        *shots("lighting", LIGHTS[1:]),
        *shots("outfit", worn, framing="full"),
        *shots("background", where, framing="full", expression="smile"),
    ]
    return _plan(tags)


def _plan(tags: Iterable[Tags]) -> ShotPlan:
    return ShotPlan(tuple(map(ShotRequest, tags)))


def _first(outfits: Sequence[str]) -> str:
    return outfits[0] if outfits else ""


Preset = Callable[[Sequence[str], Sequence[str]], ShotPlan]


def _large(count: int) -> Preset:
    return lambda outfits, places: portrait(count, 0, outfits, places or MORE_PLACES, LARGE_SET)


PRESETS: dict[str, Preset] = {
    "turnaround (6)": lambda outfits, _: turnaround(outfit=_first(outfits)),
    "face close-ups (5)": lambda outfits, _: close_ups(outfit=_first(outfits)),
    "compact LoRA (16)": lambda outfits, places: portrait(16, 0, outfits, places),
    "portrait LoRA (25)": _large(25),
    "full character (40)": _large(40),
    "turnaround (8)": lambda outfits, _: turnaround(outfit=_first(outfits), views=ALL_VIEWS),
    "face close-ups (12)": lambda outfits, _: close_ups(
        ALL_EXPRESSIONS,
        [view for view in ALL_VIEWS if view not in ("front", "back")],
        _first(outfits),
    ),
    "guide's list (20)": guide_list,
    "large LoRA (50)": _large(50),
}
"""Plans by the names that workflows store; each takes a person's own outfits and places."""


def _spread(weights: Mapping[str, int], count: int, seed: int) -> list[str]:
    """``count`` values in the proportions of ``weights`` (largest remainder), shuffled."""
    total = sum(weights.values())
    exact = {value: count * weight / total for value, weight in weights.items()}
    counts = {value: int(share) for value, share in exact.items()}
    by_remainder = sorted(weights, key=lambda value: counts[value] - exact[value])
    for value in islice(cycle(by_remainder), count - sum(counts.values())):
        counts[value] += 1
    values = [value for value, times in counts.items() for _ in range(times)]
    random.Random(seed).shuffle(values)
    return values
