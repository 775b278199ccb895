"""The prompts that a LoRA is scored on: clothes and places that its dataset never showed."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from itertools import product

from ..core.character import Character, Tags

COLOURS = tuple("orange purple teal pink yellow green brown red black white blue grey".split())
TOPS = ("sweater", "jacket", "hoodie", "t-shirt", "tank top")
BOTTOMS = ("trousers", "shorts", "skirt")
PLACES = ("on a beach", "in a city", "at night", "in a park", "in a room")
FRAMINGS = ("close_up", "medium", "close_up", "medium", "medium", "full")
VIEWS = (
    "front",
    "three_quarter_left",
    "front",
    "three_quarter_right",
    "profile_left",
    "front",
    "three_quarter_right",
    "front",
    "three_quarter_left",
    "profile_right",
)
EXPRESSIONS = ("neutral", "smile", "surprised")
SCENE, ATTRIBUTE, TRIGGER, LEAK = "scene", "attribute", "trigger", "leak"
"""What a prompt is for: to measure identity, or to find one thing out; see probes.py."""


@dataclass(frozen=True)
class TestPrompt:
    """One sample to make: what it is to show, the seed of its noise, and what it is for.

    words: a person's own, in the place of those that the tags are said in.
    """

    tags: Tags
    seed: int
    kind: str = SCENE
    words: str = ""

    def text(self, who: str) -> str:
        """The prompt about ``who``, such as 'zqx person'."""
        said = [self.words] if self.words else self.tags.phrases()
        return ", ".join(filter(None, [who, *said]))


def prompt_suite(character: Character, count: int, seed: int) -> tuple[TestPrompt, ...]:
    """``count`` prompts for ``character``, the same for the same character and seed.

    No outfit, garment or place in them is named by the dataset's tags or captions, as long as the
    pools hold others. Framings and views are mixed, with three-quarter views and profiles and
    without the back, from where nobody is known.
    """
    known = known_text(character)
    rng = random.Random(seed)
    tops = _unseen([f"{colour} {top}" for colour, top in product(COLOURS, TOPS)], known, rng)
    bottoms = _unseen([f"{c} {bottom}" for c, bottom in product(COLOURS, BOTTOMS)], known, rng)
    plain = _unseen([f"plain {colour} background" for colour in COLOURS], known, rng)
    places = _unseen(list(PLACES), known, rng)
    unseen_places = [place for place in places if place not in known]
    backgrounds = [*unseen_places, *plain[: max(1, count - len(unseen_places))]]
    return tuple(
        TestPrompt(
            Tags(
                framing=FRAMINGS[number % len(FRAMINGS)],
                view=VIEWS[number % len(VIEWS)],
                expression=EXPRESSIONS[number % len(EXPRESSIONS)],
                pose="standing",
                outfit=f"{tops[number % len(tops)]} and {bottoms[number % len(bottoms)]}",
                background=backgrounds[number % len(backgrounds)],
                lighting="natural",
            ),
            (seed + number) % 2**64,
        )
        for number in range(count)
    )


def known_text(character: Character) -> str:
    """Everything that the dataset's captions and tags say, in one lower-case line."""
    said = [" ".join([shot.caption, *shot.tags.phrases()]).lower() for shot in character.dataset]
    return f" {re.sub(r'[^a-z0-9-]+', ' ', ' '.join(said))} "


def _unseen(pool: list[str], known: str, rng: random.Random) -> list[str]:
    """``pool`` shuffled, what ``known`` names left out; all of it when nothing else is left."""
    shuffled = rng.sample(pool, len(pool))
    return [entry for entry in shuffled if f" {entry} " not in known] or shuffled
