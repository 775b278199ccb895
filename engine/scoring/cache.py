"""Pictures of a scoring on the disk: what was made once is not sampled again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..core.character import quantise
from ..store.files import contained, write_atomic
from ..store.images import image_bytes


def picture_key(*parts: object) -> str:
    """The name of the picture that ``parts`` determine: a hash of them."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:24]


def weights_key(weights: dict[str, torch.Tensor]) -> str:
    """A hash of a LoRA's weights: names, shapes, types and every value."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        plain = value.detach().to("cpu").contiguous().flatten()
        digest.update(plain.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:24]


def read_picture(path: Path) -> torch.Tensor:
    """The picture (H, W, 3) float32 in 0..1 in ``path``; OSError when it is gone or damaged."""
    try:
        with Image.open(path) as opened:
            pixels = np.array(opened.convert("RGB"))
    except (SyntaxError, ValueError) as error:
        raise OSError(f"it is damaged: {error}") from error
    return torch.from_numpy(pixels).to(torch.float32) / 255


class PictureCache:
    """Pictures by their keys, as PNG files in ``folder``; one that cannot be read is made again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> torch.Tensor | None:
        """The picture (H, W, 3) float32 in 0..1 under ``key``, or None."""
        try:
            return read_picture(contained(self.folder, f"{key}.png"))
        except OSError:
            return None

    def save(self, key: str, image: torch.Tensor) -> torch.Tensor:
        """Writes ``image`` (H, W, 3) and returns it as it will be read: in 8 bits a channel."""
        write_atomic(contained(self.folder, f"{key}.png"), image_bytes(image))
        return quantise(image).to(torch.float32) / 255
