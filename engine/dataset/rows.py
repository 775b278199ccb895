"""Captions in a table beside the pictures: metadata.jsonl and metadata.csv."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ..core.errors import FacetError
from ..store.json_files import parse_json
from .layouts import METADATA
from .texts import decode, one_line

TABLES = (METADATA, "metadata.csv")
NAMES = ("file_name", "filename", "file_path", "file", "image", "image_path", "path")
"""Columns that name the picture; the first that a row has."""
TEXTS = ("text", "caption", "captions", "prompt", "description", "txt")
"""Columns of captions, the first of which is taken; or else the one column of text there is."""

Row = dict[str, Any]


@dataclass
class Rows:
    """captions: by what the table calls the picture. column: that they stand in, '' for none.

    faults: what is wrong, with the place in the table. notes: what there is to say about all of it.
    """

    captions: dict[str, str] = field(default_factory=dict)
    column: str = ""
    faults: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_rows(name: str, data: bytes) -> Rows:
    """The captions in ``data``, a table called ``name``."""
    found = Rows()
    lines = _csv(data) if name.lower().endswith(".csv") else _jsonl(data)
    rows: list[tuple[str, str, Row]] = []
    for place, row in lines:
        key = next((key for key in NAMES if isinstance(row.get(key), str)), None)
        if key is None:
            found.faults.append((place, "is not a row with a file_name"))
        else:
            rows.append((place, row[key], {name: one for name, one in row.items() if name != key}))
    found.column = _column([row for _, _, row in rows], found.notes)
    for place, picture, row in rows:
        called = picture.replace("\\", "/").removeprefix("./")
        found.captions[called] = _caption(row.get(found.column), place, found)
    return found


def _jsonl(data: bytes) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(data.splitlines(), start=1):
        if line.strip():
            try:
                row = parse_json(line, METADATA)
            except FacetError:
                row = None
            yield f"line {number}", row if isinstance(row, dict) else {}


def _csv(data: bytes) -> Iterator[tuple[str, Row]]:
    text = decode(data).text.replace("\x00", "")
    first = text.partition("\n")[0]
    between = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=between)
    try:
        for row in reader:
            told = {str(key).strip(): value for key, value in row.items() if key is not None}
            yield f"line {reader.line_num}", told
    except csv.Error:
        yield f"line {reader.line_num}", {}


def _column(rows: list[Row], notes: list[str]) -> str:
    """The column that captions stand in."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    held = [key for key in columns if any(_is_text(row.get(key)) for row in rows)]
    known = [key for wanted in TEXTS for key in held if key.lower() == wanted]
    chosen = known[0] if known else held[0] if len(held) == 1 else ""
    if not chosen and columns:
        others = ", ".join(map(repr, held or columns))
        notes.append(f"has no column 'text', and captions may be in any of {others}; rename one")
    elif chosen and chosen != TEXTS[0]:
        notes.append(f"has its captions in the column {chosen!r}")
    if chosen and known[1:]:
        others = ", ".join(map(repr, known[1:]))
        notes.append(f"has texts in the columns {others} too, which were not taken")
    return chosen


def _is_text(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(one, str) and one.strip() for one in texts)


def _caption(value: object, place: str, found: Rows) -> str:
    """The caption in a cell: '' for none; of several the longest."""
    if value is None or isinstance(value, str):
        return value or ""
    several = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    if not several:
        found.faults.append((place, f"has a caption that is no text ({json.dumps(value):.40})"))
        return ""
    longest = max(several, key=lambda one: len(one_line(one)))
    for one in several:
        if one is not longest:
            found.faults.append((place, f"has several captions; {one!r:.60} was dropped"))
    return longest


def pictures_of(called: str, folder: PurePosixPath) -> list[str]:
    """The names that a picture may have that a table in ``folder`` calls ``called``."""
    return [(folder / called).as_posix(), PurePosixPath(called).as_posix()]
