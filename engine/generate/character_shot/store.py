"""Tries on disk under the hash of all that determines them, so that a rerun samples nothing."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image, PngImagePlugin

from ...core.character import picture_hash, quantise
from ...scoring.cache import read_picture
from ...store.files import write_atomic, write_json_atomic
from ...store.images import CHUNK, image_bytes
from .judge import Measures, measures_from

LOGGER = logging.getLogger(__name__)


class Pictures:
    """The folder of the pictures made of a character.

    Those that are kept stand in it as PNG, with what is known of them inside; every try stands in
    its folder ``tries`` as ``<key>.png``, with its measures in ``<key>.json``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tries = folder / "tries"

    def load(self, key: str) -> tuple[torch.Tensor, Measures] | None:
        """The try called ``key``, (H, W, 3), and its measures; None when it has to be made."""
        try:
            record = json.loads((self.tries / f"{key}.json").read_text("utf-8"))
            image = read_picture(self.tries / f"{key}.png")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            LOGGER.warning("Facet: %s/%s cannot be read, made again (%s).", self.tries, key, error)
            return None
        if not isinstance(record, dict) or record.get("hash") != picture_hash(image):
            LOGGER.warning("Facet: %s/%s.png was changed and is made again.", self.tries, key)
            return None
        return image, measures_from(record.get("measures"))

    def save(self, key: str, image: torch.Tensor, recipe: Mapping[str, Any]) -> None:
        """Writes a try that was just made; the record comes last, so that no half is found."""
        write_atomic(self.tries / f"{key}.png", image_bytes(image))
        record = {"hash": picture_hash(image), "recipe": dict(recipe)}
        write_json_atomic(self.tries / f"{key}.json", record)

    def save_measures(self, key: str, measures: Measures) -> None:
        """Adds its measures to the record of a try."""
        path = self.tries / f"{key}.json"
        record = json.loads(path.read_text("utf-8"))
        write_json_atomic(path, {**record, "measures": measures.record()})

    def keep(
        self, key: str, image: torch.Tensor, record: Mapping[str, Any], chunks: Mapping[str, str]
    ) -> Path:
        """Writes the picture that is kept, with ``record`` and the texts ``chunks`` in it."""
        info = PngImagePlugin.PngInfo()
        info.add_itxt(CHUNK, json.dumps(record, ensure_ascii=False, sort_keys=True))
        for name, text in chunks.items():
            info.add_text(name, text)
        buffer = io.BytesIO()
        picture = Image.fromarray(quantise(image).numpy())
        picture.save(buffer, "PNG", pnginfo=info, compress_level=4)
        path = self.folder / f"{key}.png"
        write_atomic(path, buffer.getvalue())
        return path
