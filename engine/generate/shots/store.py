"""Shots on disk, each attempt written as it is made: a cancel or a crash loses at most one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ...core.character import Shot, shot_from_record, shot_record
from ...store.images import ImageStore, StoredImage
from .reading import Reading

TRIES = "tries"


class ShotAttempts(ImageStore):
    """Every attempt at a character's shots, beside the ``kept`` ones.

    What is measured in them stands in their records: other thresholds judge them again, and nothing
    is sampled. An attempt that is gone may still stand among those that were kept.
    """

    def __init__(self, folder: Path, kept: ImageStore) -> None:
        super().__init__(folder)
        self.kept = kept

    def load(self, key: str) -> StoredImage | None:
        return super().load(key) or self.kept.load(key)

    def save(
        self,
        key: str,
        image: torch.Tensor,
        record: Mapping[str, Any],
        embed: Mapping[str, Any] | None = None,
        png: bytes | None = None,
    ) -> StoredImage:
        """Writes an attempt; ``record`` holds its tags and its provenance."""
        made = shot_record(shot_from_record(dict(record), image))
        return super().save(key, image, made, embed or made, png)

    def note(self, key: str, **values: Any) -> None:
        if self.record(key) is None:
            self.kept.note(key, **values)
        else:
            super().note(key, **values)


class ShotStore:
    """The folder of a character's shots: ``<key>.png`` with ``<key>.json`` beside it.

    The shots that are kept stand in it, and every attempt in its folder ``tries``.
    """

    def __init__(self, folder: Path) -> None:
        self.kept = ImageStore(folder)
        self.attempts = ShotAttempts(folder / TRIES, self.kept)

    def load(self, key: str) -> Shot | None:
        """The shot kept under ``key``, or None when there is none that can be read."""
        stored = self.kept.load(key)
        return None if stored is None else shot_from_record(stored.record, stored.image)

    def save(self, key: str, shot: Shot, reading: Reading | None = None) -> Path:
        """Writes a shot that is kept, unless it stands there in these words already."""
        own = shot_record(shot)
        measures = {} if reading is None else {"measures": reading.record()}
        plain = json.loads(json.dumps({**own, **measures}))
        if self.kept.record(key) != plain or self.kept.load(key) is None:
            tried = ImageStore.load(self.attempts, key)
            known = tried is not None and tried.record["hash"] == shot.hash
            png = self.attempts.path(key).read_bytes() if known else None
            self.kept.save(key, shot.image, plain, own, png)
        return self.kept.path(key)

    def find(self, digest: str) -> str:
        """The key of the image whose hash begins with ``digest``; '' for none."""
        return self.kept.find(digest) or self.attempts.find(digest)
