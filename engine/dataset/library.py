"""Versions of a character on disk: v1, v2, … each as it was, none ever written over.

A character's library stands in its own folder. ``library/v3/character.json`` says all about version
3 but its pixels, which stand in ``library/pictures`` and ``library/masks`` under their hashes: what
two versions share is stored once. Pictures are exact; masks have 16 bits.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..core.character import (
    Character,
    Shot,
    mask_hash,
    picture_hash,
    shot_from_record,
    shot_record,
    who_record,
)
from ..core.errors import FacetError
from ..store.files import contained, write_atomic, write_json_atomic
from ..store.home import home_of
from ..store.images import image_bytes
from ..store.json_files import MANY, read_json
from .pictures import UnreadablePicture, mask_bytes, read_mask, read_picture

FOLDER, RECORD = "library", "character.json"
PICTURES, MASKS = "pictures", "masks"
NEWEST = "newest"
FORMAT = 1
_NUMBER = re.compile(r"v([1-9]\d*)")


@dataclass(frozen=True)
class Version:
    """One version as it is listed. pictures, included: how many, and how many of the dataset."""

    folder: Path
    number: int
    note: str
    saved: str
    content: str
    pictures: int
    included: int

    @property
    def label(self) -> str:
        """What it is called: the character's folder and the number, such as 'Ada/v2'."""
        return f"{self.folder.parent.parent.name}/v{self.number}"

    @property
    def line(self) -> str:
        saved = self.saved[:16].replace("T", " ")
        counted = f"{self.pictures} images, {self.included} included"
        return "  ".join(filter(None, (self.label, saved, counted, self.note)))


@dataclass(frozen=True)
class Saved:
    """The version that a character is now kept as; new: whether it was not there before."""

    version: Version
    new: bool


@dataclass(frozen=True)
class Opened:
    """A character as a version has it."""

    version: Version
    character: Character


