"""Shots on disk, each try written as it is made: a cancel or a crash loses at most one."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ...core.character import Shot, shot_from_record, shot_record
from ...store.files import write_atomic, write_json_atomic
from ...store.images import shot_bytes
from .reading import Reading, reading_from_record

LOGGER = logging.getLogger(__name__)


def shot_key(*parts: object) -> str:
    """The name under which a shot is found again: a hash of all that determines it."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:24]


class ShotStore:
    """The folder of a character's shots: ``<key>.png`` with ``<key>.json`` beside it.

    The shots that are kept stand in it, and every try in its folder ``tries``, with what was
    measured in it: other thresholds judge the tries again and sample nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tries = folder / "tries"

    def load(self, key: str) -> Shot | None:
        """The shot kept under ``key``, or None when there is none that can be read."""
        loaded = self._load(self.folder, key)
        return None if loaded is None else loaded[0]

    def save(self, key: str, shot: Shot, reading: Reading | None = None) -> Path:
        """Writes a shot that is kept, unless it stands there in these words already."""
        record = _record(shot, reading)
        if self._record(self.folder, key) != record or self.load(key) is None:
            _write(self.folder, key, shot, record)
        return self.folder / f"{key}.png"

    def load_try(self, key: str) -> tuple[Shot, Reading] | None:
        """The try called ``key`` and what was measured in it, or None when it has to be made."""
        return self._load(self.tries, key) or self._load(self.folder, key)

    def save_try(self, key: str, shot: Shot, reading: Reading | None = None) -> None:
        """Writes a try; before its measurement it has none."""
        _write(self.tries, key, shot, _record(shot, reading))

    def find(self, picture: str) -> str:
        """The name of the try whose picture's hash begins with ``picture``; empty for none."""
        for folder in (self.folder, self.tries):
            for sidecar in sorted(folder.glob("*.json")):
                record = self._record(folder, sidecar.stem)
                if record is not None and str(record.get("hash", "")).startswith(picture):
                    return sidecar.stem
        return ""

    def _record(self, folder: Path, key: str) -> dict[str, Any] | None:
        try:
            record = json.loads((folder / f"{key}.json").read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            LOGGER.warning("Facet: %s/%s.json cannot be read (%s).", folder, key, error)
            return None
        return record if isinstance(record, dict) else None

    def _load(self, folder: Path, key: str) -> tuple[Shot, Reading] | None:
        record = self._record(folder, key)
        picture = folder / f"{key}.png"
        if record is None or not picture.is_file():
            return None
        try:
            with Image.open(picture) as opened:
                pixels = np.array(opened.convert("RGB"))
            shot = shot_from_record(record, torch.from_numpy(pixels).to(torch.float32) / 255)
            reading = reading_from_record(record.get("reading"))
        except (OSError, ValueError, TypeError) as error:
            LOGGER.warning("Facet: %s cannot be read and is made again (%s).", picture, error)
            return None
        return (shot, reading) if shot.hash == record.get("hash") else None


def _record(shot: Shot, reading: Reading | None) -> dict[str, Any]:
    record = shot_record(shot)
    if reading is not None:
        record["reading"] = reading.record()
    # As it comes back from the disk, where tuples are lists.
    plain: dict[str, Any] = json.loads(json.dumps(record))
    return plain


def _write(folder: Path, key: str, shot: Shot, record: dict[str, Any]) -> None:
    """The sidecar comes last, so that a half-written shot is never found."""
    write_atomic(folder / f"{key}.png", shot_bytes(shot))
    write_json_atomic(folder / f"{key}.json", record)
