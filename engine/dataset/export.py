"""Writes a character as a dataset that trainers read, and that can be written again over itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.character import Character, Shot, shot_record, who_record
from ..core.errors import FacetError
from ..families.family import Family
from ..families.flux import FLUX
from ..store.files import contained, write_json_atomic
from .beside import decode, one_line, same
from .formats import PictureFormat, picture_bytes
from .layouts import MANIFEST, METADATA, TRAIN, Layout, Placement, library, place
from .output import Output, own_folder, text_sha
from .pictures import mask_bytes
from .trainers import support_files

FORMAT = 2


@dataclass(frozen=True)
class Options:
    """How pictures are written, and for which model other trainers are told to train.

    quality: 1 to 100, for formats that lose some. workflow: texts by keyword that pictures carry,
    as ComfyUI's own do.
    """

    picture: PictureFormat = PictureFormat.PNG
    quality: int = 95
    family: Family = FLUX
    workflow: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Export:
    """What an export did, file by file, relative to ``folder``.

    edited: captions that a person wrote into the files since the last export, by picture hash.
    """

    folder: Path
    pictures: int = 0
    written: list[str] = field(default_factory=list)
    kept_texts: list[str] = field(default_factory=list)
    edited: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        made, wrote = _count(self.pictures, "image"), _count(len(self.written), "file")
        lines = [f"{made} in {self.folder}; {wrote} written.", *self.notes]
        if self.kept_texts:
            lines.append("Yours, so left as they are: " + _listed(self.kept_texts))
        if self.removed:
            gone = _count(len(self.removed), "file")
            lines.append(f"Removed, of images no longer there: {gone}.")
        if self.left:
            lines.append("No longer in the dataset, but changed by hand: " + _listed(self.left))
        lines.append("A caption file that you edit is never written over.")
        return "\n".join(lines)


def export(
    character: Character,
    folder: Path,
    layout: Layout = Layout.KOHYA,
    repeats: int = 10,
    on_picture: Callable[[int, int], None] | None = None,
    options: Options | None = None,
) -> Export:
    """Writes ``character`` to ``folder`` and says what was done.

    Each file is written whole or not at all, the manifest last: an export that was cut off is
    finished by the next one. Files that are already right are not touched, a caption edited by hand
    stays, and what an earlier export wrote and no longer belongs is removed. A caption on disk
    gives way only to a newer one that a person wrote, and no file that Facet did not write to
    anything: where ``folder`` is another character's, the next one of its name is taken.
    Raises FacetError when no picture is included, a text or a number cannot be written to a file,
    or ``folder`` holds a dataset in another layout.
    """
    if not character.dataset:
        raise FacetError(f"{character.name} has no included image; include one.")
    for shot in character.pictures:
        _check(shot)
    folder, note = own_folder(folder, character, layout)
    with Output(folder, character, layout) as output:
        run = _Run(character, output, layout, repeats, options or Options())
        for number, shot in enumerate(character.pictures, start=1):
            run.add(shot)
            if on_picture is not None:
                on_picture(number, len(character.pictures))
        run.finish()
    run.report.notes += filter(None, [note])
    return run.report


@dataclass(frozen=True)
class _Text:
    """What a caption's file holds, what we wrote there last, and what a person made of it."""

    data: bytes
    written: str | None
    edited: str | None


