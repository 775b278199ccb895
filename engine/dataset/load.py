"""Reads a folder or a zip of pictures and captions back as a character, ours or anybody's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

from ..core.character import LARGEST_WEIGHT, LONGEST_CAPTION, Provenance, Shot, shot_from_record
from ..core.errors import FacetError
from ..core.shapes import SMALLEST_SIDE, seen_part
from ..store.json_files import MANY
from .beside import TEXTS, Beside, own_files, sized
from .formats import PictureFormat
from .layouts import CHARACTERS, EXCLUDED, MANIFEST, REPEATS, Layout, parse_manifest
from .naming import Loaded, Names, called, character_of, summary
from .parallel import in_parallel
from .passed_over import facets_own, inside, manifests, regularisation
from .pictures import (
    KEPT_PIXELS,
    SUFFIXES,
    Picture,
    UnreadablePicture,
    read_picture,
    scaled_down,
)
from .texts import same
from .tree import Faults, Tree

SILENT = frozenset({"thumbs.db", "desktop.ini"})


Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Found:
    """A picture read: where it stands, its pixels as a bare shot, and what is known about it.

    size: height and width of the file's picture.
    entry: what the manifest says, or else ``inside``, the file itself; empty when nothing is known.
    exact: whether the file is the one that was written, or at least has its pixels. repeats: how
    often kohya repeats it. notes: what was wrong with the file and did not matter.
    """

    name: str
    shot: Shot
    size: tuple[int, int]
    inside: Record
    entry: Record
    exact: bool
    repeats: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unread:
    """A file that gave no picture, and why."""

    name: str
    why: str


class Records:
    """The pictures in a manifest, to be found by their pixels, their bytes, or at last by name."""

    def __init__(self, entries: Iterable[Record]) -> None:
        self.entries = list(entries)
        self.names = {str(entry.get("file")) for entry in self.entries}
        self._by_name = {str(entry.get("file")): entry for entry in self.entries}
        self._by_pixels = {str(entry.get("hash")): entry for entry in self.entries}
        self._by_bytes = {str(entry.get("sha256")): entry for entry in self.entries}

    def find(self, name: str, picture: Picture, data: bytes) -> Found:
        """The picture ``name`` with the record that its pixels or its bytes have."""
        shot = Shot(picture.image, Provenance("imported", file=name))
        sha256 = hashlib.sha256(data).hexdigest()
        entry = self._by_pixels.get(shot.hash) or self._by_bytes.get(sha256)
        inside = picture.record or {}
        if entry is None and inside.get("hash") == shot.hash:
            entry = inside
        if entry is None and not inside and name not in self.names:
            shot = shot.changed(image=scaled_down(picture.image))
        if picture.mask is not None:
            shot = shot.changed(mask=sized(picture.mask, shot.size))
        exact = entry is not None
        return Found(name, shot, picture.size, inside, entry or {}, exact, notes=picture.notes)

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
        self._pass_over(facets_own(tree.names), "holds what Facet made beside the datasets")
        self._enter()
        self.manifest = self._manifest()
        for name in sorted(tree.names):
            if self.manifest.get("layout") == Layout.ZIP and name.lower().endswith(".zip"):
                tree.mount(name)
        self.records = Records(self.manifest.get("pictures", []))
        if not self.manifest:
            self._pass_over(
                regularisation([name for name in tree.names if _is_image(name)]),
                "holds regularisation images, which show others than the character",
            )
        images = sorted(name for name in tree.names if _is_image(name))
        self.who = called(images, names, self.manifest, tree)
        self.beside = Beside(tree, self.records.entries, self.who.trigger, faults)

    def load(self, on_picture: Callable[[int, int], None] | None) -> Loaded:
        files = self.beside.pictures
        found: list[Found] = []
        for number, one in enumerate(in_parallel(self._read, files), start=1):
            if self._usable(one):
                found.append(one)
            if on_picture is not None:
                on_picture(number, len(files))
        kept: dict[str, Found] = {}
        for one in self.records.by_name(found):
            read = self._with_all(one)
            known = kept.get(read.shot.hash)
            kept[read.shot.hash] = read if known is None else self._of_two(known, read)
        self._report_the_rest(files)
        if not kept:
            reasons = "; ".join(self.faults.lines[:3])
            raise FacetError(
                f"There is no image to read in {self.tree.where}"
                + (f" ({reasons})." if reasons else "; put PNG, JPEG or WebP files there.")
            )
        ordered = self._in_order(list(kept.values()))
        character, source = character_of(
            [(read.name, read.shot) for read in ordered],
            {read.name for read in ordered if read.entry.get("original")},
            self.who,
            self.names.original,
            self.tree,
        )
        scaled = sum(read.size != read.shot.size for read in ordered)
        return Loaded(character, summary(character, source, scaled, self.tree, self.faults))

    def _pass_over(self, folders: set[str], why: str) -> None:
        """Takes ``folders`` out of what is read, and says so."""
        for folder in sorted(folders):
            count = sum(_is_image(name) for name in self.tree.names if inside(name, {folder}))
            self.faults.add(folder, f"{why}, and was not read ({count} images)")
        self.tree.names = {name for name in self.tree.names if not inside(name, folders)}

    def _enter(self) -> None:
        """Goes down to the one dataset of ours, where all there is stands in its folder."""
        there = manifests(self.tree.names)
        if not there or "" in there:
            return
        outside = [n for n in self.tree.names if _is_image(n) and not inside(n, set(there))]
        if outside:
            for folder in there:
                self.faults.add(
                    f"{folder}/{MANIFEST}",
                    "was not used, since there are images outside of its folder; give that folder",
                )
        elif len(there) > 1:
            raise FacetError(
                f"{self.tree.where} holds {len(there)} datasets ({', '.join(there[:5])}); give "
                "the folder of one of them."
            )
        else:
            self.tree.enter(there[0])
            self.faults.add(there[0], "is the folder with the dataset, and was read")

    def _manifest(self) -> dict[str, Any]:
        if MANIFEST not in self.tree.names:
            return {}
        try:
            return parse_manifest(self.tree.read(MANIFEST, MANY))
        except (OSError, FacetError) as error:
            self.faults.add(MANIFEST, str(error))
            return {}

    def _read(self, name: str) -> Found | Unread:
        """The picture ``name``; in a thread, so that nothing of what is shared is changed."""
        try:
            data = self.tree.read(name)
            most = None if name in self.records.names else KEPT_PIXELS
            picture = read_picture(data, PurePosixPath(name).suffix, most)
            return self.records.find(name, picture, data)
        except (OSError, UnreadablePicture) as error:
            return Unread(name, str(error))

    def _usable(self, one: Found | Unread) -> TypeGuard[Found]:
        """Whether there is something to train on in ``one``; says why not."""
        if isinstance(one, Unread):
            self.faults.add(one.name, one.why)
            return False
        for note in one.notes:
            self.faults.add(one.name, note)
        return bool(one.entry) or self._fits(one.name, one.size)

    def _fits(self, name: str, size: tuple[int, int]) -> bool:
        """Whether a model can see a picture of ``size``, height and width; says what it cannot."""
        height, width = size
        seen = seen_part(width, height)
        if seen == (width, height):
            return True
        if min(size) < SMALLEST_SIDE:
            self.faults.add(name, f"is a strip of {width} x {height}, which no model can see")
            return False
        self.faults.add(
            name,
            f"is {width} x {height}: training sees only its middle, {seen[0]} x {seen[1]}; crop it "
            "to the character",
        )
        return True

    def _of_two(self, known: Found, read: Found) -> Found:
        """Of two files of one picture that with the longer caption; says what is lost."""
        kept, dropped = known, read
        if len(read.shot.caption) > len(known.shot.caption):
            kept, dropped = read, known
        lost = dropped.shot.caption
        self.faults.add(
            read.name,
            f"the same image as {known.name}"
            + (
                f"; of their captions the longer was kept, and {lost!r:.80} dropped"
                if lost and not same(lost, kept.shot.caption)
                else ""
            ),
        )
        if kept.shot.mask is None and dropped.shot.mask is not None:
            return replace(kept, shot=kept.shot.changed(mask=dropped.shot.mask))
        return kept

    def _with_all(self, found: Found) -> Found:
        shot = _shot_of(found, self.faults)
        entry = found.entry
        folders = PurePosixPath(found.name).parent.parts
        own_repeats = REPEATS.match(folders[-1]) if folders else None
        place, text = self.beside.text(found.name, entry)
        if text is not None and not same(text, shot.caption):
            # What we wrote ourselves, before the picture had its present caption, is no edit.
            by_hand = bool(entry) and not same(text, entry.get("written_caption"))
            shot = shot.changed(caption=self.beside.caption(place, text), by_hand=by_hand)
        elif len(shot.caption) > LONGEST_CAPTION:
            self.faults.add(
                found.name,
                f"has a caption of {len(shot.caption)} letters in its record, more than any text "
                "encoder reads; shorten it before you train",
            )
        shot = shot.changed(
            mask=self.beside.mask(found.name, entry, shot, found.size),
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
            replace(one, shot=one.shot.changed(weight=min(one.repeats / base, LARGEST_WEIGHT)))
            if one.repeats
            else one
            for one in ordered
        ]

    def _report_the_rest(self, pictures: list[str]) -> None:
        """Says which texts and masks have no picture, and what was not read at all."""
        ours = own_files(self.manifest)
        self.beside.report(ours)
        done = {*pictures, *ours, *self.beside.used, *self.beside.masks.names}
        others: dict[str, int] = {}
        for name in sorted(self.tree.names - done):
            path = PurePosixPath(name)
            suffix = path.suffix.lower()
            if suffix not in TEXTS and path.name.lower() not in SILENT:
                others[suffix or path.name] = others.get(suffix or path.name, 0) + 1
        if others:
            kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
            self.faults.add("", f"Files of other kinds were not read: {kinds}.")


def _shot_of(found: Found, faults: Faults) -> Shot:
    """The shot as its record says; a changed picture has no scores, and was made from the other."""
    if not found.entry:
        return found.shot
    try:
        shot = shot_from_record(found.entry, found.shot.pixels, found.shot.mask)
    except (TypeError, ValueError, AttributeError) as error:
        faults.add(found.name, f"its record is broken and was not used ({error})")
        return found.shot
    if found.exact:
        return shot
    faults.add(found.name, "the image was changed since it was exported")
    parent = str(found.entry.get("hash", ""))
    file = shot.provenance.file
    return shot.changed(scores=(), provenance=Provenance("edited", parent=parent, file=file))


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _folders(name: str) -> tuple[str, ...]:
    """The folders that ``name`` is in, without those of an asset library, which may be any name."""
    folders = PurePosixPath(name).parent.parts
    return folders[2:] if folders[:1] == (CHARACTERS,) else folders
