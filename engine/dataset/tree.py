"""The files of a dataset by name, in a folder or in a zip, and nothing from outside of it; and
what was wrong with them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import lzma
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ..store.files import contained

LARGEST = 1 << 29
"""Bytes of one file that are read; what is larger is no picture that anyone trains on."""
BROKEN_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, NotImplementedError, EOFError,
    ValueError, struct.error, OverflowError, LookupError,
)  # fmt: skip
"""What ``zipfile`` raises at archives and members that are damaged."""
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
        self._root = ""
        self.comment = b""
        self._archives: dict[str, zipfile.ZipFile] = {}
        if where.is_file():
            self._open("", where)
        else:
            self._walk()

    def mount(self, name: str) -> None:
        """Takes what is in the zip ``name`` for files in a folder of that name."""
        if self.where.is_dir():
            self._open(f"{name}/", contained(self.where, self._root + name))
            return
        try:  # a zip in a zip cannot be read in place
            self._open(f"{name}/", io.BytesIO(self.read(name)))
        except OSError as error:
            self.faults.add(name, f"cannot be read ({error})")

    def enter(self, folder: str) -> None:
        """Takes ``folder`` for where everything starts, and leaves out what is not in it."""
        root = f"{folder}/"
        self._root += root
        self.names = {name.removeprefix(root) for name in self.names if name.startswith(root)}

    def read(self, name: str, most: int = LARGEST) -> bytes:
        """The file ``name``, which has to be in ``names``; OSError when it cannot be read.

        most: bytes, of which more are not even begun.
        """
        name = self._root + name
        for prefix, archive in self._archives.items():
            if name.startswith(prefix):
                return member(archive, name.removeprefix(prefix), most)
        path = contained(self.where, name)
        if path.stat().st_size > most:
            raise OSError(too_large(most))
        return path.read_bytes()

    def _open(self, prefix: str, file: Path | io.BytesIO) -> None:
        try:
            archive = self.enter_context(zipfile.ZipFile(file))
        except (OSError, *BROKEN_ZIP) as error:
            name = file.name if isinstance(file, Path) else prefix.rstrip("/")
            self.faults.add(name, f"is not a readable zip ({error})")
            return
        # The innermost first: names in a zip in a zip begin like those in the outer one.
        self._archives = {self._root + prefix: archive, **self._archives}
        self.comment = self.comment or archive.comment
        for info in archive.infolist():
            name = _plain_name(info)
            if info.is_dir() or is_hidden(name):
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
                if not is_hidden(name):
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


def member(archive: zipfile.ZipFile, name: str, most: int = LARGEST) -> bytes:
    """The file ``name`` of ``archive``, which may be spelt with backslashes there.

    Raises OSError when it is not there, damaged, or larger than ``most`` bytes.
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        spelt = (one for one in archive.infolist() if _plain_name(one) == name)
        found = next(spelt, None)
        if found is None:
            raise OSError("not in the zip") from None
        info = found
    if info.file_size > most:
        raise OSError(too_large(most))
    try:
        return archive.read(info)
    except BROKEN_ZIP as error:
        raise OSError(str(error)) from error


def too_large(most: int) -> str:
    """Why a file of more than ``most`` bytes is not read."""
    return f"larger than {most >> 20} MiB" if most >> 20 else f"larger than {most >> 10} KiB"


def _plain_name(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/").strip("/")


def is_hidden(name: str) -> bool:
    """Whether a file is one that systems leave behind, such as .DS_Store or __MACOSX/._a.png."""
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
