"""Shots as picture files of several formats, each with its record and the workflow inside."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from PIL import Image

from ..core.character import Shot, shot_record
from ..core.errors import FacetError
from ..store.images import CHUNK, png_bytes, record_text, texts_are_wanted, with_texts
from ..store.json_files import parse_json

DESCRIPTION, MAKE, MODEL = 0x010E, 0x010F, 0x0110
LARGEST_EXIF = 65533
"""Bytes of EXIF that fit into a JPEG file."""


class PictureFormat(str, Enum):
    """What pictures are written as."""

    PNG = "png"
    WEBP_LOSSLESS = "webp_lossless"
    WEBP = "webp"
    JPEG = "jpeg"

    @property
    def lossless(self) -> bool:
        """Whether the exact pixels come back."""
        return self in (PictureFormat.PNG, PictureFormat.WEBP_LOSSLESS)

    @property
    def suffix(self) -> str:
        """How the file's name ends."""
        return {PictureFormat.PNG: ".png", PictureFormat.JPEG: ".jpg"}.get(self, ".webp")


def picture_bytes(
    shot: Shot, kind: PictureFormat, quality: int, workflow: Mapping[str, str]
) -> bytes:
    """``shot`` as a file: its pixels, its record, and ``workflow``, texts by their keyword.

    quality: 1 to 100, for the formats that lose some. A PNG has chunks, as ComfyUI's own; WebP and
    JPEG have EXIF, as far as that fits into a JPEG. Raises FacetError when the format cannot hold a
    picture of that size.
    """
    image = Image.fromarray(shot.pixels.numpy())
    if kind is PictureFormat.PNG:
        return with_texts(png_bytes(image), {CHUNK: record_text(shot_record(shot)), **workflow})
    buffer = io.BytesIO()
    try:
        if kind is PictureFormat.JPEG:
            exif = _exif(shot, workflow, LARGEST_EXIF)
            image.save(buffer, "JPEG", quality=quality, subsampling=0, exif=exif)
        elif kind is PictureFormat.WEBP:
            image.save(buffer, "WEBP", quality=quality, method=4, exif=_exif(shot, workflow))
        else:
            image.save(buffer, "WEBP", lossless=True, exact=True, exif=_exif(shot, workflow))
    except (OSError, ValueError) as error:
        raise FacetError(
            f"An image of {image.width}x{image.height} cannot be written as {kind.value} "
            f"({error}); choose png."
        ) from error
    return buffer.getvalue()


def record_in(opened: Image.Image) -> dict[str, Any] | None:
    """The record in a picture file, or None when it holds none of ours."""
    text = opened.info.get(CHUNK) if opened.format == "PNG" else None
    if text is None:
        described = opened.getexif().get(DESCRIPTION)
        if isinstance(described, str) and described.startswith(f"{CHUNK}:"):
            text = described.removeprefix(f"{CHUNK}:")
    if not isinstance(text, str):
        return None
    try:
        record = parse_json(text, "The record")
    except FacetError:
        return None  # the pixels are there all the same
    return record if isinstance(record, dict) else None


def _exif(shot: Shot, workflow: Mapping[str, str], largest: int = 1 << 30) -> bytes:
    """The EXIF with all that fits: the record first, which the manifest has as well."""
    if not texts_are_wanted():
        return b""
    record = {DESCRIPTION: f"{CHUNK}:{json.dumps(shot_record(shot), sort_keys=True)}"}
    # ComfyUI's page finds a graph in WebP by these two tags.
    tags = {"prompt": MODEL, "workflow": MAKE}
    graph = {tags[key]: f"{key}:{text}" for key, text in workflow.items() if key in tags}
    for values in ({**record, **graph}, record):
        exif = Image.Exif()
        exif.update(values)
        data = exif.tobytes()
        if len(data) <= largest:
            return data
    return b""
