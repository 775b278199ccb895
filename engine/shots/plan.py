"""What to shoot: plans from presets or from a person's own lines."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle, islice

from ..character import VOCABULARY, Character, Tags
from .instructions import describes, named_details, split_instruction

OUTFITS = (
    "blue t-shirt and grey trousers",
    "green hoodie and black trousers",
    "white tank top and red shorts",
    "grey t-shirt and brown trousers",
)
PLAIN_BACKGROUNDS = (
    "plain grey background",
    "plain white background",
    "plain blue background",
)
PLACES = ("in a park", "in a room")

TURNAROUND_VIEWS = (
    "front",
    "three_quarter_left",
    "profile_left",
    "back",
    "profile_right",
    "three_quarter_right",
)
EXPRESSIONS = ("neutral", "smile", "surprised", "sad", "angry")


@dataclass(frozen=True)
class ShotRequest:
    """One line of a plan: the tags to reach, and what is to be done in a person's own words."""

    tags: Tags
    instruction: str = ""

    @property
    def label(self) -> str:
        """The line in words, as a person would write it."""
        done = [f"do: {self.instruction}"] if self.instruction else []
        return ", ".join([*self.tags.phrases(), *done])


@dataclass(frozen=True)
class ShotPlan:
    """The shots to make, in order."""

    requests: tuple[ShotRequest, ...]

    def missing_from(self, character: Character) -> ShotPlan:
        """The part of the plan that no accepted shot of ``character`` covers yet."""
        have = Counter(
            (shot.tags, shot.provenance.instruction) for shot in character.shots if shot.include
        )
        missing = []
        for request in self.requests:
            if have[request.tags, request.instruction]:
                have[request.tags, request.instruction] -= 1
            else:
                missing.append(request)
        return ShotPlan(tuple(missing))

    def coverage(self) -> dict[str, Counter[str]]:
        """How often the plan asks for each value of each tag."""
        return {
            axis: Counter(
                getattr(request.tags, axis)
                for request in self.requests
                if getattr(request.tags, axis)
            )
            for axis in VOCABULARY
        }


def turnaround(
    framing: str = "medium", outfit: str = "", background: str = "plain grey background"
) -> ShotPlan:
    """Six views around the character, neutral, before one background."""
    return ShotPlan(
        tuple(
            ShotRequest(
                Tags(
                    framing=framing,
                    view=view,
                    expression="" if view == "back" else "neutral",
                    pose="" if framing == "close_up" else "standing",
                    outfit=outfit,
                    background=background,
                    lighting="natural",
                )
            )
            for view in TURNAROUND_VIEWS
        )
    )


def expressions(background: str = "plain grey background") -> ShotPlan:
    """A front close-up of each expression."""
    return ShotPlan(
        tuple(
            ShotRequest(
                Tags(
                    framing="close_up",
                    view="front",
                    expression=expression,
                    background=background,
                    lighting="natural",
                )
            )
            for expression in EXPRESSIONS
        )
    )


def portrait(count: int, seed: int = 0) -> ShotPlan:
    """``count`` varied shots for a LoRA, in the proportions that the guides advise.

    Framing 40 / 30 / 30 close-up, medium and full; front, three-quarter, profile and back views
    6 : 8 : 4 : 2; backgrounds 30 % plain; four outfits; five expressions; mostly natural light.
    """
    framings = _spread({"close_up": 4, "medium": 3, "full": 3}, count, seed)
    views = _spread(
        {
            "front": 6,
            "three_quarter_left": 4,
            "three_quarter_right": 4,
            "profile_left": 2,
            "profile_right": 2,
            "back": 2,
        },
        count,
        seed + 1,
    )
    plain = _spread({"plain": 3, "place": 7}, count, seed + 2)
    lights = _spread({"natural": 7, "warm": 1, "side": 1, "low": 1}, count, seed + 3)
    poses = _spread(
        {"standing": 5, "hands_on_hips": 2, "waving": 2, "arms_raised": 1}, count, seed + 4
    )
    faces = _spread(dict.fromkeys(EXPRESSIONS, 1), count, seed + 5)
    outfits = _spread(dict.fromkeys(OUTFITS, 1), count, seed + 6)
    plains, places = cycle(PLAIN_BACKGROUNDS), cycle(PLACES)
    requests = []
    for framing, view, kind, light, pose, face, outfit in zip(
        framings, views, plain, lights, poses, faces, outfits, strict=True
    ):
        tags = Tags(
            framing=framing,
            view=view,
            expression="" if view == "back" else face,
            pose="" if framing == "close_up" else pose,
            outfit=outfit,
            background=next(plains if kind == "plain" else places),
            lighting=light,
        )
        requests.append(ShotRequest(tags))
    return ShotPlan(tuple(requests))


PRESETS: dict[str, Callable[[], ShotPlan]] = {
    "turnaround (6)": turnaround,
    "face close-ups (5)": expressions,
    "compact LoRA (16)": lambda: portrait(16),
    "portrait LoRA (25)": lambda: portrait(25),
    "full character (40)": lambda: portrait(40),
}


def from_lines(text: str) -> ShotPlan:
    """A plan from one line a shot, parts parted by commas.

    A part that ``VOCABULARY`` knows becomes its tag; "wearing …" is the outfit; "in / on / at …" or
    "… background" the background; anything else is kept as a detail, in its own words. After "do:"
    the rest of the line is an instruction: what it names or describes becomes tags as well.
    Empty lines and lines that begin with '#' are left out. Raises ValueError when a line asks for
    the same thing twice.
    """
    requests = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            wishes, instruction = split_instruction(line)
            tags = _parse_line(wishes, number)
            requests.append(ShotRequest(_tagged(tags, instruction), instruction))
    return ShotPlan(tuple(requests))


def _tagged(tags: Tags, instruction: str) -> Tags:
    """``tags`` with what a picture made by ``instruction`` shows, as far as that can be known."""
    named = named_details(instruction)
    if named or not describes(instruction):
        new = [one for one in named if not any(one in known for known in tags.details)]
        return replace(tags, details=(*tags.details, *new))
    axis, value = _understand(instruction)
    if axis == "details":
        return replace(tags, details=(*tags.details, value))
    return tags if getattr(tags, axis) else replace(tags, **{axis: value})


def _parse_line(line: str, number: int) -> Tags:
    found: dict[str, str] = {}
    details: list[str] = []
    for part in (part.strip() for part in line.split(",")):
        if not part:
            continue
        axis, value = _understand(part)
        if axis == "details":
            details.append(value)
        elif axis in found:
            raise ValueError(
                f"Line {number} of the plan asks for two {axis}s, {found[axis]!r} and {value!r}; "
                "keep one, or write two lines."
            )
        else:
            found[axis] = value
    return Tags(**found, details=tuple(details))


def _understand(part: str) -> tuple[str, str]:
    plain = re.sub(r"[\s_-]+", " ", part.lower())
    for axis, values in VOCABULARY.items():
        for value, phrase in values.items():
            if plain in (value.replace("_", " "), re.sub(r"[\s_-]+", " ", phrase.lower())):
                return axis, value
    if plain.startswith("wearing "):
        return "outfit", part[len("wearing ") :].strip()
    if plain.endswith(" background") or re.match(r"(in|on|at|inside|outside|under|by) ", plain):
        return "background", part
    return "details", part


def _spread(weights: dict[str, int], count: int, seed: int) -> list[str]:
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
