"""What stands beside a picture: its caption and its mask."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import torch

from ..core.character import Shot
from .layouts import MANIFEST, MASK_BESIDE, MASKS, METADATA, parse_metadata
from .pictures import UnreadablePicture, read_mask
from .tree import Faults, Tree

LONGEST_TEXT = 1 << 20
SUFFIXES = (".txt", ".TXT", ".caption")


class Beside:
    """The captions and masks of a tree. ``used`` are the text files that were read."""

    def __init__(self, tree: Tree, entries: Iterable[dict[str, Any]], faults: Faults) -> None:
        self.tree, self.faults = tree, faults
        self.used: set[str] = set()
        self.rows: dict[str, str] = {}
        self._pictures = {str(entry.get("file")) for entry in entries}
        for name in sorted(tree.names):
            if PurePosixPath(name).name == METADATA:
                self._read_rows(name)

    def text(self, name: str, entry: dict[str, Any]) -> str | None:
        """The caption of the picture ``name``: beside it, where its record says, or in a row."""
        stem = PurePosixPath(name).with_suffix("")
        beside = [f"{stem}{suffix}" for suffix in SUFFIXES]
        # A picture that was renamed left its text behind, unless another one has that name now.
        before = entry.get("text")
        if entry.get("file") != name and entry.get("file") not in self.tree.names:
            beside.append(str(before))
        for text in beside:
            if text in self.tree.names:
                return self._read(text)
        return self.rows.get(name, self.rows.get(str(entry.get("file"))))

    def mask(self, name: str, entry: dict[str, Any], shot: Shot) -> torch.Tensor | None:
        """The mask of the picture ``name``: (H, W) in 0..1; else the shot's own, if it has one."""
        path = PurePosixPath(name)
        places = [str(entry.get("mask")), f"{path.with_suffix('')}{MASK_BESIDE}"]
        places += [str(parent / MASKS / f"{path.stem}.png") for parent in path.parents]
        for place in places:
            if place not in self.tree.names:
                continue
            try:
                mask = read_mask(self.tree.read(place))
                if mask.shape != shot.size:
                    raise UnreadablePicture("has another size than its image")
                return mask
            except (OSError, UnreadablePicture) as error:
                self.faults.add(place, str(error))
        return shot.mask

    def _read(self, name: str) -> str | None:
        self.used.add(name)
        try:
            data = self.tree.read(name)
        except OSError as error:
            self.faults.add(name, f"cannot be read ({error})")
            return None
        if len(data) > LONGEST_TEXT:
            self.faults.add(name, "is longer than any caption and was not read")
            return None
        text, fine = decode(data)
        if not fine:
            self.faults.add(name, "is not UTF-8 and was read as Windows-1252 or UTF-16")
        return text

    def _read_rows(self, name: str) -> None:
        folder = PurePosixPath(name).parent
        try:
            rows, wrong = parse_metadata(self.tree.read(name))
        except OSError as error:
            self.faults.add(name, f"cannot be read ({error})")
            return
        self.rows |= {(folder / picture).as_posix(): text for picture, text in rows.items()}
        for line in wrong:
            self.faults.add(f"{name}: line {line}", "is not a row with a file_name")


def own_files(manifest: dict[str, Any]) -> set[str]:
    """The files that belong to a dataset of ours beside its pictures."""
    files = manifest.get("files")
    return {MANIFEST, *(map(str, files) if isinstance(files, dict) else ())}


def decode(data: bytes) -> tuple[str, bool]:
    """The text in ``data``, and whether it was UTF-8; what is not is read as
    UTF-16 with its mark, or else as Windows-1252."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")  # the mark that Windows' Notepad sets
    try:
        return data.decode("utf-16" if wide else "utf-8-sig"), not wide
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), False


def one_line(text: str) -> str:
    """``text`` with every run of white space as one blank, and without what no caption holds."""
    return " ".join(text.replace("\x00", "").split())


def same(one: str, other: object) -> bool:
    """Whether two captions differ in white space at most, as after a visit of an editor."""
    return isinstance(other, str) and (one == other or one_line(one) == one_line(other))
