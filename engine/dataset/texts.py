"""Caption files as people's editors leave them."""

from __future__ import annotations


def decode(data: bytes) -> tuple[str, bool]:
    """The text in ``data``, and whether it was UTF-8; what is not is read as
    UTF-16 with its mark, or else as Windows-1252."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")  # the mark that Windows' Notepad sets
    try:
        return data.decode("utf-16" if wide else "utf-8-sig"), not wide
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), False


def one_line(text: str) -> str:
    """``text`` with every run of white space as one blank, and without what no caption holds."""
    return " ".join(text.replace("\x00", "").split())


def same(one: str, other: object) -> bool:
    """Whether two captions differ in white space at most, as after a visit of an editor."""
    return isinstance(other, str) and (one == other or one_line(one) == one_line(other))