class Library:
    """Every character's versions below ``root``, which holds a folder for each character."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def labels(self) -> list[str]:
        """What can be opened, by character: its newest version, then each, the last one first."""
        found = []
        for folder in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            numbers = [number for number, _ in _finished(folder / FOLDER)]
            if numbers:
                found.append(f"{folder.name}/{NEWEST}")
                found += [f"{folder.name}/v{number}" for number in reversed(numbers)]
        return found

    def versions(self, name: str) -> list[Version]:
        """The versions of the character whose folder is called ``name``, the first one first.

        Raises FacetError when one cannot be read.
        """
        finished = _finished(contained(self.root, name, FOLDER))
        return [_version(path, number, _read(path)) for number, path in finished]

    def find(self, label: str) -> Path:
        """The folder of the version called ``label``, such as 'Ada/v2' or 'Ada/newest'.

        Raises FacetError when there is none.
        """
        name, _, wanted = label.strip().rpartition("/")
        if not name:
            raise FacetError(f"{label!r} is not a version; give one such as 'Ada/v2'.")
        finished = _finished(contained(self.root, name, FOLDER))
        if not finished:
            raise FacetError(
                f"There is no saved version of {name!r}; save one with Facet Save Character."
            )
        if wanted == NEWEST:
            return finished[-1][1]
        for number, path in finished:
            if wanted == f"v{number}":
                return path
        there = ", ".join(f"v{number}" for number, _ in finished)
        raise FacetError(f"There is no version {wanted!r} of {name!r}; choose one of {there}.")

    def save(
        self,
        character: Character,
        note: str = "",
        on_picture: Callable[[int, int], None] | None = None,
    ) -> Saved:
        """Keeps ``character`` as its next version, unless a version holds exactly this already.

        Pictures are written first, so that what was cut off is no version and is taken up by the
        next save. Raises FacetError when an earlier version cannot be read, or a text or a number
        cannot be written to a file.
        """
        name = home_of(self.root, character).folder.name
        library = contained(self.root, name, FOLDER)
        known = self.versions(name)
        entries = []
        for number, shot in enumerate(character.pictures, start=1):
            entries.append(keep(library, shot))
            if on_picture is not None:
                on_picture(number, len(character.pictures))
        record: dict[str, Any] = {
            "note": note.strip(),
            "facet": FORMAT,
            **who_record(character),
            "pictures": entries,
        }
        content = _digest(record)
        for version in known:
            if version.content == content:
                return Saved(version, new=False)
        saved = datetime.now(timezone.utc).isoformat(timespec="seconds")
        record = {"saved": saved, "content": content, **record}
        number, folder = _claimed(library)
        write_json_atomic(folder / RECORD, record)
        return Saved(_version(folder, number, record), new=True)

    def open(self, label: str, on_picture: Callable[[int, int], None] | None = None) -> Opened:
        """The character as it was when the version called ``label`` was saved.

        Raises FacetError when there is no such version, or a picture of it is gone or changed.
        """
        folder = self.find(label)
        record = _read(folder)
        shots = []
        for number, entry in enumerate(record["pictures"], start=1):
            shots.append(kept(folder.parent, entry))
            if on_picture is not None:
                on_picture(number, len(record["pictures"]))
        character = Character(
            name=str(record["name"]),
            trigger=str(record["trigger"]),
            class_word=str(record["class_word"]),
            source=shots[0],
            shots=tuple(shots[1:]),
            companions=tuple(map(str, record.get("companions", []))),
        )
        number = int(folder.name.removeprefix("v"))
        return Opened(_version(folder, number, record), character)


def _numbered(library: Path) -> Iterator[tuple[int, Path]]:
    for path in library.iterdir() if library.is_dir() else []:
        number = _NUMBER.fullmatch(path.name)
        if number is not None:
            yield int(number[1]), path


def _finished(library: Path) -> list[tuple[int, Path]]:
    """The numbers and folders of the versions that were saved whole, in order."""
    return sorted(one for one in _numbered(library) if (one[1] / RECORD).is_file())


def _claimed(library: Path) -> tuple[int, Path]:
    """The next number and its folder, made just now, which no other process can have made."""
    library.mkdir(parents=True, exist_ok=True)
    number = max((number for number, _ in _numbered(library)), default=0) + 1
    while True:
        try:
            (library / f"v{number}").mkdir()
            return number, library / f"v{number}"
        except FileExistsError:
            number += 1


def _digest(record: dict[str, Any]) -> str:
    """sha256 of all that ``record`` says but its note, which makes no other version."""
    try:
        json.dumps(record, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise FacetError(
            f"{record['name']!a} or a shot of it holds something that no file can store ({error}); "
            "rewrite the note, its captions, tags or weights."
        ) from error
    said = {key: value for key, value in record.items() if key != "note"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _read(folder: Path) -> dict[str, Any]:
    try:
        record = read_json(contained(folder.parent, folder.name, RECORD), MANY)
    except FacetError as error:
        raise FacetError(f"{error} Mend it or move the folder away.") from error
    try:
        if record["facet"] > FORMAT:
            raise FacetError("a newer Facet wrote it")
        if not (record["pictures"] and all(one["hash"] for one in record["pictures"])):
            raise FacetError("it lists no images")
    except (ValueError, KeyError, TypeError) as error:
        raise FacetError(
            f"{folder / RECORD} cannot be read ({error}); mend it or move the folder away."
        ) from error
    return dict(record)


def _version(folder: Path, number: int, record: dict[str, Any]) -> Version:
    return Version(
        folder=folder,
        number=number,
        note=str(record.get("note", "")),
        saved=str(record.get("saved", "")),
        content=str(record.get("content", "")),
        pictures=len(record["pictures"]),
        included=sum(bool(one.get("include", True)) for one in record["pictures"]),
    )


def keep(library: Path, shot: Shot) -> dict[str, Any]:
    """Writes the pixels of ``shot`` where they are not there or not right; all else, as a record.

    Raises FacetError when a file would lie outside of ``library``.
    """
    path = contained(library, PICTURES, f"{shot.hash}.png")
    if _hash_in(path, lambda data: picture_hash(read_picture(data).image)) != shot.hash:
        write_atomic(path, image_bytes(shot.image))
    if shot.mask is None:
        return {**shot_record(shot), "mask": None}
    mask = mask_hash(shot.mask)
    path = contained(library, MASKS, f"{mask}.png")
    if _hash_in(path, lambda data: mask_hash(read_mask(data))) != mask:
        write_atomic(path, mask_bytes(shot.mask))
    return {**shot_record(shot), "mask": mask}


def kept(library: Path, entry: dict[str, Any]) -> Shot:
    """The shot that ``keep`` made ``entry`` of.

    Raises FacetError when its picture or mask is gone, broken, or shows something else.
    """
    name = str(entry.get("hash"))[:16]
    try:
        picture = contained(library, PICTURES, f"{entry['hash']}.png")
        image = read_picture(picture.read_bytes()).image
        mask = None
        if entry.get("mask"):
            mask = read_mask(contained(library, MASKS, f"{entry['mask']}.png").read_bytes())
        shot = shot_from_record(entry, image, mask)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FacetError(
            f"The image {name} in {library} cannot be read ({error}); put it back there."
        ) from error
    if shot.hash != entry["hash"] or (mask is not None and mask_hash(mask) != entry["mask"]):
        raise FacetError(
            f"The image {name} in {library} is not the one that was saved; put the right one "
            "back there."
        )
    return shot


def _hash_in(path: Path, hash_of: Callable[[bytes], str]) -> str:
    """The hash of what ``path`` shows; empty when there is nothing that can be read."""
    try:
        return hash_of(path.read_bytes()) if path.is_file() else ""
    except UnreadablePicture:
        return ""
