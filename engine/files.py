"""Files that are written whole or not at all, inside the folder they belong to."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def contained(root: Path, *parts: str) -> Path:
    """``root`` joined with ``parts``; ValueError when that leads out of it, links followed."""
    base = root.resolve()
    path = base.joinpath(*parts).resolve()
    if path != base and base not in path.parents:
        raise ValueError(
            f"{Path(*parts).as_posix()!r} leads out of {base}; give a name or a folder inside it."
        )
    return path


def write_atomic(path: Path, content: bytes) -> None:
    """Writes ``content`` to ``path`` by way of a temporary file beside it, and makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_json_atomic(path: Path, value: Any) -> None:
    """``value`` as indented JSON, written as ``write_atomic`` does."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(path, (text + "\n").encode())
