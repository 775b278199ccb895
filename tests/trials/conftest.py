"""Pictures and folders that the trials are made of."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facet.engine.dataset.load import load
from facet.engine.dataset.naming import Loaded, Names


def picture(seed: int = 0, width: int = 40, height: int = 60) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "photos"
    place.mkdir()
    return place


@pytest.fixture
def put(folder: Path) -> Callable[..., Path]:
    """Writes a picture, a text or bytes under a name in the folder."""
    pictures = iter(range(1, 1000))

    def write(name: str, what: str | bytes | Image.Image | None = None) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if what is None:
            what = picture(next(pictures))
        if isinstance(what, Image.Image):
            kind = {"jpg": "JPEG", "jpeg": "JPEG"}.get(path.suffix[1:].lower(), path.suffix[1:])
            what = encoded(what, kind.upper())
        path.write_bytes(what.encode() if isinstance(what, str) else what)
        return path

    return write


@pytest.fixture
def read(folder: Path) -> Callable[..., Loaded]:
    """Reads the folder, with the trigger zqx unless the folder says another."""

    def loaded(where: Path = folder, trigger: str = "zqx") -> Loaded:
        return load(where, Names(trigger=trigger))

    return loaded
