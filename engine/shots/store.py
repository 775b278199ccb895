"""Shots on disk, each written as it is made, so that a cancel or a crash loses at most one."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..character import Shot, shot_from_record, shot_record
from ..files import write_atomic, write_json_atomic
from ..pictures import shot_bytes

LOGGER = logging.getLogger(__name__)


def shot_key(*parts: object) -> str:
    """The name under which a shot is found again: a hash of all that determines it."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:24]


class ShotStore:
    """The folder that holds a character's shots: ``<key>.png`` with ``<key>.json`` beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> Shot | None:
        """The shot made before under ``key``, or None when there is none that can be read."""
        picture, sidecar = self._paths(key)
        if not (picture.is_file() and sidecar.is_file()):
            return None
        try:
            record = json.loads(sidecar.read_text("utf-8"))
            with Image.open(picture) as opened:
                pixels = np.array(opened.convert("RGB"))
            shot = shot_from_record(record, torch.from_numpy(pixels).to(torch.float32) / 255)
        except (OSError, ValueError, TypeError) as error:
            LOGGER.warning("Facet: %s cannot be read and is made again (%s).", sidecar, error)
            return None
        return shot if shot.hash == record.get("hash") else None

    def save(self, key: str, shot: Shot) -> Path:
        """Writes ``shot``; the sidecar comes last, so a half-written shot is never found."""
        picture, sidecar = self._paths(key)
        write_atomic(picture, shot_bytes(shot))
        write_json_atomic(sidecar, shot_record(shot))
        return picture

    def _paths(self, key: str) -> tuple[Path, Path]:
        return self.folder / f"{key}.png", self.folder / f"{key}.json"
