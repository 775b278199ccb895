"""ComfyUI out of a source archive: checked, then unpacked whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from .problem import Problem


def sha256(path: Path) -> str:
    """Hex sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def verify(archive: Path, expected: str) -> None:
    """Delete `archive` and raise Problem unless its sha256 is `expected`."""
    found = sha256(archive)
    if found != expected:
        archive.unlink()
        raise Problem(
            f"The download {archive.name} is damaged or not the one expected (sha256 {found[:12]}… "
            f"instead of {expected[:12]}…) and was deleted; run the same command again."
        )


def unpack(archive: Path, inside: str, target: Path) -> None:
    """Unpack the folder `inside` (below the archive's one top folder) to `target`.

    Only plain files with paths below that folder are written: links, devices and paths that lead
    outside raise Problem. `target` appears once everything is there.
    """
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            written = sum(extract(tar, member, inside, partial) for member in tar)
    except (tarfile.TarError, EOFError) as error:
        raise Problem(f"{archive.name} cannot be read as an archive: {error}.") from error
    if not written:
        raise Problem(f"{archive.name} has no folder {inside}.")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def extract(tar: tarfile.TarFile, member: tarfile.TarInfo, inside: str, target: Path) -> bool:
    """Write one member of the archive if it lies below `inside`; whether it was written."""
    path = PurePosixPath(member.name)
    wanted = PurePosixPath(inside).parts
    if path.parts[1 : 1 + len(wanted)] != wanted or member.isdir():
        return False
    below = path.parts[1 + len(wanted) :]
    # A backslash or a drive is a separator on Windows, where PurePosixPath sees a plain name.
    unsafe = path.is_absolute() or any(p == ".." or "\\" in p or ":" in p for p in below)
    source = None if unsafe or not below else tar.extractfile(member) if member.isfile() else None
    if source is None:
        raise Problem(f"The archive holds {member.name!r}, which is not a plain file inside it.")
    destination = target.joinpath(*below)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with source, destination.open("wb") as file:
        shutil.copyfileobj(source, file)
    return True


def pick(archive: Path, wanted: Mapping[str, str], folder: Path) -> None:
    """Write some files of a zip, wheel or tar into ``folder``: names in it to names there.

    Raises Problem when one of them is not in it, or no plain file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                for member, name in wanted.items():
                    (folder / name).write_bytes(zipped.read(member))
            return
        with tarfile.open(archive, "r:gz") as tar:
            for member, name in wanted.items():
                found = tar.getmember(member)
                source = tar.extractfile(found) if found.isfile() else None
                if source is None:
                    raise KeyError(f"{member} is no plain file")
                (folder / name).write_bytes(source.read())
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise Problem(f"{archive.name} cannot be read as an archive: {error}.") from error
    except KeyError as error:
        raise Problem(f"{archive.name} has no file of that name: {error}.") from error
