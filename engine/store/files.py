"""Files written whole or not at all, inside the folder they belong in."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..core.errors import FacetError

_ANSWERS = {
    "free some space": {errno.ENOSPC, errno.EDQUOT},
    "change its rights": {errno.EACCES, errno.EPERM, errno.EROFS},
    "give a shorter name": {errno.ENAMETOOLONG},
}


def contained(root: Path, *parts: str) -> Path:
    """The path of ``parts`` under ``root``, links resolved.

    Raises FacetError when it would lie outside of ``root``, also by way of a link, or when a part
    is no name that a file can have.
    """
    root = Path(root).resolve()
    if any("\0" in part for part in parts):
        raise FacetError("A name holds a character that no file name can have; give another one.")
    path = root.joinpath(*parts).resolve()
    if path != root and root not in path.parents:
        raise FacetError(
            f"{'/'.join(parts)!r} lies outside of {root}; "
            "give a name without '..' and without a leading '/'."
        )
    return path


def numbered(name: str) -> Iterator[str]:
    """``name``, name_2, name_3 …: what is called so where another has the name."""
    yield name
    for number in itertools.count(2):
        yield f"{name}_{number}"


def refused(error: OSError) -> str:
    """One sentence about a disk that refused, and what to do about it."""
    known = (what for what, numbers in _ANSWERS.items() if error.errno in numbers)
    what = next(known, "see that it is as it was")
    name = error.filename or "A file"
    return f"{name} cannot be used ({error.strerror or error}); {what}, and run it again."


def write_atomic(path: Path, data: bytes | Iterable[bytes | memoryview]) -> None:
    """Writes ``data`` to ``path`` so that a reader sees the old file or the new one, never a part.

    data: all of it, or one piece after the other. A link is written through, and a file that is
    there keeps its rights and its owner, where that is allowed. One that has several names (hard
    links) keeps them: it is written in place, once all of it is safe in a file beside it. Makes the
    folders it needs. Raises OSError, with nothing left behind, when the disk refuses.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        before = path.stat()
    except FileNotFoundError:
        before = None
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        if before is not None and before.st_nlink > 1:
            _write_in_place(path, part)
            return
        # mkstemp makes files for the owner alone; what people share keeps the usual rights.
        _take_over(part, before)
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _take_over(part: Path, before: os.stat_result | None) -> None:
    """Gives ``part`` the owner and the rights of the file whose place it takes, or the usual."""
    if before is None:
        part.chmod(0o666 & ~_umask())
        return
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):  # only root may give a file away
            os.chown(part, before.st_uid, before.st_gid)
    part.chmod(stat.S_IMODE(before.st_mode))


def _write_in_place(path: Path, part: Path) -> None:
    """Writes what is in ``part`` over the file ``path``; deletes ``part``.

    The room is taken before anything is written over, so that a full disk changes nothing; what
    else may happen on the way leaves ``part``, which the error names.
    """
    with path.open("r+b") as file, part.open("rb") as whole:
        size = file.seek(0, os.SEEK_END)
        try:
            whole.seek(size)
            shutil.copyfileobj(whole, file)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise
        try:
            file.seek(0)
            whole.seek(0)
            shutil.copyfileobj(whole, file)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            kept = part.rename(part.with_suffix(".whole"))
            raise OSError(error.errno, f"{error.strerror}; {kept} is whole") from error
    part.unlink()


def write_json_atomic(path: Path, value: Any) -> None:
    """Writes ``value`` as indented UTF-8 JSON, whole or not at all."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    write_atomic(path, (text + "\n").encode())


def _sync_folder(folder: Path) -> None:
    """Has the names in ``folder`` outlive a power cut, where the file system can do that."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
