"""Words that captions should not have: who somebody is, and what captioners say of any image.

They stand in the languages' tables, for the reader *find*: nouns with an adjective before them (or
on either side) say who somebody is, alone they do not: 'red hair' is found, 'hair in the wind' is
not.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from ...core.words import FIND, subjects, tables, tidy, words_for

WHO = "age"
"""Of this noun only the words beside it are removed: 'young woman' becomes 'woman'."""

MOST = "{0,6}"
"""How many words may stand between a noun and the last that describes it."""

Span = tuple[int, int]


def identity_spans(text: str) -> list[Span]:
    """Where ``text`` says who somebody is: hair, eyes, skin, face, build, beard, marks, age."""
    return _spans(text, _identity())


def boilerplate_spans(text: str) -> list[Span]:
    """Where ``text`` says what captioners say of any picture, such as 'The image shows'."""
    return _spans(text, _boilerplate())


def without(text: str, spans: Iterable[Span]) -> str:
    """``text`` without ``spans``, the small words that lead to them, and what is left empty."""
    kept, done = [], 0
    for start, end in sorted(spans):
        kept.append(_leads().sub("", text[done:start]))
        done = end
    kept.append(text[done:])
    parts = (_leads().sub("", part) for part in re.split(r"(?<=[,;])", tidy(" ".join(kept))))
    left = re.sub(r"\s+([.;:!?\u3001\u3002\uff0c\uff1b])", r"\1", tidy("".join(parts)))
    return left.strip(" ,;:")


@functools.cache
def common_words() -> frozenset[str]:
    """Words that say nothing of a picture on their own, in every language."""
    return frozenset(word for known in tables() for word in _small(known, "common"))


def _spans(text: str, patterns: tuple[re.Pattern[str], ...]) -> list[Span]:
    plain = text.replace("\u2019", "'")
    found = sorted(
        (match.span("it") if "it" in pattern.groupindex else match.span())
        for pattern in patterns
        for match in pattern.finditer(plain)
    )
    merged: list[Span] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@functools.cache
def _identity() -> tuple[re.Pattern[str], ...]:
    patterns = []
    for known in tables():
        identity = known["identity"]
        patterns.append(
            _compiled(_any(words_for(FIND, identity.get("alone", {}))), known["spaced"])
        )
        for subject, entry in subjects(known).items():
            nouns = _any(words_for(FIND, entry.get("nouns", {})))
            words = _any(words_for(FIND, entry.get("words", {})))
            if not known["spaced"]:
                patterns.append(_compiled(f"{words}[色的い]*{nouns}", spaced=False))
                continue
            gap = r"[\s-]+"
            inner = f"(?:{words}|{_any(_small(known, 'joins'))})"
            before, after = f"{words}(?:,?{gap}{inner}){MOST}", f"(?:{inner},?{gap}){MOST}{words}"
            only = subject == WHO
            patterns.append(
                _compiled(
                    f"(?P<it>{before}){gap}{nouns}" if only else f"(?P<it>{before}{gap}{nouns})"
                )
            )
            if identity.get("adjectives") == "both":
                patterns.append(
                    _compiled(
                        f"{nouns}{gap}(?P<it>{after})" if only else f"(?P<it>{nouns}{gap}{after})"
                    )
                )
    # Ages are numbers as often as words.
    patterns.append(_compiled(r"\d{1,3}[\s-]+years?[\s-]+old"))
    return tuple(patterns)


@functools.cache
def _boilerplate() -> tuple[re.Pattern[str], ...]:
    return tuple(
        _compiled(_any(known["boilerplate"].get("anywhere", ())), known["spaced"])
        for known in tables()
    )


@functools.cache
def _leads() -> re.Pattern[str]:
    words = _any({word for known in tables() for word in _small(known, "leads")})
    return re.compile(rf"(?:(?<!\w){words}\s+)+$|(?:\s+{words})+(?=\s*[,;]?$)", re.IGNORECASE)


def _small(known: dict[str, Any], kind: str) -> list[str]:
    return list(known["small_words"].get(kind, ()))


def _any(words: Iterable[str]) -> str:
    """A pattern of any of ``words``, the longest first; of none when there are none."""
    longest = sorted(words, key=len, reverse=True)
    return f"(?:{'|'.join(re.escape(word) for word in longest)})" if longest else "(?!)"


def _compiled(pattern: str, spaced: bool = True) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){pattern}(?!\w)" if spaced else pattern, re.IGNORECASE)
