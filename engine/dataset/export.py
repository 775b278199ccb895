"""Writes a character as a dataset that trainers read, and that can be written again over itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..character import Character, Shot, shot_record
from ..files import contained, write_atomic, write_json_atomic
from ..pictures import shot_bytes
from .kohya import DATASET_FILE, dataset_toml
from .layouts import (
    MANIFEST,
    METADATA,
    TRAIN,
    Layout,
    Placement,
    place,
    read_manifest,
    read_metadata,
)
from .pictures import mask_bytes

FORMAT = 1


@dataclass
class Export:
    """What an export did, file by file, relative to ``folder``."""

    folder: Path
    pictures: int = 0
    written: list[str] = field(default_factory=list)
    kept_texts: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What happened, in lines to read."""
        made, wrote = _count(self.pictures, "picture"), _count(len(self.written), "file")
        lines = [f"{made} in {self.folder}; {wrote} written."]
        if self.kept_texts:
            lines.append("Edited by hand, so left as they are: " + ", ".join(self.kept_texts))
        if self.removed:
            gone = _count(len(self.removed), "file")
            lines.append(f"Removed, of pictures no longer there: {gone}.")
        if self.left:
            lines.append("No longer in the dataset, but changed by hand: " + ", ".join(self.left))
        lines.append("A caption file that you edit is never written over.")
        return "\n".join(lines)


def export(
    character: Character,
    folder: Path,
    layout: Layout = Layout.KOHYA,
    repeats: int = 10,
    on_picture: Callable[[int, int], None] | None = None,
) -> Export:
    """Writes ``character`` to ``folder`` and says what was done.

    Each file is written whole or not at all, the manifest last: an export that was cut off is
    finished by the next one. Files that are already right are not touched, a caption edited by hand
    stays, and what an earlier export wrote and no longer belongs is removed.
    Raises ValueError when no picture is included, or ``folder`` holds a dataset in another layout.
    """
    if not character.dataset:
        raise ValueError(f"{character.name} has no picture that is included; include one.")
    run = _Run(character, folder, layout, repeats)
    for number, shot in enumerate(character.pictures, start=1):
        run.add(shot)
        if on_picture is not None:
            on_picture(number, len(character.pictures))
    run.finish()
    return run.report


class _Run:
    def __init__(self, character: Character, folder: Path, layout: Layout, repeats: int) -> None:
        self.character, self.folder = character, folder
        self.layout, self.repeats = layout, repeats
        self.report = Export(folder)
        try:
            before = read_manifest(folder)
        except ValueError:
            before = None  # written anew below; without it every text counts as edited
        if before is not None and before.get("layout") != layout.value:
            raise ValueError(
                f"{folder} holds a dataset in the layout {before.get('layout')!r}; "
                f"give the one in {layout.value!r} another folder name."
            )
        self.before = {entry["file"]: entry for entry in (before or {}).get("pictures", [])}
        self.rows = read_metadata(folder)[0] if folder.is_dir() else {}
        self.entries: list[dict[str, Any]] = []
        self.texts: dict[str, str] = {}

    def add(self, shot: Shot) -> None:
        """Writes the files of one shot."""
        where = place(self.layout, self.character, shot, self.repeats)
        picture = shot_bytes(shot)
        self._write(where.picture, picture)
        mask = b"" if shot.mask is None else mask_bytes(shot.mask)
        if where.mask is not None:
            self._write(where.mask, mask)
        written = self._write_text(where, shot)
        self.report.pictures += shot.include
        self.entries.append(
            {
                "file": where.picture,
                "text": where.text,
                "mask": where.mask,
                "original": shot.hash == self.character.source.hash,
                "sha256": hashlib.sha256(picture).hexdigest(),
                "mask_sha256": hashlib.sha256(mask).hexdigest(),
                "written_caption": written,
                **shot_record(shot),
            }
        )

    def finish(self) -> None:
        """Writes what trainers read and the manifest, and removes what no longer belongs."""
        if self.layout is Layout.METADATA:
            self._write_metadata()
        if self.layout is Layout.KOHYA:
            files = (entry["file"] for entry in self.entries)
            self._write(DATASET_FILE, dataset_toml(self.folder, self.character, files).encode())
        write_json_atomic(
            contained(self.folder, MANIFEST),
            {
                "facet": FORMAT,
                "name": self.character.name,
                "trigger": self.character.trigger,
                "class_word": self.character.class_word,
                "companions": list(self.character.companions),
                "layout": self.layout.value,
                "repeats": self.repeats,
                "hash": self.character.hash,
                "pictures": self.entries,
            },
        )
        self._remove_stale()

    def _write(self, name: str, data: bytes) -> None:
        path = contained(self.folder, name)
        if path.is_file() and path.read_bytes() == data:
            return
        write_atomic(path, data)
        self.report.written.append(name)

    def _write_text(self, where: Placement, shot: Shot) -> str | None:
        """Writes the caption, unless it was edited; returns what we last wrote, or None."""
        now = self._caption_on_disk(where)
        last = self.before.get(where.picture, {}).get("written_caption")
        edited = now is not None and now not in (shot.caption, last)
        if edited:
            self.report.kept_texts.append(where.text or where.picture)
        if where.text is None:
            self.texts[where.picture] = str(now) if edited else shot.caption
        elif not edited:
            self._write(where.text, shot.caption.encode())
        return last if edited else shot.caption

    def _caption_on_disk(self, where: Placement) -> str | None:
        if where.text is None:
            return self.rows.get(where.picture)
        path = contained(self.folder, where.text)
        return path.read_bytes().decode("utf-8", "replace") if path.is_file() else None

    def _write_metadata(self) -> None:
        ours = {*self.texts, *self.before}
        added = {name: text for name, text in self.rows.items() if name not in ours}
        rows = [
            json.dumps(
                {"file_name": name.removeprefix(f"{TRAIN}/"), "text": text}, ensure_ascii=False
            )
            for name, text in {**self.texts, **added}.items()
            if name.startswith(f"{TRAIN}/")
        ]
        self._write(f"{TRAIN}/{METADATA}", ("\n".join(rows) + "\n").encode())

    def _remove_stale(self) -> None:
        """Removes what an earlier export wrote and this one did not, where nobody changed it."""
        current = {entry[key] for entry in self.entries for key in ("file", "text", "mask")}
        for entry in self.before.values():
            for key in ("file", "text", "mask"):
                name = entry.get(key)
                if not isinstance(name, str) or name in current:
                    continue
                path = contained(self.folder, name)
                if not path.is_file():
                    continue
                if self._is_ours(entry, key, path):
                    path.unlink()
                    self.report.removed.append(name)
                else:
                    self.report.left.append(name)

    @staticmethod
    def _is_ours(entry: dict[str, Any], key: str, path: Path) -> bool:
        data = path.read_bytes()
        if key == "text":
            return data.decode("utf-8", "replace") == entry.get("written_caption")
        recorded = entry.get("sha256" if key == "file" else "mask_sha256")
        return hashlib.sha256(data).hexdigest() == recorded


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
