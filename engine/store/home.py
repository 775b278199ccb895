"""The folder that a character has to itself, below the one of all characters.

A character is the picture it began with, not the letters of its name: two people called alike have
two folders. Whose a folder is stands in a file in it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core.character import Character, who_record
from ..core.errors import FacetError
from .files import contained, numbered
from .json_files import read_json

FILE = "character.json"


@dataclass(frozen=True)
class Home:
    """A character's folder; note: a sentence where it is not called as the character is."""

    folder: Path
    note: str = ""


def home_of(root: Path, character: Character, claim: bool = True) -> Home:
    """The folder below ``root`` of the character that began with the original of ``character``.

    The one that is its own already, or else the first of name, name_2, name_3 … that is nobody's,
    which is made and written down as its own; unless ``claim`` is False, when it is only named.
    Raises FacetError when a folder does not say whose it is, or nothing can be written there.
    """
    first = character.folder_name
    pictures = {shot.hash for shot in character.pictures}
    there = list(_called(root, first))
    for folder in there:
        # The original may have become one of the shots, where it was read from loose files.
        if _owner(folder) in pictures:
            return _found(folder, first)
    for name in numbered(first):
        folder = contained(root, name)
        # One that is called so but for the case is the same folder on many systems.
        alike = {path.name for path in there if path.name.casefold() == folder.name.casefold()}
        if alike - {folder.name} or _owner(folder):
            continue
        if not claim or _claim(folder, character):
            return _found(folder, first)
    raise AssertionError  # there is always a next name


def _found(folder: Path, first: str) -> Home:
    if folder.name.casefold() == first.casefold():
        return Home(folder)
    return Home(
        folder,
        f"Another character has the folder {first!r}; the files of this one are in "
        f"{folder.name!r}. Give it a name of its own to tell them apart.",
    )


def _called(root: Path, first: str) -> Iterator[Path]:
    """The folders below ``root`` that a character of this name may have."""
    numbered = re.compile(rf"{re.escape(first)}(_\d+)?", re.IGNORECASE)
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if numbered.fullmatch(path.name):
            yield contained(root, path.name)


def _owner(folder: Path) -> str:
    """The hash of the original of the character that ``folder`` is of; '' where it is nobody's."""
    path = contained(folder, FILE)
    if not path.is_file():
        return ""
    record = read_json(path)
    owner = record.get("original") if isinstance(record, dict) else None
    if not isinstance(owner, str) or not owner:
        raise FacetError(
            f"{path} does not say which image the character of this folder began with; move the "
            "folder away, or give the character another name."
        )
    return owner


def _claim(folder: Path, character: Character) -> bool:
    """Writes down whose ``folder`` is; False when it has become another one's meanwhile."""
    record = {"facet": 1, "original": character.source.hash, **who_record(character)}
    text = json.dumps(record, indent=2)
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        return False
    except OSError as error:
        raise FacetError(
            f"Nothing can be written to {folder} ({error.strerror or error}); free space or change "
            "its rights, or start ComfyUI with another output folder."
        ) from error
    return True
