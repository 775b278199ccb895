"""The words of each language, one table a language: ``<code>.json`` beside this file.

Anyone may edit a table; another one beside them is another language (docs/adding-a-language.md).

- ``title``, ``english``: what the language calls itself, and what English calls it. ``spaced``:
  whether spaces separate its words.
- ``captions``: how captions say each value; see ``captions/words.py``.
- ``identity``: words that say who somebody is, by what they are about, for three readers. *find*
  shows a person where a caption says it, *cut* takes whole parts out of what a model said, *oppose*
  tells values from each other that contradict. They differ on purpose: 'hair in the wind' is no
  finding, and is cut, because what a model adds to it cannot be foreseen. Each word stands once,
  under the readers that know it; for *oppose* it stands under the value that it says.
  ``nouns`` need one of ``words`` beside them (but for *cut*), ``alone`` are enough by themselves,
  ``patterns`` are regular expressions for *cut*. ``adjectives``: whether ``words`` stand before the
  noun or on both sides. ``worn``: words after a noun that make it something worn: 'hair ribbon'.
- ``boilerplate``: what captioners say of any image: ``beginnings`` of answers, as regular
  expressions, and phrases found ``anywhere`` in captions.
- ``small_words``: ``joins`` may stand between adjectives, ``leads`` go with what is removed,
  ``fillers`` may stand between an adjective and its noun, ``common`` say nothing by themselves.
- ``synonyms``: other words for values of the vocabulary, in the *answer* of a model that was asked
  for nothing else, or anywhere in a *prompt*.
- ``garments``: what is worn, as described images are *read*; with *score* those on the chest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import FacetError

FOLDER = Path(__file__).resolve().parent
ENGLISH = "en"
FIND, CUT, OPPOSE = "find", "cut", "oppose"

Entry = Mapping[str, Any]
"""Words by the readers that know them, such as ``{"find cut": ["bangs"]}``."""


def languages() -> list[str]:
    """The codes of the tables, English first."""
    found = sorted(path.stem for path in FOLDER.glob("*.json"))
    return sorted(found, key=lambda code: code != ENGLISH)


def table(code: str) -> dict[str, Any]:
    """The table of a language; FacetError with a sentence when it is not there or is no JSON.

    Only ``title``, ``english`` and ``captions`` have to be in it; what is missing is empty.
    """
    if code not in languages():
        raise FacetError(f"There is no language {code!r}; take one of {', '.join(languages())}.")
    try:
        found = json.loads((FOLDER / f"{code}.json").read_text("utf-8"))
        if not isinstance(found, dict):
            raise FacetError("it is no table")
    except (OSError, ValueError) as problem:
        raise unusable(code, problem) from problem
    return {"spaced": True, "identity": {}, "boilerplate": {}, "small_words": {}, **found}


def tables() -> list[dict[str, Any]]:
    """The tables of all languages, English first."""
    return [table(code) for code in languages()]


def unusable(code: str, problem: Exception) -> FacetError:
    """The sentence about a table that cannot be used."""
    return FacetError(f"The language {code}.json cannot be used ({problem}); mend that file.")


def words_for(reader: str, entry: Entry) -> list[str]:
    """The words of ``entry`` that ``reader`` knows."""
    return [word for word, _ in _facts(reader, entry)]


def values_for(reader: str, entry: Entry) -> dict[str, str]:
    """The words of ``entry`` that ``reader`` knows, with the value that each says ('' for none)."""
    return dict(_facts(reader, entry))


def subjects(known: Mapping[str, Any]) -> dict[str, dict[str, Entry]]:
    """What the words of a language's table are about: hair, eyes, … with their nouns and words."""
    return {
        subject: entry
        for subject, entry in known["identity"].items()
        if isinstance(entry, dict) and subject != "alone"
    }


def tidy(text: str, join: str = ", ") -> str:
    """``text`` on one line, without the commas and spaces that empty parts leave behind."""
    parts = (" ".join(part.split()) for part in text.split(join.strip()))
    return join.join(part for part in parts if part)


def _facts(reader: str, entry: Entry) -> Iterator[tuple[str, str]]:
    for readers, known in entry.items():
        if reader not in readers.split():
            continue
        for value, words in known.items() if isinstance(known, dict) else (("", known),):
            for word in words:
                yield word, value
