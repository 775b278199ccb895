"""Picture files, in whatever form they come, as tensors; and masks as PNG files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from ..core.eight_bits import MASK_LEVELS, quantise, sixteen_bits
from ..core.errors import FacetError
from ..store.images import png_bytes
from .formats import record_in

HEIF = frozenset({".heic", ".heif", ".hif"})
SUFFIXES = HEIF | {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif",
}  # fmt: skip
EXACT_MASK = 1e-6
BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, RuntimeError)


class UnreadablePicture(FacetError):
    """A file that is no picture; the message says why."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture file read.

    image: (H, W, 3) float32 in 0..1, upright, transparency laid over white. mask: (H, W) float32,
    the file's alpha, or None when it has none. record: what the file itself says about the shot.
    """

    image: torch.Tensor
    mask: torch.Tensor | None
    record: dict[str, Any] | None


def read_picture(data: bytes, suffix: str = "") -> Picture:
    """The picture in ``data``: any mode and bit depth, turned upright, the first frame of many.

    suffix: of the file's name, such as '.heic'. Raises UnreadablePicture when it is broken, not a
    picture, larger than Pillow allows, or needs a package that is not installed.
    """
    try:
        with _opened(data, suffix) as opened:
            record = record_in(opened)
            pixels = _eight_bit(ImageOps.exif_transpose(opened))
    except UnreadablePicture:
        raise
    except BROKEN as error:
        raise UnreadablePicture(f"cannot be read as an image ({_short(error)})") from error
    except Image.DecompressionBombError as error:
        raise UnreadablePicture("has more pixels than Pillow opens safely") from error
    if "A" not in pixels.getbands():
        return Picture(_tensor(pixels.convert("RGB")), None, record)
    rgba = _tensor(pixels.convert("RGBA"))
    alpha = rgba[..., 3]
    image = rgba[..., :3] * alpha[..., None] + (1 - alpha[..., None])
    return Picture(image, None if bool((alpha == 1).all()) else alpha, record)


def read_mask(data: bytes) -> torch.Tensor:
    """The mask in ``data``: (H, W) float32 in 0..1, from 8 or 16 bits of grey.

    Raises UnreadablePicture as ``read_picture`` does.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.mode.startswith("I;16") or opened.mode == "I":
                return torch.from_numpy(np.array(opened, dtype=np.float32)) / MASK_LEVELS
            return _tensor(opened.convert("L"))
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise UnreadablePicture(f"cannot be read as a mask ({_short(error)})") from error


def mask_bytes(mask: torch.Tensor) -> bytes:
    """``mask`` (H, W) as a grey PNG: 8 bits when that holds it exactly, 16 bits otherwise."""
    eight = quantise(mask)
    if (eight.to(torch.float32) / 255 - mask).abs().max() <= EXACT_MASK:
        return png_bytes(Image.fromarray(eight.numpy()))
    sixteen = sixteen_bits(mask).numpy().astype(np.uint16)
    return png_bytes(Image.fromarray(sixteen))


def _opened(data: bytes, suffix: str) -> Image.Image:
    if suffix.lower() not in HEIF:
        return Image.open(io.BytesIO(data))
    try:
        import pillow_heif
    except ImportError as error:
        raise UnreadablePicture(
            "is HEIC, which needs the package pillow-heif; install it, or save it as PNG"
        ) from error
    image: Image.Image = pillow_heif.open_heif(io.BytesIO(data)).to_pillow()
    return image


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


def _short(error: BaseException) -> str:
    """The error without the path or the object that Pillow prints into it."""
    text = str(error).split(" '/")[0].split(" <_io")[0].strip()
    return text or type(error).__name__
