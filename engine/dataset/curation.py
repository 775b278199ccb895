"""What a person decided about single pictures of a dataset, by the pictures' hashes."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from ..core.character import LONGEST_CAPTION, Character, Shot, Tags
from ..core.errors import FacetError
from ..core.vocabulary import VOCABULARY, spoken
from ..store.json_files import parse_json

HASH_DIGITS = 16
"""So many digits of a picture's hash tell it apart; more of them mean the same picture."""
MOST_WEIGHT = 100.0
_EXAMPLE = '{"shots": {"9f3a…": {"include": false}}}'
_TAGS = tuple(entry.name for entry in fields(Tags))


@dataclass(frozen=True)
class Choice:
    """What was decided about one picture; None, or no tag, leaves that as it came.

    tags: values by the names of ``Tags``' fields. caption: a person's own words.
    """

    include: bool | None = None
    weight: float | None = None
    tags: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    caption: str | None = None

    def record(self) -> dict[str, Any]:
        """What was decided, as plain JSON values."""
        values = {"include": self.include, "weight": self.weight, "caption": self.caption}
        known = {key: value for key, value in values.items() if value is not None}
        tags = {
            axis: value if isinstance(value, str) else list(value)
            for axis, value in self.tags.items()
        }
        return known | ({"tags": tags} if tags else {})

    def applied(self, shot: Shot) -> Shot:
        """``shot`` as was decided; its caption follows its tags unless a person wrote it."""
        values: dict[str, Any] = dict(self.tags)
        tags = replace(shot.tags, **values)
        caption, by_hand = shot.caption, shot.by_hand
        if self.caption is not None:
            caption, by_hand = self.caption, True
        elif not by_hand:
            caption = following(caption, shot.tags, tags)
        return shot.changed(
            include=shot.include if self.include is None else self.include,
            weight=shot.weight if self.weight is None else self.weight,
            tags=tags,
            caption=caption,
            by_hand=by_hand,
        )


NOTHING = Choice()


@dataclass(frozen=True)
class Curation:
    """The choices by the first digits of the pictures' hashes.

    approved: the ``set_hash`` of the pictures that a person has looked through, or ''.
    """

    choices: Mapping[str, Choice] = field(default_factory=lambda: MappingProxyType({}))
    approved: str = ""

    def of(self, shot: Shot) -> Choice:
        return self.choices.get(shot.hash[:HASH_DIGITS], NOTHING)


def curated(character: Character, curation: Curation) -> Character:
    """``character`` as a person decided; choices about other pictures change nothing."""
    return character.mapped(lambda shot: curation.of(shot).applied(shot))


def set_hash(character: Character) -> str:
    """sha256 over which pictures ``character`` has, in whatever order, included or not."""
    pictures = sorted({shot.hash for shot in character.pictures})
    return hashlib.sha256("\n".join(pictures).encode()).hexdigest()


def following(caption: str, before: Tags, after: Tags) -> str:
    """``caption`` with the phrases of tags that have changed, where it says the earlier ones."""
    parts = caption.split(", ")
    for axis in VOCABULARY:
        said, now = (
            value and spoken(axis, value)
            for value in (getattr(one, axis) for one in (before, after))
        )
        if said and said != now and parts.count(said) == 1:
            place = parts.index(said)
            parts[place : place + 1] = [now] if now else []
    return ", ".join(parts)


def parse_curation(text: str) -> Curation:
    """The decisions in the JSON that the curator's widget and file hold.

    ``{"shots": {"<16 or more digits of the hash>": {"include": false, "weight": 2,
    "tags": {"view": "front"}, "caption": "…"}}, "approved": "<set hash>"}``; every part may be
    missing. Raises FacetError with one sentence when the text is something else.
    """
    if not text.strip():
        return Curation()
    try:
        written = parse_json(text, "curation")
    except FacetError as error:
        raise FacetError(f"{error} Empty it, or write {_EXAMPLE}.") from error
    return curation_from(written)


def curation_from(written: Any) -> Curation:
    """The decisions in ``written``, what the JSON says; raises FacetError as above."""
    shots = written.get("shots", {}) if isinstance(written, dict) else None
    if not isinstance(written, dict) or not isinstance(shots, dict):
        raise FacetError(
            "curation has to be an object that holds decisions by the hashes of images; "
            f"empty it, or write {_EXAMPLE}."
        )
    approved = written.get("approved", "")
    if not isinstance(approved, str):
        raise FacetError(f"curation: approved is {approved!r}; write a set's hash, or nothing.")
    choices = {_digits(key): _choice(key[:HASH_DIGITS], value) for key, value in shots.items()}
    return Curation(choices, approved)


def _digits(key: str) -> str:
    if not re.fullmatch(rf"[0-9a-f]{{{HASH_DIGITS},64}}", key):
        raise FacetError(
            f"curation: {key[:80]!r} is no image's hash; write at least its first {HASH_DIGITS} "
            "digits."
        )
    return key[:HASH_DIGITS]


def _choice(key: str, value: object) -> Choice:
    if not isinstance(value, dict):
        raise FacetError(f'curation: {key} needs an object such as {{"include": false}}.')
    include, weight = value.get("include"), value.get("weight")
    if include is not None and not isinstance(include, bool):
        raise FacetError(f"curation: include of {key} is {include!r}; write true or false.")
    if weight is not None and not _is_weight(weight):
        raise FacetError(
            f"curation: the weight of {key} is {weight!r}; write a number above 0 and up to "
            f"{MOST_WEIGHT:g}, or leave the image out with include."
        )
    caption = value.get("caption")
    if caption is not None and not isinstance(caption, str):
        raise FacetError(f"curation: the caption of {key} is {caption!r}; write a text.")
    if caption is not None and len(caption) > LONGEST_CAPTION:
        raise FacetError(
            f"curation: the caption of {key} has {len(caption)} letters, more than any text "
            f"encoder reads; shorten it to {LONGEST_CAPTION}."
        )
    tags = value.get("tags", {})
    if not isinstance(tags, dict):
        raise FacetError(f'curation: the tags of {key} need an object such as {{"view": "front"}}.')
    return Choice(
        include,
        None if weight is None else float(weight),
        {axis: _tag(key, axis, words) for axis, words in tags.items()},
        (caption or "").strip() or None,
    )


def _is_weight(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 < value <= MOST_WEIGHT  # type: ignore[operator,arg-type]


def _tag(key: str, axis: str, words: object) -> str | tuple[str, ...]:
    if axis not in _TAGS:
        raise FacetError(f"curation: {key} has a tag {axis!r}; write one of {', '.join(_TAGS)}.")
    if axis == "details" and isinstance(words, list) and all(isinstance(w, str) for w in words):
        return tuple(" ".join(word.split()) for word in words if word.strip())
    if axis == "details" or not isinstance(words, str):
        needed = "a list of texts" if axis == "details" else "a text"
        raise FacetError(f"curation: {axis} of {key} is {words!r}; write {needed}.")
    return " ".join(words.split())
