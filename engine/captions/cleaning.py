"""What a model said about a picture, made fit for a caption: short, plain, and without who it is.

What is cut off stands in the languages' tables: the beginnings of answers, and for the reader *cut*
the words that say who it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from ..core.letters import word_pattern
from ..core.words import CUT, ENGLISH, subjects, table, words_for

WORDS, LETTERS = 14, 100
"""No part of a caption that a model wrote is longer."""
MOST = 4000
"""So much of an answer is read."""
COMMAS = ",;\u3001\uff0c"
NOTHING = re.compile(
    r"(?:none|unknown|n/?a|nothing|nobody|no\b|not?\s+(?:visible|clear|shown|applicable)"
    r"|cannot|can't|unable|i\s+(?:cannot|can't|am|do|don't)\b|i'm\b|sorry|as an ai"
    r"|nessun|niente|nenhum|nada|ningun|aucun|rien|kein|nichts|无|没有|なし)",
    re.IGNORECASE,
)
SUBJECT = re.compile(
    r"(?:the|an?)\s+(?:[\w-]+\s+){0,3}?(?:woman|man|person|girl|boy|lady|guy|subject|character"
    r"|figure|individual)\b(?:'s)?\s*(?:appears to be|seems to be|is|are|stands|sits)?\b",
    re.IGNORECASE,
)
WORN = re.compile(r"(?:is\s+)?(?:wearing|dressed in|wears|clad in|has on)\b", re.IGNORECASE)
BEING = re.compile(r"(?:standing|sitting|posing|located|positioned|seen|shown)\b", re.IGNORECASE)
PARTS = re.compile(
    rf"(\s*[{COMMAS}.。]\s*|\s+(?:and|with|e|con|com|y|et|avec|und|mit)\s+)", re.IGNORECASE
)
PLAIN = re.compile(
    r"(?:an?\s+)?(?:plain\s+|solid\s+)?(white|black|gr[ae]y|blue|green|red|beige|brown|pink|yellow)"
    r"(?:\s+background)?",
    re.IGNORECASE,
)
DANGLING = {"a", "an", "the", "and", "with", "of", "in", "on", "at", "or", "is", "to", "by"}


def cleaned(
    answer: str,
    axis: str,
    *,
    words: Iterable[str] = (),
    language: str = "en",
    identity: bool = False,
) -> str:
    """The part of a caption that ``answer`` holds about ``axis``; empty when it holds none.

    words: those that may not be in it, such as triggers. identity: whether it may say who it is.
    """
    text = _one_line(answer, listed=axis == "details")
    text = _begun(text, axis, language)
    text = re.split(r"[.!?](?:\s|$)|。|\s[-\u2013\u2014]\s", text, maxsplit=1)[0]
    for word in words:
        text = word_pattern(word).sub("", text)
    if not identity:
        text = _without_identity(text, language)
    text = _bounded(" ".join(text.split()).strip(f" :'\"{COMMAS}"), language)
    if NOTHING.match(text):
        return ""
    if axis == "background" and (plain := PLAIN.fullmatch(text)):
        return f"plain {plain[1].lower()} background"
    return text[:1].lower() + text[1:] if language != "de" and text[1:2].islower() else text


def _one_line(answer: str, listed: bool) -> str:
    """The first line that says something; all lines of a list."""
    text = re.sub(r"<think>.*?(?:</think>|$)", " ", answer, flags=re.DOTALL)[:MOST]
    text = re.sub(r"<[^<>\n]{1,40}>|[*_#`\"“”«»]", "", text)
    lines = [re.sub(r"^\s*(?:[-•]|\d+[.)])\s*", "", line).strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.endswith(":")]
    return ", ".join(line.rstrip(".,;") for line in lines) if listed else "".join(lines[:1])


def _begun(text: str, axis: str, language: str) -> str:
    """``text`` without the words that answers begin with before they say anything."""
    beginnings = _beginnings(language)
    before = None
    while before != text:
        before = text
        for beginning in beginnings:
            text = beginning.sub("", text, count=1).lstrip(" ,")
        if axis != "details" and (found := SUBJECT.match(text)):
            text = text[found.end() :].lstrip(" ,")
        for one in {"outfit": (WORN,), "background": (BEING,)}.get(axis, ()):
            if found := one.match(text):
                text = text[found.end() :].lstrip(" ,")
    return text


def _without_identity(text: str, language: str) -> str:
    """``text`` without those of its parts that say who it is."""
    identity = _identity(language)
    pieces = PARTS.split(text)
    kept: list[str] = []
    for at in range(0, len(pieces), 2):
        if not any(word.search(pieces[at]) for word in identity):
            kept += pieces[at - 1 : at + 1] if kept and at else [pieces[at]]
    return "".join(kept)


def _bounded(text: str, language: str) -> str:
    """``text`` cut where a part of it ends, or else after a word."""
    while _long(text) and re.search(f"[{COMMAS}]", text):
        text = re.split(rf"[{COMMAS}](?=[^{COMMAS}]*$)", text)[0].rstrip()
    if not table(language)["spaced"] or not _long(text):
        return text[:LETTERS]
    words = text.split()[:WORDS]
    while words and (len(" ".join(words)) > LETTERS or words[-1].lower() in DANGLING):
        words.pop()
    return " ".join(words)


def _long(text: str) -> bool:
    return len(text) > LETTERS or len(text.split()) > WORDS


@cache
def _beginnings(language: str) -> tuple[re.Pattern[str], ...]:
    """How answers begin in English, which models fall back to, and in ``language``."""
    found = [
        one for known in _known(language) for one in known["boilerplate"].get("beginnings", ())
    ]
    return tuple(re.compile(rf"^\s*(?:{one})\s*", re.IGNORECASE) for one in found)


@cache
def _identity(language: str) -> tuple[re.Pattern[str], ...]:
    """What says who somebody is, in English and in ``language``."""
    patterns = []
    for known in _known(language):
        entries = [entry.get("nouns", {}) for entry in subjects(known).values()]
        entries.append(known["identity"].get("alone", {}))
        words = "|".join(re.escape(word) for entry in entries for word in words_for(CUT, entry))
        found = [words] if words else []
        for one in (*found, *known["identity"].get("patterns", ())):
            edged = rf"(?<!\w)(?:{one})(?!\w)" if known["spaced"] else one
            patterns.append(re.compile(edged, re.IGNORECASE))
    return tuple(patterns)


def _known(language: str) -> list[dict[str, Any]]:
    return [table(code) for code in dict.fromkeys((ENGLISH, language))]
