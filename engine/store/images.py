"""Images as PNG files with what is known of them, and folders in which they are found again."""

from __future__ import annotations

import io
import json
import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from comfy.cli_args import args
from PIL import Image, PngImagePlugin

from ..core.character import picture_hash, quantise
from ..core.errors import FacetError
from .files import contained, write_atomic, write_json_atomic
from .json_files import read_json

LOGGER = logging.getLogger(__name__)
CHUNK = "facet"
"""The text chunk that holds a shot's record."""
HASHES = ".hashes"
_SIGNATURE, _HEADER = 8, 8 + 25
"""Bytes of a PNG file up to the end of its signature, and of its IHDR chunk."""


def image_bytes(image: torch.Tensor) -> bytes:
    """``image`` (H, W, 3) in 0..1 as a PNG file."""
    return png_bytes(Image.fromarray(quantise(image).numpy()))


def record_text(record: Mapping[str, Any]) -> str:
    """``record`` as the text that stands in the chunk ``facet``."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True)


def png_bytes(image: Image.Image, record: str = "") -> bytes:
    """``image`` as a PNG file, with ``record`` in its chunk ``facet`` when there is one."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    return with_texts(buffer.getvalue(), {CHUNK: record}) if record else buffer.getvalue()


def texts_are_wanted() -> bool:
    """Whether pictures may say how they were made: not where ComfyUI runs with --disable-metadata.

    What Facet needs to know of a picture again stands in a file beside it.
    """
    return not args.disable_metadata


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """The PNG file ``png`` with ``texts``, where wanted, in place of the text chunks that it had.

    Its pixels are not encoded again: the chunks are put where Pillow puts them, behind IHDR.
    """
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items() if texts_are_wanted() else ():
        info.add_itxt(name, text) if name == CHUNK else info.add_text(name, text)
    parts = [png[:_HEADER], *(_chunk(kind, data) for kind, data, *_ in info.chunks)]
    at = _HEADER
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] not in (b"tEXt", b"zTXt", b"iTXt"):
            parts.append(png[at:end])
        at = end
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return len(data).to_bytes(4, "big") + kind + data + check.to_bytes(4, "big")


def read_image(path: Path) -> torch.Tensor:
    """The image (H, W, 3) float32 in 0..1 in ``path``; OSError when it is gone or damaged."""
    try:
        with Image.open(path) as opened:
            pixels = np.array(opened.convert("RGB"))
    except (SyntaxError, ValueError) as error:
        raise OSError(f"it is damaged: {error}") from error
    return torch.from_numpy(pixels).to(torch.float32) / 255


@dataclass(frozen=True, eq=False)
class StoredImage:
    """An image (H, W, 3) as its file holds it, and the record that stands beside it."""

    image: torch.Tensor
    record: dict[str, Any]


class ImageStore:
    """Images by their keys in ``folder``: ``<key>.png``, and what is known of each beside it.

    The records stand in ``<key>.json``, which comes last, so that nothing half-written is found. An
    image is encoded and synced once; what is measured in it later goes into its record alone. The
    hashes of the images stand with their keys in ``.hashes``, a line for each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        return contained(self.folder, f"{key}.png")

    def image(self, key: str) -> torch.Tensor | None:
        """The image (H, W, 3) called ``key``, with or without a record; None when it is to make."""
        try:
            return read_image(self.path(key))
        except OSError:
            return None

    def save_image(self, key: str, image: torch.Tensor) -> torch.Tensor:
        """Writes ``image`` (H, W, 3) without a record, and returns it as it will be read."""
        write_atomic(self.path(key), image_bytes(image))
        return quantise(image).to(torch.float32) / 255

    def record(self, key: str) -> dict[str, Any] | None:
        """What is known of the image called ``key``; None when that cannot be read."""
        try:
            record = read_json(contained(self.folder, f"{key}.json"))
        except FileNotFoundError:
            return None
        except FacetError as error:
            LOGGER.warning("Facet: %s", error)
            return None
        return record if isinstance(record, dict) else None

    def load(self, key: str) -> StoredImage | None:
        """The image called ``key`` with its record; None when it has to be made, again or at first.

        An image that is not the one of which the record speaks counts as none.
        """
        record = self.record(key)
        if record is None or not self.path(key).is_file():
            return None
        try:
            image = read_image(self.path(key))
        except OSError as error:
            LOGGER.warning("Facet: %s cannot be read, made again (%s).", self.path(key), error)
            return None
        if picture_hash(image) != record.get("hash"):
            LOGGER.warning("Facet: %s was changed and is made again.", self.path(key))
            return None
        return StoredImage(image, record)

    def save(
        self,
        key: str,
        image: torch.Tensor,
        record: Mapping[str, Any],
        embed: Mapping[str, Any] | None = None,
        png: bytes | None = None,
    ) -> StoredImage:
        """Writes ``image`` (H, W, 3) with ``record``, and returns both as they will be read.

        embed: the record that the PNG file itself holds. png: the image's file, where there is one.
        """
        image = quantise(image.detach()).to(torch.float32) / 255
        digest = picture_hash(image)
        png = image_bytes(image) if png is None else png
        texts = {} if embed is None else {CHUNK: record_text(embed)}
        write_atomic(self.path(key), with_texts(png, texts))
        with (self.folder / HASHES).open("a", encoding="utf-8") as file:
            file.write(f"{digest} {key}\n")
        # As it comes back from the disk, where tuples are lists.
        plain: dict[str, Any] = json.loads(json.dumps({**record, "hash": digest}))
        write_json_atomic(contained(self.folder, f"{key}.json"), plain)
        return StoredImage(image, plain)

    def note(self, key: str, **values: Any) -> None:
        """Adds ``values`` to the record of the image called ``key``, where they are new to it."""
        record = self.record(key) or {}
        plain = json.loads(json.dumps({**record, **values}))
        if plain != record:
            write_json_atomic(contained(self.folder, f"{key}.json"), plain)

    def find(self, digest: str) -> str:
        """The key of the image whose hash begins with ``digest``; '' when there is none."""
        try:
            lines = (self.folder / HASHES).read_text("utf-8").splitlines()
        except OSError:
            return ""
        pairs = (line.partition(" ") for line in lines if line.startswith(digest))
        found = (name for _, _, name in pairs if name)
        return next((name for name in found if (self.folder / f"{name}.json").is_file()), "")
