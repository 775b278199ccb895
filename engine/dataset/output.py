"""The folder that a dataset is written to: what was there, and what a person changed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any
from zipfile import ZIP_MAX_COMMENT, ZIP_STORED, ZipFile, ZipInfo

from PIL import Image

from ..core.character import Character, who_record
from ..core.errors import FacetError
from ..store.files import contained, numbered, write_atomic
from .beside import decode
from .formats import record_in
from .layouts import METADATA, TRAIN, Layout, Placement, archive_name, read_manifest
from .pictures import BROKEN
from .rows import read_rows
from .tree import BROKEN_ZIP, is_hidden, member

SAME_DAY = (1980, 1, 1, 0, 0, 0)
PART = ".part"


def own_folder(folder: Path, character: Character, layout: Layout) -> tuple[Path, str]:
    """Where ``character`` is written: ``folder``, or with _2, _3 … what is nobody else's.

    And a sentence where it is not ``folder``. One is somebody else's that holds another character's
    dataset, a manifest that is none of ours, or an archive that would be written over.
    """
    paths = (folder.with_name(name) for name in numbered(folder.name))
    path = next(path for path in paths if _is_free(path, character, layout))
    note = f"{folder.name} holds something else and is kept; this dataset is {path.name}."
    return path, note if path != folder else ""


def _is_free(folder: Path, character: Character, layout: Layout) -> bool:
    try:
        manifest = read_manifest(folder)
    except FacetError:
        return False
    archive = contained(folder, archive_name(character))
    if manifest is not None:
        pictures = {shot.hash for shot in character.pictures}
        begun = [entry.get("hash") for entry in manifest["pictures"] if entry.get("original")]
        return (not begun or begun[0] in pictures) and not _strange(archive, manifest)
    if layout is not Layout.ZIP or not archive.exists():
        return not folder.exists() or folder.is_dir()
    # One of an export that was cut off before its manifest says whose it is.
    with contextlib.suppress(OSError, *BROKEN_ZIP), ZipFile(archive) as known:
        return known.comment == _comment(character)
    return False


def _strange(archive: Path, manifest: dict[str, Any]) -> list[str]:
    """The files in ``archive`` that belong to no picture of ``manifest``; a broken zip has none."""
    stems = {Path(str(entry.get("file"))).stem for entry in manifest["pictures"]}
    with contextlib.suppress(OSError, *BROKEN_ZIP), ZipFile(archive) as known:
        names = [one.filename for one in known.infolist() if not one.is_dir()]
        return [name for name in names if Path(name).stem not in stems and not is_hidden(name)]
    return []


def _comment(character: Character) -> bytes:
    return json.dumps(who_record(character)).encode()


class Output(contextlib.ExitStack):
    """The files of one export. ``hashes`` are the sha256 of what stands there after it, by name.

    Names that start with the archive's go into the archive, which is only there after ``finish``.
    Raises FacetError when ``folder`` holds a dataset in another layout.
    """

    def __init__(self, folder: Path, character: Character, layout: Layout) -> None:
        super().__init__()
        self.folder = folder
        before = read_manifest(folder) or {}
        if before.get("layout", layout.value) != layout.value:
            raise FacetError(
                f"{folder} holds a dataset in the layout {before.get('layout')!r}; "
                f"give the one in {layout.value!r} another folder name."
            )
        self.entries = {str(entry.get("hash")): entry for entry in before.get("pictures", [])}
        self.files_before = _files_of(before)
        self.hashes: dict[str, str] = {}
        self.written: list[str] = []
        self._moved: set[str] = set()
        rows = self.read(f"{TRAIN}/{METADATA}") if layout is Layout.METADATA else None
        found = read_rows(METADATA, rows).captions if rows is not None else {}
        self.rows = {f"{TRAIN}/{name}": text for name, text in found.items()}
        self._archives_before: dict[str, ZipFile] = {}
        self._archive: ArchiveWriter | None = None
        if layout is Layout.ZIP:
            self._begin_archive(character)

    def entry(self, shot: str) -> dict[str, Any]:
        """What the last manifest says of the shot with this hash; empty when nothing."""
        return self.entries.get(shot, {})

    def read(self, name: str) -> bytes | None:
        """The file ``name`` as it was left on disk, or None."""
        head, _, inner = name.partition("/")
        if inner and head.endswith(".zip"):
            archive = self._archives_before.get(head)
            try:
                return member(archive, inner) if archive is not None else None
            except OSError:
                return None
        path = contained(self.folder, name)
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, data: bytes) -> str:
        """Has ``data`` stand at ``name``, and gives its sha256."""
        self.hashes[name] = text_sha(data)
        if self._archive is not None and name.startswith(f"{self._archive.path.name}/"):
            self._archive.add(name.partition("/")[2], data)
        elif self.read(name) != data:
            write_atomic(contained(self.folder, name), data)
            self.written.append(name)
        return self.hashes[name]

    def write_support(self, name: str, data: bytes) -> bool:
        """Writes a trainer's file, unless a person wrote or changed the one there: then False."""
        now, before = self.read(name), self.files_before.get(name)
        if now is not None and text_sha(now) not in (before, text_sha(data)):
            if before is not None:
                self.hashes[name] = before
            return False
        self.write(name, data)
        return True

    def write_caption(self, name: str, shot: str, data: bytes) -> None:
        """Writes a caption's file; where the shot's stood before holds nothing of its own then."""
        self.write(name, data)
        before = self.entry(shot).get("text")
        if isinstance(before, str) and before != name and self.read(before) == data:
            self._moved.add(before)

    def drop(self, name: str) -> None:
        """Leaves no file at ``name``; what is not put into the archive is not in it."""
        if ".zip/" not in name:
            contained(self.folder, name).unlink(missing_ok=True)

    def caption(self, where: Placement, shot: str) -> tuple[str, bytes] | None:
        """The caption on disk, where it is to be or where it was, and its bytes; or None."""
        known = self.entry(shot)
        if where.text is None and where.picture in self.rows:
            return _row(self.rows[where.picture])
        for name in (where.text, known.get("text")):
            data = self.read(name) if isinstance(name, str) else None
            if data is not None:
                return decode(data)[0], data
        row = self.rows.get(str(known.get("file")))
        return None if row is None else _row(row)

    def recorded_caption(self, where: Placement, known: dict[str, Any]) -> str | None:
        """The caption that the picture on disk says it was written with."""
        for name in (where.picture, known.get("file")):
            data = self.read(name) if isinstance(name, str) else None
            if data is None:
                continue
            with (
                contextlib.suppress(*BROKEN),
                Image.open(io.BytesIO(data)) as opened,
            ):
                caption = (record_in(opened) or {}).get("caption")
                return caption if isinstance(caption, str) else None
        return None

    def finish(self) -> None:
        """Puts the archive in its place."""
        if self._archive is not None:
            name = self._archive.path.name
            if self._archive.finish(self._comment):
                self.written.append(name)
            self.hashes[name] = self._archive.sha256

    def remove_stale(self) -> tuple[list[str], list[str]]:
        """Removes what an earlier export wrote and this one did not; what a person changed stays.

        Gives the names removed and the names left.
        """
        removed, left = [], []
        edited = {str(e.get("text")) for e in self.entries.values() if e.get("edited_caption")}
        for name, sha256 in self.files_before.items():
            path = contained(self.folder, name)
            if name in self.hashes or not path.is_file():
                continue
            ours = text_sha(path.read_bytes()) == sha256 and name not in edited
            if ours or name in self._moved:
                path.unlink()
                removed.append(name)
                self._remove_empty(path.parent)
            else:
                left.append(name)
        return removed, left

    def _remove_empty(self, folder: Path) -> None:
        root = self.folder.resolve()
        while folder != root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def _begin_archive(self, character: Character) -> None:
        for name in {archive_name(character), *self.files_before}:
            path = contained(self.folder, name)
            if "/" in name or path.suffix != ".zip" or not path.is_file():
                continue
            # A zip that is broken holds nothing to keep, and is written anew.
            with contextlib.suppress(OSError, *BROKEN_ZIP):
                self._archives_before[name] = self.enter_context(ZipFile(path))
        self._comment = _comment(character)
        self._archive = ArchiveWriter(contained(self.folder, archive_name(character)))
        self.callback(self._archive.discard)


