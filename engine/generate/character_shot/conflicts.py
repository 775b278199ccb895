"""Prompts that contradict the character, such as long hair for a short-haired one.

By words alone: what the prompt says against what was said of the character, in its description, its
captions and what the LoRA's file tells. The opposing words stand in ``opposites.json``, which
anyone may edit. Where nothing was said of a feature, nothing can contradict it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...core.character import Character
from ...core.errors import FacetError

TABLE = Path(__file__).resolve().parent / "opposites.json"
FAR = 8
"""How many words an adjective may stand before its noun, others between them."""
AGREE = 0.6
"""The share of mentions from which on a value is the character's."""

Mentions = dict[str, Counter[str]]
"""How often each value of a feature was named, by feature."""


@dataclass(frozen=True)
class Conflict:
    """A prompt that asks for one value of a feature where the character has another.

    said: how often that was said of the character, over all mentions of the feature.
    """

    feature: str
    asked: str
    known: str
    said: tuple[int, int]

    @property
    def text(self) -> str:
        """As in 'asks for long hair, and the character has short hair (9 of 10 mentions)'."""
        count, total = self.said
        mentions = "" if total == 1 else f" ({count} of {total} mentions)"
        return f"asks for {self.asked}, and the character has {self.known}{mentions}"


@cache
def opposites() -> dict[str, Any]:
    """The table; FacetError with a sentence when the file cannot be read."""
    try:
        table: dict[str, Any] = json.loads(TABLE.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FacetError(f"{TABLE.name} cannot be read ({error}); mend that file.") from error
    return table


def said_of(character: Character | None, description: str, others: Iterable[str]) -> list[str]:
    """All that was said of the character in words, one text for each that said it.

    A description is a person's own and stands alone. others: what a LoRA's file tells.
    """
    if description.strip():
        return [description.strip()]
    captions = [] if character is None else [shot.caption for shot in character.dataset]
    details = [] if character is None else [", ".join(s.tags.details) for s in character.dataset]
    return [text for text in (*captions, *details, *others) if text.strip()]


def mentions(said: Iterable[str]) -> Mentions:
    """How often each value of each feature is named in what was ``said`` of the character."""
    counts: Mentions = {}
    for text in said:
        for feature, values in features(text).items():
            counts.setdefault(feature, Counter()).update(values)
    return counts


def conflicts(prompt: str, known: Mentions) -> list[Conflict]:
    """What ``prompt`` asks for against what is ``known`` of the character, by feature.

    A word that goes against two features, as 'bald' does, is told once.
    """
    found: list[Conflict] = []
    for feature, values in features(prompt).items():
        if feature not in known:
            continue
        (value, count), total = known[feature].most_common(1)[0], known[feature].total()
        asked = sorted(values)[0]
        told = any(one.asked == asked for one in found)
        if value not in values and count >= AGREE * total and not told:
            found.append(Conflict(feature, asked, value, (count, total)))
    return found


def features(text: str) -> dict[str, set[str]]:
    """The values that ``text`` gives to features of a person: {'hair colour': {'red hair'}}."""
    table = opposites()
    # Phrases end where a comma or a full stop does; hyphens part words as spaces do.
    parts = [
        re.findall(r"\w+", part.replace("-", " ").replace("_", " "))
        for part in re.split(r"[,.;:()\n]", text.lower())
    ]
    near = {noun: set().union(*(_near(part, noun) for part in parts)) for noun in table["nouns"]}
    spoken_text = " , ".join(" ".join(part) for part in parts)
    found: dict[str, set[str]] = {}
    for feature, entry in table["features"].items():
        values = set()
        left = spoken_text
        # The longest first, and no word twice: 'no beard' is not 'a beard'.
        spoken = sorted(
            ((word, value) for value, one in entry["values"].items() for word in one["alone"]),
            key=lambda pair: -len(pair[0]),
        )
        for word, value in spoken:
            left, there = _without(left, word)
            values |= {value} if there else set()
        for value, one in entry["values"].items():
            if near.get(entry["noun"], set()) & set(one["near"]):
                values.add(value)
        if values:
            found[feature] = values
    return found


@cache
def _adjectives(noun: str) -> frozenset[str]:
    return frozenset(
        word
        for entry in opposites()["features"].values()
        if entry["noun"] == noun
        for value in entry["values"].values()
        for word in value["near"]
    )


def _near(words: list[str], noun: str) -> set[str]:
    """The adjectives that belong to ``noun`` in one phrase, two words of one adjective joined."""
    table = opposites()
    found: set[str] = set()
    things = [[word] for word in table["things"]]
    for language, nouns in table["nouns"][noun].items():
        before = language in table["before"]
        for place, word in enumerate(words):
            if word in nouns and words[place + 1 : place + 2] not in things:
                run = words[max(0, place - FAR) : place][::-1]
                run = run if before else words[place + 1 : place + 1 + FAR]
                found |= _run(run, _adjectives(noun), table["fillers"], before)
    return found


def _run(
    words: list[str], adjectives: Collection[str], fillers: Collection[str], backwards: bool
) -> set[str]:
    """The adjectives in an unbroken run of adjectives and fillers."""
    found: set[str] = set()
    place = 0
    while place < len(words):
        pair = words[place : place + 2]
        two = " ".join(reversed(pair) if backwards else pair)
        if len(pair) == 2 and two in adjectives:
            found.add(two)
            place += 2
        elif words[place] in adjectives:
            found.add(words[place])
            place += 1
        elif words[place] in fillers:
            place += 1
        else:
            break
    return found


def _without(text: str, phrase: str) -> tuple[str, bool]:
    """``text`` without ``phrase``, and whether it was there as whole words.

    Chinese and Japanese have no spaces between words, so there the letters alone count.
    """
    edge = r"\b" if phrase[0] < "\u3000" else ""
    left, count = re.subn(f"{edge}{re.escape(phrase)}{edge}", ",", text)
    return left, bool(count)
