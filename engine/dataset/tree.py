"""The files of a dataset by name, in a folder or in a zip, and nothing from outside of it; and
what was wrong with them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import zipfile
from pathlib import Path, PurePosixPath

from ..store.files import contained

LARGEST = 1 << 29
"""Bytes of one file that are read; what is larger is no picture that anyone trains on."""
SHOWN, LINES = 10, 200
"""Faults of one kind, and lines in all, that are reported: five thousand stay readable."""


class Faults:
    """What was wrong, with which file, in the order it was found."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, name: str, reason: str) -> None:
        """``name`` is a file, or empty when ``reason`` says all."""
        self._found.setdefault(" ".join(reason.split()), []).append(" ".join(name.split()))

    @property
    def lines(self) -> list[str]:
        """One line each; of one kind no more than the first few, and how many there are."""
        said = []
        for reason, names in self._found.items():
            said += [f"{name}: {reason}" if name else reason for name in names[:SHOWN]]
            if len(names) > SHOWN:
                said.append(f"and {len(names) - SHOWN} more: {reason}")
        left = len(said) - LINES
        return [*said[:LINES], f"and {left} more"] if left > 0 else said


class Tree(contextlib.ExitStack):
    """What is in ``where``, a folder or a zip; names have forward slashes and start from there.

    Hidden files are passed over. Links that lead out, loops and what cannot be looked into are put
    into ``faults``. Nothing is ever unpacked: a zip is read in place.
    """

    def __init__(self, where: Path, faults: Faults) -> None:
        super().__init__()
        self.where, self.faults = where, faults
        self.names: set[str] = set()
        self.comment = b""
        self._archives: dict[str, zipfile.ZipFile] = {}
        if where.is_file():
            self._open("", where)
        else:
            self._walk()

    def mount(self, name: str) -> None:
        """Takes what is in the zip ``name`` for files in a folder of that name."""
        self._open(f"{name}/", contained(self.where, name))

    def read(self, name: str) -> bytes:
        """The file ``name``, which has to be in ``names``; OSError when it cannot be read."""
        for prefix, archive in self._archives.items():
            if name.startswith(prefix):
                return _member(archive, name.removeprefix(prefix))
        path = contained(self.where, name)
        if path.stat().st_size > LARGEST:
            raise OSError(f"larger than {LARGEST >> 20} MiB")
        return path.read_bytes()

    def _open(self, prefix: str, path: Path) -> None:
        try:
            archive = self.enter_context(zipfile.ZipFile(path))
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            self.faults.add(path.name, f"is not a readable zip ({error})")
            return
        self._archives[prefix] = archive
        self.comment = self.comment or archive.comment
        for info in archive.infolist():
            name = info.filename.replace("\\", "/").strip("/")
            if info.is_dir() or _hidden(name):
                continue
            if prefix + name in self.names:
                self.faults.add(prefix + name, "is in the zip twice, and the first was read")
                continue
            self.names.add(prefix + name)

    def _walk(self) -> None:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(self.where / folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self.faults.add(folder or ".", f"cannot be opened ({error.strerror})")
                continue
            for entry in found:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if not _hidden(name):
                    self._take(entry, name, waiting)

    def _take(self, entry: os.DirEntry[str], name: str, waiting: list[str]) -> None:
        if entry.is_dir(follow_symlinks=False):
            waiting.append(name)
            return
        try:
            path = contained(self.where, name)
        except (ValueError, OSError, RuntimeError):  # RuntimeError: a loop of links, before 3.13
            self.faults.add(name, "leads out of the folder")
            return
        if path.is_dir():
            self.faults.add(name, "is a link to a folder, which is not followed")
        elif path.is_file():
            self.names.add(name)
        else:
            self.faults.add(name, "is no file, or a link to nothing")


def fingerprint(where: Path) -> str:
    """A hash that changes when a file in ``where`` is added, removed, or written to.

    where: a folder, or one file.
    """
    digest = hashlib.sha256(str(where).encode("utf-8", "surrogateescape"))
    for path in [where] if where.is_file() else sorted(where.rglob("*")):
        try:
            known = path.lstat()
        except OSError:
            continue  # gone since it was listed: the next look sees that
        if not stat.S_ISDIR(known.st_mode):
            line = f"\n{path}\n{known.st_size}\n{known.st_mtime_ns}"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The file ``name`` of ``archive``, which may be spelt with backslashes there."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        info = next(
            one for one in archive.infolist() if one.filename.replace("\\", "/").strip("/") == name
        )
    if info.file_size > LARGEST:
        raise OSError(f"larger than {LARGEST >> 20} MiB")
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise OSError(str(error)) from error


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
