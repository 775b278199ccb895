"""Requests that no page of Facet sends, to every route that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ._hostile_prompts import DEEP, MANY_DIGITS

NODES = Path(__file__).resolve().parents[1] / "nodes"
ROUTE = re.compile(r'@routes\.(get|post)\("([^"]+)"\)')
PATHS = [
    "", ".", "..", "../../etc/passwd", "/etc/passwd", "facet", "facet/Ada", "facet/Ada/shots",
    "facet/../../x", "\0", "a\0b", "x" * 5_000, "\u202e", "%00", "%2e%2e/", "C:\\x", "\\\\host\\x",
    "\ud83d", DEEP, "facet/Ada/training/run", "facet/Ada/report",
]  # fmt: skip
KEYS = ("workflow", "node", "folder", "path", "key", "name", "file", "sliders", "points", "shots")
VALUES = [
    "null", "5", "-1", "1e999", "NaN", MANY_DIGITS, '""', '"../x"', '"\\ud83d"', "[]", "[[]]", "{}",
    '{"smile_l": "x"}', '{"smile_l": ' + MANY_DIGITS + "}", DEEP, '"' + "x" * 10_000 + '"',
]  # fmt: skip
TYPES = [
    "application/json", "application/json; charset=utf-99", "application/json; charset=utf-16",
    "text/plain", "application/x-www-form-urlencoded", "", "x",
]  # fmt: skip

Asked = tuple[str, bytes | None, dict[str, str]]


def routes() -> list[tuple[str, str]]:
    """The method and the path of every route of the pack, as its pages' sources add them."""
    sources = (path.read_text("utf-8") for path in sorted(NODES.rglob("*.py")))
    return [found for text in sources for found in ROUTE.findall(text)]


def escaped(text: str) -> str:
    """``text`` in an address, halves of letters too."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def requests() -> Iterator[Asked]:
    """Each hostile request: its address, body and headers."""
    for method, path in routes():
        if method == "get":
            yield from _gets(path)
        else:
            yield from _posts(path)


def _gets(path: str) -> Iterator[Asked]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    for text in PATHS:
        short = escaped(text[:4_000])
        if names:
            filled = path
            for name in names:
                filled = filled.replace(f"{{{name}}}", short or "x")
            yield filled, None, {}
            continue
        for key in KEYS[:7]:
            yield f"{path}?{key}={short}", None, {}
        yield f"{path}?folder={short}&key={'0' * 16}", None, {}


def _posts(path: str) -> Iterator[Asked]:
    plain = {"Content-Type": "application/json"}
    bodies = [b"", b"{", b"[1]", b"null", DEEP.encode(), b"\xff\xfe{}", b'{"a": "\xff"}']
    bodies += [f'{{"{key}": {value}}}'.encode() for key in KEYS for value in VALUES]
    for body in bodies:
        yield path, body, plain
    for kind in TYPES:
        yield path, b'{"node": "1"}', {"Content-Type": kind}
    for origin in ("null", "https://elsewhere.example", "x"):
        yield path, b'{"node": "1"}', {**plain, "Origin": origin}
    everything = json.dumps(dict.fromkeys(KEYS, "x")).encode()
    yield path, everything, plain
