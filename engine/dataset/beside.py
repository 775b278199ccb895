"""What stands beside a picture: its caption and its mask."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath
from typing import Any

import torch

from ..core.character import LONGEST_CAPTION, Shot
from ..store.json_files import MANY
from .layouts import MANIFEST
from .masks import Key, Masks, key_of
from .pictures import SUFFIXES, UnreadablePicture, read_mask
from .rows import TABLES, pictures_of, read_rows
from .texts import UTF_8, bounded, decode, first_alternative, one_line, plain_line, same
from .tree import Faults, Tree

__all__ = ["Beside", "decode", "one_line", "own_files", "same"]

LONGEST_TEXT = 1 << 18
"""Bytes of a caption's file; what is longer is none."""
TEXTS = (".txt", ".caption")
"""Suffixes of captions, in any case; the first that is not empty holds."""
OTHER_TEXTS = frozenset(
    ".text .cap .captions .tag .tags .prompt .json .md .yaml .yml .xml .csv .tsv .rtf .doc .docx "
    ".log .booru".split()
)
"""Suffixes of texts that people may take for captions, and that are none here."""
SAME_SHAPE = 0.02
"""By how much the shape of a mask may differ from its picture's, as a logarithm."""


class Beside:
    """The captions and masks of a tree. ``used`` are the files that were read.

    pictures: names of the files that are no masks. trigger: what captions call the character.
    """

    def __init__(
        self, tree: Tree, entries: Iterable[dict[str, Any]], trigger: str, faults: Faults
    ) -> None:
        self.tree, self.trigger, self.faults = tree, trigger, faults
        self.used: set[str] = set()
        self.rows: dict[str, str] = {}
        self._texts: dict[Key, list[str]] = {}
        for name in sorted(tree.names, key=_rank):
            if PurePosixPath(name).suffix.lower() in TEXTS:
                stem = PurePosixPath(name).with_suffix("")
                self._texts.setdefault(key_of(stem.parent, stem.name), []).append(name)
        images = [name for name in tree.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
        listed = list(entries)
        masks = {str(entry.get("mask")) for entry in listed}
        masks -= {str(entry.get("file")) for entry in listed}
        self.masks = Masks([name for name in images if name not in masks], self._texts)
        self.masks.names.update(masks.intersection(images))
        self.pictures = sorted(name for name in images if name not in self.masks.names)
        self._stems = {_stem(name) for name in self.pictures}
        for name in sorted(tree.names):
            if PurePosixPath(name).name.lower() in TABLES:
                self._read_rows(name)

    def text(self, name: str, entry: dict[str, Any]) -> tuple[str, str | None]:
        """The text for the picture ``name``, beside it, where its record says, or in a row; and
        before it the file that it stands in."""
        beside = self._beside(name)
        # A picture that was renamed left its text behind, unless another one has that name now.
        before = str(entry.get("text"))
        if (
            entry.get("file") != name
            and entry.get("file") not in self.tree.names
            and before in self.tree.names
        ):
            beside.append(before)
        read = [(place, self._read(place)) for place in beside]
        full = [(place, text) for place, text in read if text and text.strip()]
        for place, text in full[1:]:
            if not same(text, full[0][1]):
                self.faults.add(place, f"is not the caption, which stands in {full[0][0]}")
        if full:
            return full[0]
        if any(text is not None for _, text in read):
            return name, ""
        return name, self.rows.get(name, self.rows.get(str(entry.get("file"))))

    def mask(
        self, name: str, entry: dict[str, Any], shot: Shot, size: tuple[int, int]
    ) -> torch.Tensor | None:
        """The mask of the picture ``name``: (H, W) in 0..1; else the shot's own, if it has one.

        size: height and width of the picture's file.
        """
        for place in (str(entry.get("mask")), *self.masks.of(name)):
            if place not in self.tree.names:
                continue
            self.used.add(place)
            try:
                return fitted_mask(read_mask(self.tree.read(place)), shot, size)
            except (OSError, UnreadablePicture) as error:
                self.faults.add(place, str(error))
        return shot.mask

    def report(self, passed: Collection[str]) -> None:
        """Says which texts and masks belong to no picture, and which were not taken.

        passed: files that are ours, and need no caption.
        """
        paths = [PurePosixPath(name) for name in self.pictures]
        beside = {key_of(path.parent, name) for path in paths for name in (path.stem, path.name)}
        for name in sorted(self.tree.names - self.used - set(passed)):
            path = PurePosixPath(name)
            suffix = path.suffix.lower()
            if suffix in TEXTS:
                self.faults.add(name, "has no image")
            elif name in self.masks.names and "condlabel" not in path.stem.lower():
                self.faults.add(name, "looks like a mask, and belongs to no image")
            elif suffix in OTHER_TEXTS and key_of(path.parent, path.stem) in beside:
                self.faults.add(
                    name, "stands beside an image and was not taken: captions are .txt or .caption"
                )
                self.used.add(name)
        for name in self.rows:
            if name not in self.tree.names:
                self.faults.add(name, "is in the table of captions but not there")

    def _beside(self, name: str) -> list[str]:
        """The texts of the picture ``name``: of its own spelling, in another case, or as
        'a.png.txt'."""
        path, stem = PurePosixPath(name), _stem(name)
        found = self._texts.get(key_of(path.parent, path.stem), [])
        own = [text for text in found if _stem(text) == stem]
        # Of two pictures whose names differ by case alone, each has its own text.
        others = [text for text in found if _stem(text) not in self._stems]
        whole = self._texts.get(key_of(path.parent, path.name), [])
        return [*own, *others, *whole]

    def _read(self, name: str) -> str | None:
        self.used.add(name)
        try:
            text, encoding = decode(self.tree.read(name, LONGEST_TEXT))
        except OSError as error:
            self.faults.add(name, f"is no caption, or cannot be read ({error})")
            return None
        if encoding != UTF_8:
            self.faults.add(name, f"is not UTF-8 and was read as {encoding}")
        return text

    def caption(self, name: str, text: str) -> str:
        """The one caption in ``text``, of a length that can be used."""
        first = first_alternative(text, self.trigger)
        if first != text:
            self.faults.add(name, "has a caption on each line; the first was taken")
        caption = plain_line(first)
        if len(caption) > LONGEST_CAPTION:
            self.faults.add(
                name,
                f"has a caption of {len(caption)} letters, more than any text encoder reads; the "
                f"first {LONGEST_CAPTION} were taken",
            )
        return bounded(caption)

    def _read_rows(self, name: str) -> None:
        self.used.add(name)
        try:
            rows = read_rows(name, self.tree.read(name, MANY))
        except OSError as error:
            self.faults.add(name, f"cannot be read ({error})")
            return
        for called, text in rows.captions.items():
            names = pictures_of(called, PurePosixPath(name).parent)
            there = [one for one in names if one in self.tree.names]
            self.rows[(there or names)[0]] = text
        for note in rows.notes:
            self.faults.add(name, note)
        for place, fault in rows.faults:
            self.faults.add(f"{name}: {place}", fault)


def own_files(manifest: dict[str, Any]) -> set[str]:
    """The files that belong to a dataset of ours beside its pictures."""
    files = manifest.get("files")
    return {MANIFEST, *(map(str, files) if isinstance(files, dict) else ())}


def fitted_mask(mask: torch.Tensor, shot: Shot, size: tuple[int, int]) -> torch.Tensor:
    """``mask`` at the size of ``shot``, whose file had ``size``; UnreadablePicture when it has
    another shape."""
    height, width = mask.shape
    if abs(math.log(width / height * size[0] / size[1])) > SAME_SHAPE:
        raise UnreadablePicture("has another shape than its image, and was not taken")
    return sized(mask, shot.size)


def sized(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """``mask`` (H, W) at ``size``, height and width."""
    if tuple(mask.shape) == size:
        return mask
    scaled = torch.nn.functional.interpolate(
        mask[None, None], size=size, mode="bilinear", align_corners=False, antialias=True
    )
    return scaled[0, 0].clamp(0, 1)


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _rank(name: str) -> tuple[int, str]:
    suffix = PurePosixPath(name).suffix.lower()
    return TEXTS.index(suffix) if suffix in TEXTS else len(TEXTS), name
