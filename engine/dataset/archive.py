"""Writes a zip that is the same, byte for byte, whenever the same files go into it."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

SAME_DAY = (1980, 1, 1, 0, 0, 0)
PART = ".part"


class ArchiveWriter:
    """A zip on its way to ``path``; nothing is there before ``finish``.

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
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self.sha256 = ""

    def add(self, name: str, data: bytes) -> None:
        """Puts ``data`` into the zip as ``name``."""
        info = zipfile.ZipInfo(name, SAME_DAY)
        info.create_system = 3  # else it would say which system it was made on
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, data)

    def finish(self, comment: bytes = b"") -> bool:
        """Puts the zip in its place; False when just these bytes are there already."""
        self._zip.comment = comment if len(comment) <= zipfile.ZIP_MAX_COMMENT else b""
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
