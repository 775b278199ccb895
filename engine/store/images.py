"""Pictures as PNG files, and shots as PNG files that say what they are."""

from __future__ import annotations

import io
import json

import torch
from PIL import Image, PngImagePlugin

from ..core.character import Shot, quantise, shot_record

CHUNK = "facet"
"""The text chunk that holds a shot's record."""


def image_bytes(image: torch.Tensor) -> bytes:
    """``image`` (H, W, 3) in 0..1 as a PNG file."""
    return png_bytes(Image.fromarray(quantise(image).numpy()))


def shot_bytes(shot: Shot) -> bytes:
    """``shot`` as a PNG file: the exact pixels, and its record as JSON in the chunk ``facet``."""
    record = json.dumps(shot_record(shot), ensure_ascii=False, sort_keys=True)
    return png_bytes(Image.fromarray(quantise(shot.image).numpy()), record)


def png_bytes(image: Image.Image, record: str = "") -> bytes:
    """``image`` as a PNG file, with ``record`` in its chunk ``facet`` when there is one."""
    chunks = PngImagePlugin.PngInfo()
    if record:
        chunks.add_itxt(CHUNK, record)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=chunks, compress_level=4)
    return buffer.getvalue()
