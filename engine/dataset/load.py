"""Reads a folder of pictures and captions back as a character, ours or anybody's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..character import Character, Provenance, Shot, shot_from_record
from ..files import contained
from .layouts import EXCLUDED, MASKS, REPEATS, read_manifest, read_metadata
from .pictures import SUFFIXES, UnreadablePicture, read_mask, read_picture


@dataclass(frozen=True)
class Names:
    """What the character is called where the folder does not say; empty leaves it to the folder."""

    name: str = ""
    trigger: str = ""
    class_word: str = ""
    original: str = ""


@dataclass(frozen=True)
class Loaded:
    """A character read from disk and what there is to say about the reading."""

    character: Character
    report: str


@dataclass(frozen=True)
class _Found:
    """One picture read: where it stood, the shot, and how often kohya repeats it."""

    name: str
    shot: Shot
    repeats: int


def load(folder: Path, names: Names | None = None) -> Loaded:
    """The character in ``folder``, which may hold any of our layouts or loose pictures.

    A folder of ours comes back equal to what was exported, but for captions edited since. What
    cannot be read is reported and left out.
    Raises ValueError when there is no picture to read, or nothing says what the trigger is.
    """
    return _Reading(folder, names or Names()).load()


def fingerprint(folder: Path) -> str:
    """A hash that changes when a file in ``folder`` is added, removed, or written to."""
    digest = hashlib.sha256(str(folder).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"\n{path}\n{stat.st_size}\n{stat.st_mtime_ns}".encode())
    return digest.hexdigest()


class _Reading:
    def __init__(self, folder: Path, names: Names) -> None:
        self.folder, self.names = folder, names
        self.faults: list[str] = []
        self.manifest: dict[str, Any] = {}
        try:
            self.manifest = read_manifest(folder) or {}
        except ValueError as error:
            self.faults.append(str(error))
        entries = self.manifest.get("pictures", [])
        self.entries = {entry["file"]: entry for entry in entries}
        self.rows, faults = read_metadata(folder)
        self.faults += faults

    def load(self) -> Loaded:
        files = self._picture_files()
        found: dict[str, _Found] = {}
        for path in files:
            one = self._read(path)
            if one is None:
                continue
            same = found.get(one.shot.hash)
            if same is not None:
                self.faults.append(f"{one.name}: the same picture as {same.name}")
            if same is None or (one.shot.caption and not same.shot.caption):
                found[one.shot.hash] = one
        self._report_orphans(files)
        if not found:
            reasons = "; ".join(self.faults[:3])
            raise ValueError(
                f"There is no picture to read in {self.folder}"
                + (f" ({reasons})." if reasons else "; put PNG, JPEG or WebP files there.")
            )
        ordered = self._in_order(list(found.values()))
        source = self._original(ordered)
        shots = [one.shot for one in ordered if one is not source]
        character = self._character(ordered, source.shot, shots)
        return Loaded(character, self._summary(character, source))

    def _picture_files(self) -> list[Path]:
        kept = []
        for path in sorted(self.folder.rglob("*")):
            parts = path.relative_to(self.folder).parts
            hidden = any(part.startswith(".") for part in parts)
            if path.suffix.lower() not in SUFFIXES or hidden or MASKS in parts[:-1]:
                continue
            try:
                contained(self.folder, *parts)
            except ValueError:
                self.faults.append(f"{'/'.join(parts)}: leads out of the folder")
                continue
            if path.is_file():
                kept.append(path)
        return kept

    def _read(self, path: Path) -> _Found | None:
        name = path.relative_to(self.folder).as_posix()
        try:
            picture = read_picture(path)
        except UnreadablePicture as error:
            self.faults.append(f"{name}: {error}")
            return None
        record = self.entries.get(name) or picture.record or {}
        try:
            shot = shot_from_record(record, picture.image, picture.mask)
        except (TypeError, ValueError, AttributeError):
            self.faults.append(f"{name}: its record is broken and was not used")
            record, shot = {}, Shot(picture.image, Provenance("imported"), mask=picture.mask)
        if record and record.get("hash") != shot.hash:
            self.faults.append(f"{name}: the picture was changed since it was exported")
            parent = str(record.get("hash", ""))
            shot = replace(shot, scores=(), provenance=Provenance("edited", parent=parent))
        own_repeats = REPEATS.match(path.parent.name)
        found = _Found(
            name,
            replace(
                shot,
                caption=self._caption(path, name, shot.caption),
                include=EXCLUDED not in path.relative_to(self.folder).parts[:-1],
            ),
            0 if record or own_repeats is None else int(own_repeats[1]),
        )
        return self._masked(found)

    def _caption(self, path: Path, name: str, recorded: str) -> str:
        text = path.with_suffix(".txt")
        if not text.is_file():
            return self.rows.get(name, recorded)
        data = text.read_bytes()
        if data == recorded.encode():
            return recorded
        try:
            caption = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            caption = data.decode("cp1252", "replace")
            self.faults.append(f"{self._relative(text)}: is not UTF-8 and was read as Windows-1252")
        return " ".join(caption.replace("\x00", "").split())

    def _masked(self, found: _Found) -> _Found:
        path = self.folder / MASKS / f"{Path(found.name).stem}.png"
        if not path.is_file():
            return found
        try:
            mask = read_mask(path)
            if mask.shape != found.shot.image.shape[:2]:
                raise UnreadablePicture("has another size than its picture")
        except UnreadablePicture as error:
            self.faults.append(f"{self._relative(path)}: {error}")
            return found
        return replace(found, shot=replace(found.shot, mask=mask))

    def _report_orphans(self, files: list[Path]) -> None:
        stems = {path.with_suffix("") for path in files}
        for path in sorted(self.folder.rglob("*.txt")):
            if path.with_suffix("") not in stems:
                self.faults.append(f"{self._relative(path)}: has no picture")
        names = {self._relative(path) for path in files}
        self.faults += [
            f"{name}: is in metadata.jsonl but not there" for name in self.rows if name not in names
        ]

    def _in_order(self, found: list[_Found]) -> list[_Found]:
        """The manifest's order first, then by name; repeats that differ become weights."""
        order = {name: number for number, name in enumerate(self.entries)}
        ordered = sorted(found, key=lambda one: (order.get(one.name, len(order)), one.name))
        base = min((one.repeats for one in ordered if one.repeats), default=0)
        return [
            replace(one, shot=replace(one.shot, weight=one.repeats / base)) if one.repeats else one
            for one in ordered
        ]

    def _original(self, ordered: list[_Found]) -> _Found:
        if self.names.original:
            wanted = self.names.original.strip()
            for one in ordered:
                if wanted in (one.name, Path(one.name).name):
                    return one
            raise ValueError(
                f"The original {wanted!r} is not among the {len(ordered)} pictures read from "
                f"{self.folder}; give the file name of one, or leave it empty."
            )
        marked = {name for name, entry in self.entries.items() if entry.get("original")}
        for one in ordered:
            if one.name in marked or one.shot.provenance.source == "original":
                return one
        return next((one for one in ordered if Path(one.name).stem == "original"), ordered[0])

    def _character(self, ordered: list[_Found], source: Shot, shots: list[Shot]) -> Character:
        words: list[str] = []
        for one in ordered:
            kohya = REPEATS.match(Path(one.name).parent.name)
            if kohya is not None:
                words = kohya[2].split(maxsplit=1)
                break
        trigger = self.names.trigger or self.manifest.get("trigger") or next(iter(words), "")
        if not trigger:
            raise ValueError(
                f"Nothing in {self.folder} says what the trigger is; give it, such as 'zqx'."
            )
        companions = self.manifest.get("companions")
        companions = map(str, companions) if isinstance(companions, list) else ()
        return Character(
            name=self.names.name or str(self.manifest.get("name") or self.folder.name),
            trigger=str(trigger),
            class_word=self.names.class_word
            or str(self.manifest.get("class_word") or (words[1] if len(words) > 1 else "person")),
            source=source,
            shots=tuple(shots),
            companions=tuple(called for called in companions if called.strip()),
        )

    def _summary(self, character: Character, source: _Found) -> str:
        count = len(character.pictures)
        without = [shot for shot in character.dataset if not shot.caption]
        lines = [
            f"{count} {'picture' if count == 1 else 'pictures'} read from {self.folder}, "
            f"{len(character.dataset)} of them included; the original is {source.name}."
        ]
        if without:
            lines.append(f"Without a caption: {len(without)}.")
        lines += [f"! {' '.join(fault.split())}" for fault in self.faults]
        return "\n".join(lines)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()
