"""The words that captions are written in: ``captions`` of a language's table, and ``tags.json``.

- ``words``: for each axis of the tags and each of its values, what a caption says; English says
  what ``VOCABULARY`` has.
- ``free``: free text that comes with the presets, and what it is called. Other free text is said as
  it stands.
- ``outfit``: what is worn; ``both``: two characters in one image.
- ``sentence``: how each framing starts one, what joins its parts, those ``words`` that differ from
  the ones above, and what ends it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..core.errors import FacetError
from ..core.vocabulary import VOCABULARY, phrase, spoken
from ..core.words import ENGLISH, table, unusable
from ..families.family import Form
from ..families.table import family_of

HERE = Path(__file__).resolve().parent
_ENGLISH = {"words": VOCABULARY, "outfit": spoken("outfit", "{value}")}
Table = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Language:
    """One table; see the module for what its fields mean."""

    code: str
    title: str
    english: str
    outfit: str
    both: str
    words: Table
    free: Mapping[str, str] = field(default_factory=dict)
    join: str = ", "
    end: str = "."
    starts: Mapping[str, str] = field(default_factory=dict)
    in_sentences: Table = field(default_factory=dict)

    def said(self, axis: str, value: str, form: Form = Form.PHRASES) -> str:
        """``value`` of ``axis`` in words: a key of the vocabulary or free text."""
        said = self.words.get(axis, {}).get(value) or self.free.get(value, value)
        if form is Form.SENTENCES:
            known = self.in_sentences.get(axis, {})
            said = known.get(value) or known.get(said, said)
        return self.outfit.replace("{value}", said) if axis == "outfit" else said

    def knows(self, axis: str, value: str) -> bool:
        """Whether the table has words of its own for ``value``."""
        return self.code == ENGLISH or value in self.words.get(axis, {}) or value in self.free


def language(code: str) -> Language:
    """The language of ``code``; FacetError with a sentence when it is not there or is unusable."""
    found = table(code)
    try:
        said = _ENGLISH | found["captions"] if code == ENGLISH else found["captions"]
        sentence = said["sentence"]
        known = Language(
            code,
            str(found["title"]),
            str(found["english"]),
            str(said["outfit"]),
            str(said["both"]),
            {axis: dict(said["words"].get(axis, {})) for axis in VOCABULARY},
            dict(said.get("free", {})),
            str(sentence["join"]),
            str(sentence["end"]),
            dict(sentence["start"]),
            {axis: dict(words) for axis, words in sentence["words"].items()},
        )
        _check(known)
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        raise unusable(code, problem) from problem
    return known


def _check(known: Language) -> None:
    for axis, values in VOCABULARY.items():
        missing = [value for value in values if value not in known.words[axis]]
        if missing:
            raise FacetError(f"it has no words for {axis} {missing[0]!r}")
    if not known.both.startswith("{first}"):
        raise FacetError(f"{known.both!r} does not begin with {{first}}")
    for text, place in (
        (known.outfit, "{value}"),
        (known.both, "{second}"),
        *((start, "{subject}") for start in known.starts.values()),
    ):
        if place not in text:
            raise FacetError(f"{text!r} has no {place}")


def as_tags(axis: str, value: str) -> str:
    """``value`` as a list of tags, such as they stand with pictures of drawn people."""
    known = _tags().get(axis, {})
    if value in known:
        return str(known[value])
    said = phrase(axis, value)
    parts = said.replace(" and ", ", ").split(",") if axis == "outfit" else [said]
    return ", ".join(_bare(part) for part in parts if part.strip())


@cache
def _tags() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = json.loads((HERE / "tags.json").read_text("utf-8"))
    return known


def _bare(phrase: str) -> str:
    words = phrase.split()
    while len(words) > 1 and words[0].lower() in {"a", "an", "the", "in", "on", "at", "before"}:
        words = words[1:]
    return " ".join(words)


def form_of(form: Form, model: Any | None) -> Form:
    """``form``, or for "auto" that of the family of ``model``: phrases without a model.

    model: a ModelPatcher.
    """
    if form is not Form.AUTO:
        return form
    return Form.PHRASES if model is None else family_of(model).captions
