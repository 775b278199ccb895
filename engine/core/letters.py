"""Texts as they come in, and words in them, in any script."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

UNSPACED = (
    r"\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u318f\u31a0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc"
    r"\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
"""Letters that may stand against another word: Thai to Khmer, Chinese, Japanese, and Korean, whose
particles follow a name without a space."""


_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{one}{n}" for one in ("com", "lpt") for n in range(10)}


def plain(text: str) -> str:
    """``text`` as files and other programs can hold it: without halves of letters, which JSON and
    language models leave behind, and each letter with its accent as one (Unicode's NFC)."""
    return unicodedata.normalize("NFC", whole(text))


def whole(text: str) -> str:
    """``text`` without halves of letters."""
    return re.sub(r"[\ud800-\udfff]", "", text)


def is_portable(name: str) -> bool:
    """Whether ``name`` can be a file's or a folder's on every system; Windows is the strictest."""
    stem = name.split(".")[0].strip().casefold()
    return not (stem in _DEVICES or name != name.strip().rstrip(".") or _FORBIDDEN.search(name))


def has_word(text: str, word: str) -> bool:
    """Whether ``text`` has ``word`` as a word of its own, in any case."""
    return word_pattern(word).search(text) is not None


@cache
def word_pattern(word: str) -> re.Pattern[str]:
    """What finds ``word`` as a word of its own, in any case.

    A letter beside it makes it part of a longer word only where its script has spaces between
    words: 'zqx人物' and '小明穿着红裙子' call zqx and 小明, 'zqxs' does not call zqx.
    """
    letter = rf"(?:[^\W{UNSPACED}]|[{_marks()}])"
    begins = "" if re.match(f"[{UNSPACED}]", word) else f"(?<!{letter})"
    ends = "" if re.search(f"[{UNSPACED}]$", word) else f"(?!{letter})"
    return re.compile(f"{begins}{re.escape(word)}{ends}", re.IGNORECASE)


@cache
def _marks() -> str:
    """The marks that are parts of letters, such as vowels of Devanagari, for a character class."""
    places = [at for at in range(0x300, 0x1CFF) if unicodedata.category(chr(at))[0] == "M"]
    return "".join(chr(at) for at in places if not re.match(f"[{UNSPACED}]", chr(at)))
