"""Which record belongs to which picture, wherever that is by now and whatever it is called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..core.character import Provenance, Shot, shot_from_record
from .faults import Faults
from .pictures import Picture

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Found:
    """A picture read: where it stands, its pixels as a bare shot, and what is known about it.

    entry: what the manifest says, or else the file itself; empty when nothing is known.
    exact: whether the file is the one that was written, or at least has its pixels.
    """

    name: str
    shot: Shot
    sha256: str
    inside: Record
    entry: Record
    exact: bool


class Records:
    """The pictures in a manifest, to be found by their pixels, their bytes, or at last by name."""

    def __init__(self, entries: Iterable[Record]) -> None:
        self.entries = list(entries)
        self._by_name = {str(entry.get("file")): entry for entry in self.entries}
        self._by_pixels = {str(entry.get("hash")): entry for entry in self.entries}
        self._by_bytes = {str(entry.get("sha256")): entry for entry in self.entries}

    def find(self, name: str, picture: Picture, data: bytes) -> Found:
        """The picture ``name`` with the record that its pixels or its bytes have."""
        shot = Shot(picture.image, Provenance("imported"), mask=picture.mask)
        sha256 = hashlib.sha256(data).hexdigest()
        entry = self._by_pixels.get(shot.hash) or self._by_bytes.get(sha256)
        inside = picture.record or {}
        if entry is None and inside.get("hash") == shot.hash:
            entry = inside
        return Found(name, shot, sha256, inside, entry or {}, entry is not None)

    def by_name(self, found: list[Found]) -> list[Found]:
        """``found``, where those that nothing else identified are known by name.

        A name whose record went to another picture says nothing: that one was renamed.
        """
        taken = {str(one.entry.get("hash")) for one in found if one.exact}
        known = []
        for one in found:
            if not one.exact:
                entry = self._by_name.get(one.name) or one.inside
                if str(entry.get("hash")) not in taken:
                    one = replace(one, entry=entry)
            known.append(one)
        return known


def shot_of(found: Found, faults: Faults) -> Shot:
    """The shot as its record says; a changed picture has no scores, and was made from the other."""
    if not found.entry:
        return found.shot
    try:
        shot = shot_from_record(found.entry, found.shot.image, found.shot.mask)
    except (TypeError, ValueError, AttributeError):
        faults.add(found.name, "its record is broken and was not used")
        return found.shot
    if found.exact:
        return shot
    faults.add(found.name, "the image was changed since it was exported")
    parent = str(found.entry.get("hash", ""))
    return replace(shot, scores=(), provenance=Provenance("edited", parent=parent))
