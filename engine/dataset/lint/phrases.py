"""Phrases that nearly every caption has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from ...core.character import Character
from ...core.letters import word_pattern
from ...core.vocabulary import VOCABULARY
from .words import common_words

SHARE = 0.8
"""What more than this share of captions, or of pictures, has is learnt as a part of who it is."""
FEWEST = 5
LONGEST = 8
MOST_WORDS = 400

WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
BREAKS = re.compile(r"[,.;:!?()\[\]\n\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]")
"""Where phrases end, with the marks of Chinese and Japanese."""
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

Phrase = tuple[str, ...]


def common_phrases(character: Character) -> dict[str, list[str]]:
    """Phrases in more than 80 % of the captions, with the hashes of the pictures; longest ones.

    The triggers and the class word after them do not count, nor words that say nothing by
    themselves, nor parts of the phrases of ``VOCABULARY`` such as 'view'.
    """
    captions = {shot.hash: shot.caption for shot in character.dataset if shot.caption.strip()}
    if len(captions) < FEWEST:
        return {}
    found = {shot: phrases(text, character) for shot, text in captions.items()}
    counts = Counter(phrase for one in found.values() for phrase in one)
    often = [phrase for phrase, count in counts.items() if count > SHARE * len(captions)]
    parts = {part for phrase in _vocabulary() for part in _parts(phrase) if part != phrase}
    longest: list[Phrase] = []
    for phrase in sorted(often, key=len, reverse=True):
        if phrase in parts or all(word in common_words() for word in phrase):
            continue
        if not any(_inside(phrase, other) for other in longest):
            longest.append(phrase)
    return {
        " ".join(phrase): [shot for shot, one in found.items() if phrase in one]
        for phrase in longest
    }


def phrases(caption: str, character: Character) -> set[Phrase]:
    """All runs of up to eight words in ``caption`` that no comma parts and no trigger is in."""
    called = "|".join(word_pattern(trigger).pattern for trigger in character.triggers)
    word = word_pattern(character.class_word).pattern
    text = re.sub(rf"(?:{called})(?:\s*{word})?", ",", caption, flags=re.IGNORECASE)
    runs: set[Phrase] = set()
    left = MOST_WORDS
    for segment in BREAKS.split(text.casefold()):
        # A script without spaces has its phrases between commas.
        words = [segment.strip()] if UNSPACED.search(segment) else WORD.findall(segment)
        words = [one for one in words if one][:left]
        left -= len(words)
        runs.update(_parts(words))
    return runs


def _parts(words: Iterable[str]) -> set[Phrase]:
    words = tuple(words)
    return {
        words[start:end]
        for start in range(len(words))
        for end in range(start + 1, min(len(words), start + LONGEST) + 1)
    }


def _vocabulary() -> set[Phrase]:
    said = (phrase for values in VOCABULARY.values() for phrase in values.values())
    return {tuple(WORD.findall(phrase.casefold())) for phrase in said}


def _inside(phrase: Phrase, other: Phrase) -> bool:
    width = len(phrase)
    return any(other[start : start + width] == phrase for start in range(len(other) - width + 1))
