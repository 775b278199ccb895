"""In which words captions are written: ``languages/``, ``tags.json`` and ``families.json``.

A language is a JSON file that anyone may edit; its name is what the `language` widget shows.

- ``title``, ``english``: what the language calls itself, and what English calls it.
- ``words``: for each axis of the tags and each of its values, what a caption says.
- ``free``: free text that comes with the presets, and what it is called. Other free text is said as
  it stands.
- ``outfit``: what is worn; ``both``: two characters in one picture.
- ``sentence``: how each framing starts one, what joins its parts, those ``words`` that differ from
  the ones above, and what ends it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from ..core.character import VOCABULARY, Tags

HERE = Path(__file__).resolve().parent
ENGLISH = "en"
Table = Mapping[str, Mapping[str, str]]


class Form(str, Enum):
    """How a caption is put."""

    AUTO = "auto"
    PHRASES = "phrases"
    SENTENCES = "sentences"
    TAGS = "tags"


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
        phrase = self.words.get(axis, {}).get(value) or self.free.get(value, value)
        if form is Form.SENTENCES:
            table = self.in_sentences.get(axis, {})
            phrase = table.get(value) or table.get(phrase, phrase)
        return self.outfit.replace("{value}", phrase) if axis == "outfit" else phrase

    def knows(self, axis: str, value: str) -> bool:
        """Whether the table has words of its own for ``value``."""
        return self.code == ENGLISH or value in self.words.get(axis, {}) or value in self.free


def languages() -> list[str]:
    """The codes of the tables, English first."""
    found = sorted(path.stem for path in (HERE / "languages").glob("*.json"))
    return sorted(found, key=lambda code: code != ENGLISH)


def language(code: str) -> Language:
    """The table of ``code``; ValueError with a sentence when it is not there or cannot be used."""
    if code not in languages():
        raise ValueError(f"There is no language {code!r}; take one of {', '.join(languages())}.")
    path = HERE / "languages" / f"{code}.json"
    try:
        table = json.loads(path.read_text("utf-8"))
        sentence = table["sentence"]
        known = Language(
            code,
            str(table["title"]),
            str(table["english"]),
            str(table["outfit"]),
            str(table["both"]),
            {axis: dict(table["words"].get(axis, {})) for axis in VOCABULARY},
            dict(table.get("free", {})),
            str(sentence["join"]),
            str(sentence["end"]),
            dict(sentence["start"]),
            {axis: dict(words) for axis, words in sentence["words"].items()},
        )
        _check(known)
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        raise ValueError(
            f"The language {path.name} cannot be used ({problem}); mend that file."
        ) from problem
    return known


def _check(known: Language) -> None:
    for axis, values in VOCABULARY.items():
        missing = [value for value in values if value not in known.words[axis]]
        if missing:
            raise ValueError(f"it has no words for {axis} {missing[0]!r}")
    if not known.both.startswith("{first}"):
        raise ValueError(f"{known.both!r} does not begin with {{first}}")
    for text, place in (
        (known.outfit, "{value}"),
        (known.both, "{second}"),
        *((start, "{subject}") for start in known.starts.values()),
    ):
        if place not in text:
            raise ValueError(f"{text!r} has no {place}")


def shown_axes(tags: Tags) -> list[str]:
    """The axes that are known and can be seen: no expression from behind, no pose close up."""
    hidden = {"expression"} if tags.view == "back" else set()
    hidden |= {"pose"} if tags.framing == "close_up" else set()
    return [axis for axis in VOCABULARY if getattr(tags, axis) and axis not in hidden]


def as_tags(axis: str, value: str) -> str:
    """``value`` as a list of tags, such as they stand with pictures of drawn people."""
    table = _tags().get(axis, {})
    if value in table:
        return str(table[value])
    phrase = VOCABULARY[axis].get(value, value) if axis in VOCABULARY else value
    parts = phrase.replace(" and ", ", ").split(",") if axis == "outfit" else [phrase]
    return ", ".join(_bare(part) for part in parts if part.strip())


@cache
def _tags() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads((HERE / "tags.json").read_text("utf-8"))
    return table


def _bare(phrase: str) -> str:
    words = phrase.split()
    while len(words) > 1 and words[0].lower() in {"a", "an", "the", "in", "on", "at", "before"}:
        words = words[1:]
    return " ".join(words)


def form_of(form: Form, model: Any | None) -> Form:
    """``form``, or for "auto" what ``model`` was trained on: phrases for an unknown one or none.

    model: a ModelPatcher.
    """
    if form is not Form.AUTO:
        return form
    if model is None:
        return Form.PHRASES
    family = type(model.model.model_config).__name__
    table = json.loads((HERE / "families.json").read_text("utf-8"))
    liked = (Form(name) for name, one in table.items() if family in one["models"])
    return next(liked, Form.PHRASES)
