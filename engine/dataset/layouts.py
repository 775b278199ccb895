"""Where each file of a dataset stands in each layout, and the manifest beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.character import Character, Shot
from ..core.errors import FacetError
from ..store.json_files import MANY, parse_json, read_json

MANIFEST = "facet.json"
METADATA = "metadata.jsonl"
MASKS = "masks"
MASK_BESIDE = "-masklabel.png"
EXCLUDED = "excluded"
CHARACTERS = "characters"
TRAIN = "train"
PROMPTS = "prompts.txt"
REPEATS = re.compile(r"^(\d+)_(.+)$")


class Layout(str, Enum):
    """How trainers want a dataset: which folders, and where the captions are."""

    KOHYA = "kohya"
    FLAT = "flat"
    METADATA = "metadata"
    ZIP = "zip"
    AI_TOOLKIT = "ai_toolkit"
    ONETRAINER = "onetrainer"
    ASSET_LIBRARY = "asset_library"


@dataclass(frozen=True)
class Placement:
    """Where a shot stands, from the dataset's folder; ``text`` is None for metadata.jsonl.

    A name that starts with ``archive_name`` stands in that archive.
    """

    picture: str
    text: str | None
    mask: str | None


def place(
    layout: Layout, character: Character, shot: Shot, repeats: int, suffix: str = ".png"
) -> Placement:
    """Where ``shot`` stands; but for an asset library's expressions the name follows from the
    picture and the file that it was loaded from alone, so that it never moves.
    """
    folder = _folder(layout, character, shot, repeats)
    stem = exported_stem(shot, shot.hash == character.source.hash)
    if layout is Layout.ASSET_LIBRARY and folder.endswith("/expressions/"):
        stem = f"{_words(shot.tags.expression)}_{shot.hash[:16]}"
    own_text = layout is not Layout.METADATA or not shot.include
    if layout is Layout.ONETRAINER:
        mask = f"{folder}{stem}{MASK_BESIDE}"
    else:
        mask = f"{library(layout, character)}{MASKS}/{stem}.png"
    return Placement(
        picture=f"{folder}{stem}{suffix}",
        text=f"{folder}{stem}.txt" if own_text else None,
        mask=None if shot.mask is None else mask,
    )


def exported_stem(shot: Shot, original: bool) -> str:
    """What the files of ``shot`` are called, without a suffix: as the one that it came from."""
    own = _words(PurePosixPath(shot.provenance.file).stem)[:40].strip(" _-")
    return f"{own or ('original' if original else 'shot')}_{shot.hash[:16]}"


def names_of(character: Character) -> dict[str, str]:
    """What a person knows the pictures by, by their hashes: the file that one came from, or the
    one that it is exported to."""
    return {
        shot.hash: shot.provenance.file or exported_stem(shot, shot is character.source)
        for shot in character.pictures
    }


def archive_name(character: Character) -> str:
    """What the zip of a character is called."""
    return f"{character.folder_name[:40]}.zip"


def library(layout: Layout, character: Character) -> str:
    """The character's folder in an asset library, with the slash; empty in other layouts."""
    asset = layout is Layout.ASSET_LIBRARY
    return f"{CHARACTERS}/{character.folder_name}/" if asset else ""


def weight_folder(weight: float) -> str:
    """The folder of pictures of this weight, where a trainer weighs whole folders."""
    return "images" if weight == 1 else f"images_weight_{weight:g}"


def _folder(layout: Layout, character: Character, shot: Shot, repeats: int) -> str:
    own = library(layout, character)
    if not shot.include:
        return f"{own}{EXCLUDED}/"
    if layout is Layout.KOHYA:
        words = _words(character.phrase)
        return f"{times(shot, repeats)}_{words}/"
    if layout is Layout.ASSET_LIBRARY:
        face = shot.tags.expression and shot.hash != character.source.hash
        return f"{own}reference/expressions/" if face else f"{own}reference/"
    if layout in (Layout.AI_TOOLKIT, Layout.ONETRAINER):
        return f"{weight_folder(shot.weight)}/"
    if layout is Layout.ZIP:
        return f"{archive_name(character)}/"
    return f"{TRAIN}/" if layout is Layout.METADATA else ""


def times(shot: Shot, repeats: int) -> int:
    """How often ``shot`` is seen in an epoch."""
    return max(1, round(repeats * shot.weight))


def _words(text: str) -> str:
    """``text`` as a part of a folder's name: any script, no path, at most 60 characters."""
    return re.sub(r"[^\w -]+", "_", text)[:60].strip() or "_"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in ``folder``, or None when there is none.

    Raises FacetError when it is there and cannot be read.
    """
    path = folder / MANIFEST
    return _listed(read_json(path, MANY)) if path.is_file() else None


def parse_manifest(data: bytes) -> dict[str, Any]:
    """The manifest in ``data``; FacetError when it is none."""
    return _listed(parse_json(data, MANIFEST, MANY))


def _listed(manifest: Any) -> dict[str, Any]:
    pictures = manifest.get("pictures") if isinstance(manifest, dict) else None
    if not isinstance(pictures, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("file"), str) for entry in pictures
    ):
        raise FacetError(f"{MANIFEST} does not list images")
    return manifest
