"""Which files are masks of pictures, by the names that people and trainers give them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath

from .layouts import CHARACTERS

FOLDER = re.compile(r"masks?", re.IGNORECASE)
BESIDE = re.compile(r"(.+?)[-_. ]+mask(?:s|ed)?", re.IGNORECASE)
"""A mask beside its picture, where there is such a picture; else a picture of somebody masked."""
ALWAYS = re.compile(r"(.+?)[-_](?:mask|cond)label", re.IGNORECASE)
"""OneTrainer's names, which no picture to train on has."""
CONDITION = re.compile(r".+[-_]condlabel", re.IGNORECASE)

Key = tuple[str, str]
"""A folder, and what stands in it without its suffix, in one case."""


class Masks:
    """The masks among ``images``, names of image files.

    captioned: the keys of what has a text of its own, which is a picture where the name leaves
    that open.
    """

    def __init__(self, images: Collection[str], captioned: Collection[Key]) -> None:
        self.names: set[str] = set()
        self._of: dict[Key, str] = {}
        paths = {name: PurePosixPath(name) for name in images}
        in_folder = {name: _mask_folder(path) for name, path in paths.items()}
        keys = {name: key_of(path.parent, path.stem) for name, path in paths.items()}
        stems = {key for name, key in keys.items() if in_folder[name] is None}
        for name, path in paths.items():
            at, base = in_folder[name], _base(path.stem)
            beside = key_of(path.parent, base)
            if at is not None:
                self._add(name, _folder_keys(path, at, base))
            elif ALWAYS.fullmatch(path.stem):
                self._add(name, [] if CONDITION.fullmatch(path.stem) else [beside])
            elif base != path.stem and beside in stems and keys[name] not in captioned:
                self._add(name, [beside])

    def of(self, name: str) -> list[str]:
        """The masks that the picture ``name`` may have, the likeliest first."""
        found = (self._of.get(key) for key in _picture_keys(PurePosixPath(name)))
        return list(dict.fromkeys(mask for mask in found if mask is not None))

    def _add(self, name: str, keys: Iterable[Key]) -> None:
        self.names.add(name)
        for key in keys:
            self._of.setdefault(key, name)


def _mask_folder(path: PurePosixPath) -> int | None:
    """Which of the folders of ``path`` is one of masks."""
    folders = path.parent.parts
    own = 2 if folders[:1] == (CHARACTERS,) else 0  # a library's characters may be called anything
    return next((at for at in range(own, len(folders)) if FOLDER.fullmatch(folders[at])), None)


def _base(stem: str) -> str:
    """``stem`` without what says that it is a mask."""
    match = ALWAYS.fullmatch(stem) or BESIDE.fullmatch(stem)
    return stem if match is None else match[1]


def _folder_keys(path: PurePosixPath, at: int, base: str) -> Iterator[Key]:
    """Where the pictures of a mask in the folder ``at`` may stand: beside that folder."""
    parts = path.parent.parts
    beside, below = PurePosixPath(*parts[:at]), PurePosixPath(*parts[at + 1 :])
    for stem in dict.fromkeys((path.stem, base)):
        yield key_of(beside / "*" / below, stem)


def _picture_keys(path: PurePosixPath) -> Iterator[Key]:
    """A mask beside the picture, or in a folder beside any folder that it is in: mirrored, below a
    sibling, or flat."""
    yield key_of(path.parent, path.stem)
    for above in path.parents:
        below = path.parent.relative_to(above).parts
        for rest in dict.fromkeys((below, below[1:], ())):
            yield key_of(PurePosixPath(above, "*", *rest), path.stem)


def key_of(folder: PurePosixPath, stem: str) -> Key:
    """What files of one name have in common, whatever their suffix."""
    return folder.as_posix().casefold(), stem.casefold()
