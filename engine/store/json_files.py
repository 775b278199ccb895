"""JSON that anybody may have written: from the disk, from an archive, from a request.

What is too large is refused before it is read, and what Python cannot hold or compute with is one
sentence that names where it stands.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..core.errors import FacetError

MANY = 32 << 20
"""Bytes of a file about thousands of images."""
FEW = 4 << 20
"""Bytes of any other file."""
DIGITS = 300
"""A number with more is no measure of anything, and no float holds it."""


def parse_json(text: str | bytes, what: str, most: int = FEW) -> Any:
    """The value in ``text``, UTF-8 with or without its mark.

    what: where it stands, as the sentence begins: 'facet.json', 'curation'. most: bytes.
    Raises FacetError when it is longer than ``most``, no JSON, nested too deeply, or holds a number
    that is not finite.
    """
    if len(text) > most:
        raise FacetError(f"{what} cannot be read (it is larger than {_size(most)}).")
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(plain, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
    except RecursionError as error:
        raise FacetError(f"{what} cannot be read (it is nested too deeply).") from error
    except ValueError as error:
        raise FacetError(f"{what} cannot be read ({error}).") from error


def read_json(path: Path, most: int = FEW) -> Any:
    """The value in the file ``path``.

    Raises FacetError as ``parse_json`` does, and when the file cannot be read; FileNotFoundError,
    which a caller may have another answer to, when it is not there.
    """
    try:
        if path.stat().st_size > most:
            raise FacetError(f"{path} cannot be read (it is larger than {_size(most)}).")
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FacetError(f"{path} cannot be read ({error.strerror or error}).") from error
    return parse_json(data, str(path), most)


def _size(most: int) -> str:
    return f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is no number")
    return value
