"""Captions said otherwise: of the mirrored picture, and of anyone of the class."""

from __future__ import annotations

import re

from ...core.letters import word_pattern

_SIDE = re.compile(
    # "left", "leftmost", "left-handed", and "left" in "three_quarter_left"; not "leftover".
    r"(?<![^\W_])(left|right)(?=(?:most|wards?|hand(?:ed)?)?(?:[\W_]|$))",
    re.IGNORECASE,
)
_OTHER_SIDE = {"left": "right", "right": "left"}


def mirrored_caption(caption: str) -> str:
    """``caption`` with left and right exchanged, as words or parts of one, in the same case."""

    def exchanged(match: re.Match[str]) -> str:
        word = match[0]
        other = _OTHER_SIDE[word.lower()]
        if word.isupper():
            return other.upper()
        return other.capitalize() if word[0].isupper() else other

    return _SIDE.sub(exchanged, caption)


def class_caption(caption: str, trigger: str, class_word: str) -> str:
    """``caption`` of anyone of the class: "zqx person, smiling" becomes "person, smiling".

    The trigger is left out where the class word is said anyway, and replaced by it otherwise. A
    caption without the trigger becomes the class word alone, so that it is never the caption that
    the character is trained with.
    """
    others, found = word_pattern(trigger).subn("", caption)
    if not found:
        return class_word
    if not word_pattern(class_word).search(others):
        return word_pattern(trigger).sub(lambda _: class_word, caption)
    others = re.sub(r"\s+", " ", others)
    return re.sub(r"\s+(?=[,.;:])", "", others).strip(" ,;:")
