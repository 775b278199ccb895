"""Captions as files hold them: in whatever encoding, on however many lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from ..core.character import LONGEST_CAPTION
from ..core.letters import has_word, plain

UTF_8 = "UTF-8"


class Decoded(NamedTuple):
    """A text, and the encoding that it was in."""

    text: str
    encoding: str


def decode(data: bytes) -> Decoded:
    """The text in ``data``: UTF-8, UTF-16 by its mark or its zeros, or else what it reads best as.

    Old encodings do not say which they are. Each that fits is held to how common its letters are in
    the languages that it was made for; Windows-1252 takes what fits none.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # the mark that Windows' Notepad sets
        return Decoded(data.decode("utf-16", "replace"), "UTF-16")
    for name, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if len(data) > 3 and zeros.count(0) > 0.7 * len(zeros):
            return Decoded(data.decode(name, "replace"), "UTF-16")
    try:
        return Decoded(data.decode("utf-8-sig"), UTF_8)
    except UnicodeDecodeError:
        pass
    best, found = 0.0, Decoded(data.decode("cp1252", "replace"), "Windows-1252")
    for codec, (called, worth) in _OLD.items():
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        points = sum(worth(text, at) for at, one in enumerate(text) if one > "\x7f")
        share = points / sum(len(one.encode(codec)) for one in text if one > "\x7f")
        if share > best:
            best, found = share, Decoded(text, called)
    return found


def _level_one(codec: str, first: int, last: int) -> Callable[[str], bool]:
    """Whether a Chinese character is among those that the standard of ``codec`` calls common."""

    def common(letter: str) -> bool:
        try:
            return first <= letter.encode(codec)[0] <= last
        except UnicodeEncodeError:
            return False

    return common


def _wide(common: Callable[[str], bool], own: str) -> Callable[[str, int], float]:
    """What a letter of two bytes speaks for its encoding: 2 where it is common there."""

    def worth(text: str, at: int) -> float:
        letter = text[at]
        if re.match(own, letter) or re.match(r"[\u3001-\u3011\uff01-\uff5e]", letter):
            return 2
        if unicodedata.category(letter) in ("Co", "Cn") or re.match(r"[\uff61-\uff9f]", letter):
            return -2
        beside = text[max(0, at - 1) : at] + text[at + 1 : at + 2]
        if beside.isascii() and re.search("[a-z]", beside, re.IGNORECASE):
            return 0  # one alone in a Latin word: the letter's second half was Latin
        return 2 if common(letter) else 0

    return worth


def _cyrillic(text: str, at: int) -> float:
    letter, before = text[at], text[max(0, at - 1) : at].strip()
    if not re.match(r"[\u0400-\u045f]", letter):
        return 0.2 if letter in "\u00ab\u00bb\u2014\u2013\u2026\u2116" else -1
    mixed = re.match(r"[A-Za-z]", before + text[at + 1 : at + 2].strip())
    return -1 if mixed or (letter.isupper() and before.islower()) else 0.9


_WESTERN = (
    "\u2019\u2018\u201c\u201d\u2013\u2014\u2026\u00ab\u00bb\u00b0\u20ac\u00a3\u00b7\u00bf\u00a1"
)
"""Marks of Western Europe's texts."""


def _western(text: str, at: int) -> float:
    letter = text[at]
    if not letter.isalpha():
        return 0.9 if letter in _WESTERN else -1
    beside = text[max(0, at - 1) : at + 2].replace(letter, "", 1)
    plain_ones = sum(one < "\x80" for one in beside)
    return 0.95 if plain_ones == len(beside) else 0.5 if plain_ones else -1


_OLD: dict[str, tuple[str, Callable[[str, int], float]]] = {
    # What ties goes to the first: Korean is all Hangul, which GBK reads as common characters too.
    "cp949": ("EUC-KR", _wide(_level_one("euc_kr", 0xB0, 0xC8), r"(?!)")),
    "gb18030": ("GBK", _wide(_level_one("gb2312", 0xB0, 0xD7), r"(?!)")),
    "cp932": ("Shift-JIS", _wide(_level_one("cp932", 0x88, 0x97), r"[\u3040-\u30ff]")),
    "euc_jp": ("EUC-JP", _wide(_level_one("euc_jp", 0xB0, 0xCF), r"[\u3040-\u30ff]")),
    "big5": ("Big5", _wide(_level_one("big5", 0xA4, 0xC6), r"(?!)")),
    "cp1251": ("Windows-1251", _cyrillic),
    "cp1252": ("Windows-1252", _western),
}
"""By codec, what people call it, and how much each of its letters speaks for it."""


def one_line(text: str) -> str:
    """``text`` with every run of white space as one blank, and without what no caption holds."""
    return " ".join(text.replace("\x00", "").split())


def same(one: str, other: object) -> bool:
    """Whether two captions differ in white space at most, as after a visit of an editor."""
    return isinstance(other, str) and (one == other or plain_line(one) == plain_line(other))


def plain_line(text: str) -> str:
    """``text`` on one line, and each letter typed in one way."""
    return one_line(plain(text))


def first_alternative(text: str, trigger: str) -> str:
    """Of lines that each call ``trigger``, the first; a text of any other lines as it is.

    Some trainers draw one of a file's lines. Paragraphs, with an empty line between, are one text.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    calling = [line for line in lines if trigger and has_word(line, trigger)]
    return text if "" in lines or len(calling) < 2 else calling[0]


def bounded(caption: str) -> str:
    """``caption``, cut after a word where it is longer than any text encoder reads."""
    if len(caption) <= LONGEST_CAPTION:
        return caption
    cut = caption[:LONGEST_CAPTION]
    return cut.rsplit(" ", 1)[0].rstrip(" ,") if " " in cut[LONGEST_CAPTION // 2 :] else cut
