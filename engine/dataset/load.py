"""Reads a folder or a zip of pictures and captions back as a character, ours or anybody's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.character import Provenance, Shot, shot_from_record
from ..core.errors import FacetError
from .beside import Beside, one_line, own_files, same
from .formats import PictureFormat
from .layouts import (
    CHARACTERS,
    EXCLUDED,
    MANIFEST,
    MASK_BESIDE,
    MASKS,
    REPEATS,
    Layout,
    parse_manifest,
)
from .naming import Loaded, Names, character_of
from .pictures import SUFFIXES, Picture, UnreadablePicture, read_picture
from .tree import Faults, Tree

NOT_PICTURES = (MASK_BESIDE, "-condlabel.png")
TEXTS = (".txt", ".caption")
SILENT = frozenset({"thumbs.db", "desktop.ini"})


Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Found:
    """A picture read: where it stands, its pixels as a bare shot, and what is known about it.

    entry: what the manifest says, or else ``inside``, the file itself; empty when nothing is known.
    exact: whether the file is the one that was written, or at least has its pixels. repeats: how
    often kohya repeats it.
    """

    name: str
    shot: Shot
    inside: Record
    entry: Record
    exact: bool
    repeats: int = 0


class Records:
    """The pictures in a manifest, to be found by their pixels, their bytes, or at last by name."""

    def __init__(self, entries: Iterable[Record]) -> None:
        self.entries = list(entries)
        self._by_name = {str(entry.get("file")): entry for entry in self.entries}
        self._by_pixels = {str(entry.get("hash")): entry for entry in self.entries}
        self._by_bytes = {str(entry.get("sha256")): entry for entry in self.entries}

    def find(self, name: str, picture: Picture, data: bytes) -> Found:
        """The picture ``name`` with the record that its pixels or its bytes have."""
        shot = Shot(picture.image, Provenance("imported"), mask=picture.mask)
        sha256 = hashlib.sha256(data).hexdigest()
        entry = self._by_pixels.get(shot.hash) or self._by_bytes.get(sha256)
        inside = picture.record or {}
        if entry is None and inside.get("hash") == shot.hash:
            entry = inside
        return Found(name, shot, inside, entry or {}, entry is not None)

    def by_name(self, found: list[Found]) -> list[Found]:
        """``found``, where those that nothing else identified are known by name.

        A name whose record went to another picture says nothing: that one was renamed.
        """
        taken = {str(one.entry.get("hash")) for one in found if one.exact}
        known = []
        for one in found:
            if not one.exact:
                entry = self._by_name.get(one.name) or one.inside
                if str(entry.get("hash")) not in taken:
                    one = replace(one, entry=entry)
            known.append(one)
        return known


def load(
    where: Path, names: Names | None = None, on_picture: Callable[[int, int], None] | None = None
) -> Loaded:
    """The character in ``where``, a folder or a zip: any of our layouts, or loose pictures.

    What we exported comes back equal, but for captions edited since, which count as written by
    hand, and for the pixels of formats that lose some. Pictures that were renamed or moved are
    known by their pixels. What cannot be read is reported and left out.
    Raises FacetError when there is no picture to read, or nothing says what the trigger is.
    """
    faults = Faults()
    with Tree(where, faults) as tree:
        return _Reading(tree, names or Names(), faults).load(on_picture)


class _Reading:
    def __init__(self, tree: Tree, names: Names, faults: Faults) -> None:
        self.tree, self.names, self.faults = tree, names, faults
        self.manifest = self._manifest()
        for name in sorted(tree.names):
            if self.manifest.get("layout") == Layout.ZIP and name.lower().endswith(".zip"):
                tree.mount(name)
        self.records = Records(self.manifest.get("pictures", []))
        self.beside = Beside(tree, self.records.entries, faults)

    def load(self, on_picture: Callable[[int, int], None] | None) -> Loaded:
        files = [name for name in sorted(self.tree.names) if _is_picture(name)]
        found: list[Found] = []
        for number, name in enumerate(files, start=1):
            one = self._read(name)
            if one is not None:
                found.append(one)
            if on_picture is not None:
                on_picture(number, len(files))
        kept: dict[str, Found] = {}
        for one in self.records.by_name(found):
            read = self._with_all(one)
            same_picture = kept.get(read.shot.hash)
            if same_picture is not None:
                self.faults.add(read.name, f"the same image as {same_picture.name}")
            if same_picture is None or (read.shot.caption and not same_picture.shot.caption):
                kept[read.shot.hash] = read
        self._report_the_rest(files)
        if not kept:
            reasons = "; ".join(self.faults.lines[:3])
            raise FacetError(
                f"There is no image to read in {self.tree.where}"
                + (f" ({reasons})." if reasons else "; put PNG, JPEG or WebP files there.")
            )
        ordered = self._in_order(list(kept.values()))
        return character_of(
            [(read.name, read.shot) for read in ordered],
            {read.name for read in ordered if read.entry.get("original")},
            self.names,
            self.manifest,
            self.tree,
            self.faults,
        )

    def _manifest(self) -> dict[str, Any]:
        if MANIFEST not in self.tree.names:
            return {}
        try:
            return parse_manifest(self.tree.read(MANIFEST))
        except (OSError, ValueError) as error:
            self.faults.add("", str(error))
            return {}

    def _read(self, name: str) -> Found | None:
        try:
            data = self.tree.read(name)
            picture = read_picture(data, PurePosixPath(name).suffix)
            return self.records.find(name, picture, data)
        except (OSError, UnreadablePicture) as error:
            self.faults.add(name, str(error))
            return None

    def _with_all(self, found: Found) -> Found:
        shot = _shot_of(found, self.faults)
        entry = found.entry
        folders = PurePosixPath(found.name).parent.parts
        own_repeats = REPEATS.match(folders[-1]) if folders else None
        text = self.beside.text(found.name, entry)
        if text is not None and not same(text, shot.caption):
            # What we wrote ourselves, before the picture had its present caption, is no edit.
            by_hand = bool(entry) and not same(text, entry.get("written_caption"))
            shot = shot.changed(caption=one_line(text), by_hand=by_hand)
        shot = shot.changed(
            mask=self.beside.mask(found.name, entry, shot),
            include=EXCLUDED not in _folders(found.name),
        )
        if found.exact and entry.get("hash") not in (None, shot.hash):
            kind = str(entry.get("format"))
            lossy = kind in {one.value for one in PictureFormat if not one.lossless}
            what = kind.upper() if lossy else "a lossy format"
            self.faults.add(
                found.name, f"is {what}: near the image that was exported, not equal to it"
            )
        repeats = 0 if entry or own_repeats is None else int(own_repeats[1])
        return replace(found, shot=shot, repeats=repeats)

    def _in_order(self, found: list[Found]) -> list[Found]:
        """The manifest's order first, then by name; repeats that differ become weights."""
        order = {id(entry): number for number, entry in enumerate(self.records.entries)}
        ordered = sorted(found, key=lambda one: (order.get(id(one.entry), len(order)), one.name))
        base = min((one.repeats for one in ordered if one.repeats), default=0)
        return [
            replace(one, shot=one.shot.changed(weight=one.repeats / base)) if one.repeats else one
            for one in ordered
        ]

    def _report_the_rest(self, pictures: list[str]) -> None:
        """Says which captions have no picture, and what was not read at all."""
        stems = {str(PurePosixPath(name).with_suffix("")) for name in pictures}
        ours = own_files(self.manifest)
        others: dict[str, int] = {}
        for name in sorted(self.tree.names - set(pictures)):
            path = PurePosixPath(name)
            suffix = path.suffix.lower()
            if suffix in TEXTS:
                if str(path.with_suffix("")) not in stems and name not in self.beside.used | ours:
                    self.faults.add(name, "has no image")
            elif suffix in SUFFIXES:
                continue  # a mask
            elif path.name.lower() not in SILENT and name not in ours:
                others[suffix or path.name] = others.get(suffix or path.name, 0) + 1
        for name in self.beside.rows:
            if name not in self.tree.names:
                self.faults.add(name, "is in metadata.jsonl but not there")
        if others:
            kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
            self.faults.add("", f"Files of other kinds were not read: {kinds}.")


def _shot_of(found: Found, faults: Faults) -> Shot:
    """The shot as its record says; a changed picture has no scores, and was made from the other."""
    if not found.entry:
        return found.shot
    try:
        shot = shot_from_record(found.entry, found.shot.image, found.shot.mask)
    except (TypeError, ValueError, AttributeError):
        faults.add(found.name, "its record is broken and was not used")
        return found.shot
    if found.exact:
        return shot
    faults.add(found.name, "the image was changed since it was exported")
    parent = str(found.entry.get("hash", ""))
    return shot.changed(scores=(), provenance=Provenance("edited", parent=parent))


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    if path.suffix.lower() not in SUFFIXES or path.name.lower().endswith(NOT_PICTURES):
        return False
    return MASKS not in _folders(name)


def _folders(name: str) -> tuple[str, ...]:
    """The folders that ``name`` is in, without those of an asset library, which may be any name."""
    folders = PurePosixPath(name).parent.parts
    return folders[2:] if folders[:1] == (CHARACTERS,) else folders
