"""Picture files, in whatever form they come, as tensors; and masks as PNG files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from ..character import quantise
from ..pictures import CHUNK, png_bytes

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
EXACT_MASK = 1e-6


class UnreadablePicture(ValueError):
    """A file that is no picture; the message says why."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture file read.

    image: (H, W, 3) float32 in 0..1, upright, transparency laid over white. mask: (H, W) float32,
    the file's alpha, or None when it has none. record: what the file's own chunk says about it.
    """

    image: torch.Tensor
    mask: torch.Tensor | None
    record: dict[str, Any] | None


def read_picture(path: Path) -> Picture:
    """The picture in ``path``: any mode and bit depth, turned upright, the first frame of many.

    Raises UnreadablePicture when it is broken, not a picture, or larger than Pillow allows.
    """
    try:
        with Image.open(path) as opened:
            chunk = opened.info.get(CHUNK) if opened.format == "PNG" else None
            upright = ImageOps.exif_transpose(opened)
            pixels = _eight_bit(upright)
            record = _record(chunk)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise UnreadablePicture(f"cannot be read as a picture ({_short(error)})") from error
    except Image.DecompressionBombError as error:
        raise UnreadablePicture("has more pixels than Pillow opens safely") from error
    if "A" not in pixels.getbands():
        return Picture(_tensor(pixels.convert("RGB")), None, record)
    rgba = _tensor(pixels.convert("RGBA"))
    alpha = rgba[..., 3]
    image = rgba[..., :3] * alpha[..., None] + (1 - alpha[..., None])
    return Picture(image, None if bool((alpha == 1).all()) else alpha, record)


def read_mask(path: Path) -> torch.Tensor:
    """The mask in ``path``: (H, W) float32 in 0..1, from 8 or 16 bits of grey.

    Raises UnreadablePicture as ``read_picture`` does.
    """
    try:
        with Image.open(path) as opened:
            if opened.mode.startswith("I;16") or opened.mode == "I":
                return torch.from_numpy(np.array(opened, dtype=np.float32)) / 65535
            return _tensor(opened.convert("L"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise UnreadablePicture(f"cannot be read as a mask ({_short(error)})") from error


def mask_bytes(mask: torch.Tensor) -> bytes:
    """``mask`` (H, W) as a grey PNG: 8 bits when that holds it exactly, 16 bits otherwise."""
    eight = quantise(mask)
    if (eight.to(torch.float32) / 255 - mask).abs().max() <= EXACT_MASK:
        return png_bytes(Image.fromarray(eight.numpy()))
    sixteen = (mask.clamp(0, 1) * 65535).round().numpy().astype(np.uint16)
    return png_bytes(Image.fromarray(sixteen))


def _eight_bit(image: Image.Image) -> Image.Image:
    """``image`` in RGB, RGBA, L or LA, with deep grey scaled down rather than cut off."""
    if image.mode.startswith("I;16") or image.mode == "I":
        values = np.array(image, dtype=np.float64) / 65535
        return Image.fromarray((values.clip(0, 1) * 255).round().astype(np.uint8))
    if image.mode == "F":
        values = np.array(image, dtype=np.float64)
        values = values / max(1.0, float(np.nanmax(values)))
        return Image.fromarray((np.nan_to_num(values).clip(0, 1) * 255).round().astype(np.uint8))
    if image.mode == "P" or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("RGB", "RGBA", "L", "LA"):
        image.load()
        return image
    return image.convert("RGBA" if "a" in "".join(image.getbands()).lower()[3:] else "RGB")


def _tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).to(torch.float32) / 255


def _record(chunk: Any) -> dict[str, Any] | None:
    """What the chunk says, or None when it holds no record of ours."""
    if not isinstance(chunk, str):
        return None
    try:
        record = json.loads(chunk)
    except json.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


def _short(error: BaseException) -> str:
    """The error without the path or the object that Pillow prints into it."""
    text = str(error).split(" '/")[0].split(" <_io")[0].strip()
    return text or type(error).__name__