class _Run:
    def __init__(
        self, character: Character, output: Output, layout: Layout, repeats: int, options: Options
    ) -> None:
        self.character, self.output = character, output
        self.layout, self.repeats, self.options = layout, repeats, options
        self.report = Export(output.folder, written=output.written)
        self.entries: list[dict[str, Any]] = []
        self.rows: dict[str, str] = {}

    def add(self, shot: Shot) -> None:
        """Writes the files of one shot."""
        suffix = self.options.picture.suffix
        where = place(self.layout, self.character, shot, self.repeats, suffix)
        text = self._text(where, shot)
        record = shot_record(shot)
        how = {
            "format": self.options.picture.value,
            "quality": None if self.options.picture.lossless else self.options.quality,
            "workflow": bool(self.options.workflow),
        }
        data = self._as_it_was(where, {**record, **how})
        if data is None:
            picture, quality = self.options.picture, self.options.quality
            data = picture_bytes(shot, picture, quality, self.options.workflow)
        sha256 = self.output.write(where.picture, data)
        mask_sha256 = None
        if where.mask is not None and shot.mask is not None:
            mask_sha256 = self.output.write(where.mask, mask_bytes(shot.mask))
        self._write_text(where, shot, text)
        self.report.pictures += shot.include
        self.entries.append(
            {
                "file": where.picture,
                "text": where.text,
                "mask": where.mask,
                "original": shot.hash == self.character.source.hash,
                "sha256": sha256,
                "mask_sha256": mask_sha256,
                "written_caption": text.written,
                "edited_caption": text.edited,
                **how,
                **record,
            }
        )

    def finish(self) -> None:
        """Writes what trainers read and the manifest, and removes what no longer belongs."""
        layout, folder = self.layout, self.output.folder
        self._note_edits_of_the_gone()
        if layout is Layout.METADATA:
            self._write_metadata()
        names = [entry["file"] for entry in self.entries]
        files, notes = support_files(folder, self.character, layout, self.options.family, names)
        self.report.notes += notes
        for name, text in files.items():
            if not self.output.write_support(name, text.encode()):
                self.report.kept_texts.append(name)
        if layout is Layout.ASSET_LIBRARY:
            contained(folder, library(layout, self.character), "lora").mkdir(exist_ok=True)
        self.output.finish()
        write_json_atomic(
            contained(folder, MANIFEST),
            {
                "facet": FORMAT,
                **who_record(self.character),
                "layout": layout.value,
                "repeats": self.repeats,
                "hash": self.character.hash,
                "pictures": self.entries,
                "files": dict(sorted(self.output.hashes.items())),
            },
        )
        self.report.removed, self.report.left = self.output.remove_stale()

    def _as_it_was(self, where: Placement, record: dict[str, Any]) -> bytes | None:
        """The picture on disk, when the last export wrote just that and nobody touched it since."""
        known = self.output.entry(record["hash"])
        if {key: known.get(key) for key in record} != json.loads(json.dumps(record)):
            return None
        data = self.output.read(where.picture)
        return data if data is not None and text_sha(data) == known.get("sha256") else None

    def _text(self, where: Placement, shot: Shot) -> _Text:
        """What the caption's file is to hold; looks before anything of this shot is written."""
        known, found = self.output.entry(shot.hash), self.output.caption(where, shot.hash)
        ours = _Text(shot.caption.encode(), shot.caption, None)
        if found is None:
            return ours
        now, data = found
        last = known.get("written_caption")
        if same(now, shot.caption) or same(now, last):
            return ours
        kept = same(now, known.get("edited_caption"))
        if kept and shot.by_hand and shot.caption != known.get("caption"):
            return ours  # the person has written another one since
        # The picture knows what was written by an export that was cut off before its manifest.
        if not kept and same(now, self.output.recorded_caption(where, known)):
            return ours
        self.report.kept_texts.append(where.text or where.picture)
        if not kept:
            self.report.edited[shot.hash] = one_line(now)
        return _Text(data, last if isinstance(last, str) else None, now)

    def _write_text(self, where: Placement, shot: Shot, text: _Text) -> None:
        if where.text is None:
            self.rows[where.picture] = decode(text.data)[0] if text.edited else shot.caption
        elif text.data or text.edited is not None:
            self.output.write_caption(where.text, shot.hash, text.data)
        else:
            self.output.drop(where.text)  # sd-scripts stops at an empty file

    def _note_edits_of_the_gone(self) -> None:
        """A caption edited since belongs to its picture even when that is no longer a shot."""
        here = {entry["hash"] for entry in self.entries}
        for shot, known in self.output.entries.items():
            where = Placement(str(known.get("file")), known.get("text"), None)
            found = None if shot in here else self.output.caption(where, shot)
            ours = ("written_caption", "edited_caption")
            if found is not None and not any(same(found[0], known.get(key)) for key in ours):
                self.report.edited[shot] = one_line(found[0])

    def _write_metadata(self) -> None:
        ours = {*self.rows, *(entry["file"] for entry in self.output.entries.values())}
        added = {name: text for name, text in self.output.rows.items() if name not in ours}
        rows = [
            json.dumps(
                {"file_name": name.removeprefix(f"{TRAIN}/"), "text": text}, ensure_ascii=False
            )
            for name, text in {**self.rows, **added}.items()
        ]
        self.output.write(f"{TRAIN}/{METADATA}", ("\n".join(rows) + "\n").encode())


def _check(shot: Shot) -> None:
    """Raises FacetError when a file cannot hold what is said about ``shot``."""
    try:
        json.dumps(shot_record(shot), ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise FacetError(
            f"The shot {shot.hash[:16]} holds something that no file can store ({error}); "
            "rewrite its caption, tags or weight."
        ) from error


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
