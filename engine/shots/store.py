"""Shots on disk, each written as it is made, so that a cancel or a crash loses at most one."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin

from ..character import Shot, quantise, shot_from_record, shot_record
from ..files import write_atomic, write_json_atomic

LOGGER = logging.getLogger(__name__)


def shot_key(*parts: object) -> str:
    """The name under which a shot is found again: a hash of all that determines it."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:24]


def png(image: torch.Tensor, **notes: str) -> bytes:
    """``image`` (H, W, 3) in 0..1 as a PNG file, with ``notes`` as its text chunks."""
    chunks = PngImagePlugin.PngInfo()
    for name, text in notes.items():
        chunks.add_itxt(name, text)
    buffer = io.BytesIO()
    Image.fromarray(quantise(image).numpy()).save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


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
        record = shot_record(shot)
        write_atomic(picture, png(shot.image, facet=json.dumps(record, ensure_ascii=False)))
        write_json_atomic(sidecar, record)
        return picture

    def _paths(self, key: str) -> tuple[Path, Path]:
        return self.folder / f"{key}.png", self.folder / f"{key}.json"
