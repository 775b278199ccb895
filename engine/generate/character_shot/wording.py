"""A person's prompt in the words that the LoRA learned: trigger, anchors and drift words.

What is added stands in ``words.json``, which anyone may edit.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...comfyui.lora_metadata import Calls
from ...core.errors import FacetError
from ...core.vocabulary import phrase
from ...core.words import ENGLISH, FIND, subjects, table, tables, words_for

TABLE = Path(__file__).resolve().parent / "words.json"
_WEIGHTED_STREAMS = frozenset({"l", "g", "h"})
_WEIGHTED = re.compile(r"(?<!\\)\(([^()]*?):\s*\d*\.?\d+\s*\)")


@dataclass(frozen=True)
class Wording:
    """What a try is asked with. view: the one that the prompt asks for, '' for none."""

    positive: str
    negative: str
    view: str


@dataclass(frozen=True)
class Emphasis:
    """What a try's words do beyond those of the first one.

    likeness: how often somebody else came. view, face: whether the view, or that the face shows,
    is said in stronger words.
    """

    likeness: int = 0
    view: bool = False
    face: bool = False


@cache
def words() -> dict[str, Any]:
    """The table; FacetError with a sentence when the file cannot be read."""
    try:
        known: dict[str, Any] = json.loads(TABLE.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FacetError(f"{TABLE.name} cannot be read ({error}); mend that file.") from error
    return known


def understands_weights(clip: Any) -> bool:
    """Whether ``(word:1.2)`` means to ``clip`` what people mean by it.

    Its tokenizer has to read the weight, and all that is encoded has to be CLIP's: T5 and language
    models read the brackets as text, or were never made for weighted embeddings.
    """
    streams = clip.tokenize("(a:1.5)")
    if not isinstance(streams, dict) or not set(streams) <= _WEIGHTED_STREAMS:
        return False
    return any(token[1] == 1.5 for rows in streams.values() for row in rows for token in row)


class Writer:
    """Writes prompts about one character for one text encoder.

    weighted: whether that understands ``(word:1.2)``. guided: whether the negative is heard, which
    it is from a cfg above 1 on. negative: the person's own.
    """

    def __init__(self, calls: Calls, weighted: bool, guided: bool, negative: str = "") -> None:
        self.calls, self.weighted, self.guided = calls, weighted, guided
        self.own_negative = negative.strip()
        self.kind = "person" if _people() & set(calls.class_word.lower().split()) else "other"

    def write(self, prompt: str, emphasis: Emphasis = Emphasis()) -> Wording:
        """``prompt`` with the trigger in it exactly once, and each anchor at most once."""
        known, view = words(), asked_view(prompt)
        text = prompt.replace("[trigger]", self.calls.trigger)
        text = text.replace("[class]", self.calls.class_word)
        if not self.weighted:
            text = _WEIGHTED.sub(r"\1", text)
        anchors = [*known["anchors"], *(known["firmer"][self.kind] if emphasis.likeness else ())]
        if not self.calls.trigger:
            anchors = []
        if emphasis.view and view:
            anchors.append(known["views"][view])
        if emphasis.face:
            anchors.append(known["face"])
        weights = known["weights"] if self.weighted else []
        weight = weights[min(emphasis.likeness, len(weights) - 1)] if weights else None
        return Wording(self._placed(text, _lacking(text, anchors), weight), self._negative(), view)

    def _placed(self, text: str, anchors: list[str], weight: float | None) -> str:
        """``text`` with the trigger in it once, and ``anchors`` after it or at the end."""
        calls = self.calls
        if not calls.trigger:
            return ", ".join([text.strip(), *anchors])
        text = _once(text, calls)
        found = _word(calls.trigger).search(text)
        if found is None and calls.class_word:
            found = _word(calls.class_word).search(text)
            if found:
                text = f"{text[: found.start()]}{calls.text}{text[found.end() :]}"
        elif found:
            there = calls.class_word and _word(calls.class_word).search(text)
            said = calls.trigger if there else calls.text
            text = f"{text[: found.start()]}{said}{text[found.end() :]}"
        if found is None:
            text = f"{calls.text}, {text.strip(' ,')}"
        text = _weighted(text, calls, weight) if weight is not None else text
        # Where it is a list that begins with the character, what belongs to her follows at once.
        first, comma, rest = text.partition(",")
        if comma and re.fullmatch(rf"\(?{re.escape(calls.text)}(:[\d.]+\))?", first.strip()):
            return ", ".join([first.strip(), *anchors, rest.strip()])
        return ", ".join([text.strip().rstrip(".,"), *anchors])

    def _negative(self) -> str:
        if not (self.guided and self.calls.trigger):
            return self.own_negative
        drift = _lacking(self.own_negative, words()["drift"])
        return ", ".join(part for part in (self.own_negative, *drift) if part)


def asked_view(prompt: str) -> str:
    """The view that ``prompt`` asks for, the one said first; '' when it asks for none."""
    text = prompt.lower()
    found = [
        (text.find(said), -len(said), view)
        for view, phrases in _views().items()
        for said in phrases
        if said in text
    ]
    return min(found)[2] if found else ""


@cache
def _people() -> frozenset[str]:
    """Class words of people, in every language."""
    nouns = [subjects(known).get("age", {}).get("nouns", {}) for known in tables()]
    found = [*words()["people"], *(word for one in nouns for word in words_for(FIND, one))]
    return frozenset(word.lower() for word in found)


@cache
def _views() -> dict[str, list[str]]:
    """The words by which each view that a retry can stress is known in a prompt."""
    synonyms = table(ENGLISH)["synonyms"]["view"]
    return {
        view: [phrase("view", view), *words_for("prompt", synonyms[view])]
        for view in words()["views"]
    }


def _once(text: str, calls: Calls) -> str:
    """``text`` with every trigger but the first taken out, and none in it spelled otherwise."""
    pattern = _word(calls.trigger)
    first = pattern.search(text)
    if first is None:
        return text
    again = rf"\(\s*{pattern.pattern}\s*(?::[\d.]+\s*)?\)|{pattern.pattern}\s*"

    def without(found: re.Match[str]) -> str:
        return found[0] if found.start() <= first.start() < found.end() else ""

    left = re.sub(again, without, text, flags=re.IGNORECASE)
    rest = left[first.end() :]
    if left != text:
        phrases = [phrase.strip() for phrase in rest.split(",")]
        dropped = {"", calls.class_word.lower()}
        kept = [phrases[0], *(one for one in phrases[1:] if one.lower() not in dropped)]
        rest = (" " if rest[:1].isspace() and phrases[0] else "") + ", ".join(kept)
    return f"{text[: first.start()]}{calls.trigger}{rest}"


def _weighted(text: str, calls: Calls, weight: float) -> str:
    """``text`` with the character's name in it weighted, unless the person weighted it."""
    found = _word(calls.text).search(text) or _word(calls.trigger).search(text)
    if found is None:
        return text
    before = re.sub(r"\\[()]", "", text[: found.start()])
    if before.count("(") > before.count(")"):
        return text
    return f"{text[: found.start()]}({found[0]}:{weight:g}){text[found.end() :]}"


def _lacking(text: str, phrases: list[str]) -> list[str]:
    """Those of ``phrases`` that ``text`` does not say yet."""
    return [phrase for phrase in phrases if phrase.lower() not in text.lower()]


def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
