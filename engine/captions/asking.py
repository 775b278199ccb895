"""What a model is asked about an image, and what of its answer becomes a tag."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from typing import Any

from ..core.character import Tags
from ..core.errors import FacetError
from ..core.vocabulary import AXES, VOCABULARY
from ..core.words import ENGLISH, table, words_for
from .cleaning import COMMAS, cleaned
from .words import Language

CONTROLLED = ("framing", "view", "expression")
"""Axes that take values of the vocabulary and nothing else."""
QUESTIONS = {
    "framing": "How much of the {class_word} does the picture show? Answer with one of: {values}.",
    "view": "From which side is the {class_word} seen, and to which edge of the picture does the "
    "nose point? Answer with one of: {values}.",
    "expression": "What is the {class_word}'s facial expression? Answer with one of: {values}.",
    "pose": "What does the {class_word} do with the body? Answer with one of: {values}; or, if "
    "none fits, in at most five words.",
    "outfit": "Which clothes does the {class_word} wear? Answer with garments and their colours "
    "only, in at most ten words, such as 'a red coat and black boots'. Say nothing about hair, "
    "face or body.",
    "background": "Where is the {class_word}? Answer with the place or the background only, in at "
    "most eight words, such as 'in a park' or 'plain grey background'. Say nothing about the "
    "{class_word}.",
    "lighting": "How is the picture lit? Answer with one of: {values}; or, if none fits, in at "
    "most four words.",
    "details": "Which things besides clothes does the {class_word} hold or wear, such as glasses "
    "or a bag? Answer with at most three, parted by commas, or with 'none'. Say nothing about "
    "hair, face or body.",
}
CAPTION = "Describe the picture."
"""What a model is asked that takes no questions; see `reading.py`."""


def parse_axes(text: str) -> tuple[str, ...]:
    """The axes in ``text``, such as "background, lighting", in caption order.

    Raises FacetError with a sentence when a word is no axis.
    """
    wanted = {word.strip().lower() for word in text.replace(";", ",").split(",")} - {""}
    unknown = sorted(wanted - set(AXES))
    if unknown:
        raise FacetError(
            f"'fill' has {unknown[0]!r}, which is no part of a caption; "
            f"take any of {', '.join(AXES)}."
        )
    return tuple(axis for axis in AXES if axis in wanted)


def unknown_axes(tags: Tags, axes: Collection[str]) -> list[str]:
    """Those of ``axes`` that ``tags`` do not know and the picture can show."""
    return [axis for axis in tags.visible_axes() if axis in axes and not getattr(tags, axis)]


def question(axis: str, class_word: str, said: Language) -> str:
    """What a model is asked about ``axis``; free text is wanted in the language of the captions."""
    values = ", ".join(VOCABULARY.get(axis, {}).values())
    text = QUESTIONS[axis].replace("{class_word}", class_word).replace("{values}", values)
    free = axis in ("outfit", "background", "details")
    return f"{text} Answer in {said.english}." if free and said.code != ENGLISH else text


def heard(axis: str, answer: str) -> str:
    """The value of the vocabulary that ``answer`` names; empty for none, or for two of them."""
    text = re.sub(r"[^\w']+", " ", answer.lower().replace("_", " "))
    spans: list[tuple[int, int, str]] = []
    for value, phrases in _heard().get(axis, {}).items():
        for phrase in phrases:
            word = rf"(?<!\w)(?<!not )(?<!no )(?<!without ){re.escape(phrase)}(?!\w)(?! of\b)"
            spans += [(*found.span(), value) for found in re.finditer(word, text)]
    # "left profile" says more than the "profile" within it.
    whole = [
        value
        for start, end, value in spans
        if not any(a <= start and end <= b and b - a > end - start for a, b, _ in spans)
    ]
    return whole[0] if len(set(whole)) == 1 else ""


def with_answer(
    tags: Tags, axis: str, answer: str, said: Language, triggers: Collection[str], identity: bool
) -> Tags:
    """``tags`` with what ``answer`` holds about ``axis``: a value of the vocabulary, or free text.

    identity: whether a caption may say who it is.
    """
    text = cleaned(answer, axis, words=triggers, language=said.code, identity=identity)
    value = heard(axis, cleaned(answer, axis, identity=True)) if axis in VOCABULARY else ""
    if axis == "details":
        parts = [part.strip() for part in re.split(f"[{COMMAS}]", text)]
        return replace(tags, details=tuple(dict.fromkeys(part for part in parts if part))[:3])
    if not value and axis in CONTROLLED:
        return tags
    found: dict[str, Any] = {axis: value or text}
    return replace(tags, **found)


@cache
def _heard() -> dict[str, dict[str, list[str]]]:
    """By axis and value, the phrases that mean it, in lower case and without hyphens."""
    synonyms = table(ENGLISH)["synonyms"]
    return {
        axis: {
            value: [
                one.lower().replace("-", " ")
                for one in {
                    *words_for("answer", synonyms[axis].get(value, {})),
                    said,
                    value.replace("_", " "),
                }
            ]
            for value, said in VOCABULARY[axis].items()
        }
        for axis in synonyms
    }