def text_sha(data: bytes) -> str:
    """sha256 of ``data``, as the manifest has it."""
    return hashlib.sha256(data).hexdigest()


def _row(text: str) -> tuple[str, bytes]:
    return text, text.encode("utf-8", "replace")


def _files_of(manifest: dict[str, Any]) -> dict[str, str]:
    """What the last export left, each file with its sha256; members of an archive are not files."""
    files = manifest.get("files")
    if not isinstance(files, dict):  # written before manifests listed files
        files = {}
        for entry in manifest.get("pictures", []):
            files[entry["file"]] = entry.get("sha256")
            files[entry.get("mask")] = entry.get("mask_sha256")
            files[entry.get("text")] = text_sha(str(entry.get("written_caption")).encode())
    return {
        name: sha256
        for name, sha256 in files.items()
        if isinstance(name, str) and isinstance(sha256, str) and ".zip/" not in name
    }


class ArchiveWriter:
    """A zip on its way to ``path``, the same whenever the same files go in; there at ``finish``.

    Pictures are compressed already, so files are only stored: each is written as it comes, and no
    more than one is ever held in memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".zip.*{PART}"):
            left.unlink(missing_ok=True)  # of a run that was killed
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".zip.", suffix=PART)
        self._part = Path(name)
        self._file = os.fdopen(handle, "w+b")
        self._zip = ZipFile(self._file, "w", ZIP_STORED)
        self.sha256 = ""

    def add(self, name: str, data: bytes) -> None:
        """Puts ``data`` into the zip as ``name``."""
        info = ZipInfo(name, SAME_DAY)
        info.create_system = 3  # else it would say which system it was made on
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, data)

    def finish(self, comment: bytes = b"") -> bool:
        """Puts the zip in its place; False when just these bytes are there already."""
        self._zip.comment = comment if len(comment) <= ZIP_MAX_COMMENT else b""
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.sha256 = file_hash(self._part)
        if self.path.is_file() and file_hash(self.path) == self.sha256:
            self._part.unlink()
            return False
        self._part.chmod(0o644)
        self._part.replace(self.path)
        return True

    def discard(self) -> None:
        """Leaves nothing behind; after ``finish`` there is nothing to leave."""
        self._zip.close()
        self._file.close()
        self._part.unlink(missing_ok=True)


def file_hash(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
