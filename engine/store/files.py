"""Files written whole or not at all, inside the folder they belong in."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ..core.errors import FacetError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}


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


def refused(error: OSError) -> str:
    """One sentence about a disk that refused, and what to do about it."""
    what = "free some space" if error.errno in _FULL else ""
    what = what or ("change its rights" if error.errno in _RIGHTS else "see that it is as it was")
    name = error.filename or "A file"
    return f"{name} cannot be used ({error.strerror or error}); {what}, and run it again."


def write_atomic(path: Path, data: bytes) -> None:
    """Writes ``data`` to ``path`` so that a reader sees the old file or the new one, never a part.

    Makes the folders it needs. Raises OSError, with nothing left behind, when the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for the owner alone; what people share keeps the usual rights.
        part.chmod(0o666 & ~_umask())
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


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
