"""Where each file of a dataset stands in each layout, and the manifest beside them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..character import Character, Shot

MANIFEST = "facet.json"
METADATA = "metadata.jsonl"
MASKS = "masks"
EXCLUDED = "excluded"
TRAIN = "train"
REPEATS = re.compile(r"^(\d+)_(.+)$")


class Layout(str, Enum):
    """How trainers want a dataset: which folders, and where the captions are."""

    KOHYA = "kohya"
    FLAT = "flat"
    METADATA = "metadata"


@dataclass(frozen=True)
class Placement:
    """Where a shot stands, from the dataset's folder; ``text`` is None for metadata.jsonl."""

    picture: str
    text: str | None
    mask: str | None


def place(layout: Layout, character: Character, shot: Shot, repeats: int) -> Placement:
    """Where ``shot`` stands; the name follows from the picture alone, so that it never moves."""
    kind = "original" if shot.hash == character.source.hash else "shot"
    stem = f"{kind}_{shot.hash[:16]}"
    folder = _folder(layout, character, shot, repeats)
    own_text = layout is not Layout.METADATA or not shot.include
    return Placement(
        picture=f"{folder}{stem}.png",
        text=f"{folder}{stem}.txt" if own_text else None,
        mask=None if shot.mask is None else f"{MASKS}/{stem}.png",
    )


def _folder(layout: Layout, character: Character, shot: Shot, repeats: int) -> str:
    if not shot.include:
        return f"{EXCLUDED}/"
    if layout is Layout.KOHYA:
        times = max(1, round(repeats * shot.weight))
        words = re.sub(r"[^\w -]+", "_", f"{character.trigger} {character.class_word}")
        return f"{times}_{words.strip()}/"
    return f"{TRAIN}/" if layout is Layout.METADATA else ""


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in ``folder``, or None when there is none.

    Raises ValueError when it is there and cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{MANIFEST} cannot be read ({error})") from error
    pictures = manifest.get("pictures") if isinstance(manifest, dict) else None
    if not isinstance(pictures, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("file"), str) for entry in pictures
    ):
        raise ValueError(f"{MANIFEST} does not list pictures")
    return manifest


def read_metadata(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Captions by file from every metadata.jsonl under ``folder``, and what was wrong with lines.

    Files are given relative to ``folder``, with forward slashes.
    """
    captions: dict[str, str] = {}
    faults = []
    for path in sorted(folder.rglob(METADATA)):
        where = path.parent.relative_to(folder)
        shown = (where / METADATA).as_posix()
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"))
                captions[(where / row["file_name"]).as_posix()] = str(row.get("text", ""))
            except (ValueError, KeyError, TypeError, AttributeError):
                faults.append(f"{shown}: line {number} is not a row with a file_name")
    return captions, faults
