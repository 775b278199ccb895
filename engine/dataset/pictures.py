"""Picture files, in whatever form they come, as tensors; and masks as PNG files."""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..core.eight_bits import MASK_LEVELS, quantise, sixteen_bits
from ..core.errors import FacetError
from ..store.images import png_bytes
from .formats import record_in

HEIF = frozenset({".heic", ".heif", ".hif"})
SUFFIXES = HEIF | {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif",
}  # fmt: skip
MOST_PIXELS = 64_000_000
"""Of a file that is read: more than cameras make, and what a small file may claim."""
KEPT_PIXELS = 2048 * 2048
"""Of a picture from elsewhere that are kept: more than any training or reference looks at."""
EXACT_MASK = 1e-6
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets a photograph upright, by its EXIF orientation."""
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, RuntimeError, TypeError, AttributeError,
    ArithmeticError, LookupError, struct.error, MemoryError, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises at files that are not what they say."""


class UnreadablePicture(FacetError):
    """A file that is no picture; the message says why."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture file read.

    image: (H, W, 3) uint8, upright, transparency laid over white. mask: (H, W) float32, the file's
    alpha, or None when it has none. record: what the file itself says about the shot. size: height
    and width of the file's picture, upright. notes: what was wrong and did not matter.
    """

    image: torch.Tensor
    mask: torch.Tensor | None
    record: dict[str, Any] | None
    size: tuple[int, int]
    notes: tuple[str, ...] = ()


def read_picture(data: bytes, suffix: str = "", most: int | None = None) -> Picture:
    """The picture in ``data``: any mode and bit depth, turned upright, the first frame of many.

    suffix: of the file's name, such as '.heic'. most: pixels that are kept of a picture that has no
    record of ours; it is scaled down to them. None keeps all.
    Raises UnreadablePicture when it is broken, not a picture, has more than ``MOST_PIXELS``, or
    needs a package that is not installed.
    """
    try:
        with _opened(data, suffix) as opened:
            notes = []
            try:
                record, turn = record_in(opened), opened.getexif().get(ORIENTATION)
            except BROKEN as error:
                record, turn = None, None
                notes.append(f"has EXIF that cannot be read ({_short(error)}); it was passed over")
            size = opened.size
            pixels = _kept(opened, None if record else most)
    except UnreadablePicture:
        raise
    except BROKEN as error:
        raise UnreadablePicture(f"cannot be read as an image ({_short(error)})") from error
    if turn in TURNS:
        pixels = pixels.transpose(TURNS[turn])
        size = size if turn < 5 else size[::-1]
    image, mask = _over_white(pixels)
    return Picture(image, mask, record, (size[1], size[0]), tuple(notes))


def scaled_down(image: torch.Tensor, most: int = KEPT_PIXELS) -> torch.Tensor:
    """``image`` (H, W, 3) uint8 with at most ``most`` pixels."""
    height, width = image.shape[:2]
    if height * width <= most:
        return image
    small = Image.fromarray(image.numpy()).resize(
        _within((width, height), most), Image.Resampling.LANCZOS, reducing_gap=2.0
    )
    return torch.from_numpy(np.array(small))


def read_mask(data: bytes) -> torch.Tensor:
    """The mask in ``data``: (H, W) float32 in 0..1, from 8 or 16 bits of grey; what is transparent
    counts as 0.

    Raises UnreadablePicture as ``read_picture`` does.
    """
    try:
        with _opened(data, "") as opened:
            if opened.mode.startswith("I;16") or opened.mode == "I":
                return torch.from_numpy(np.array(opened, dtype=np.float32)) / MASK_LEVELS
            if "A" in opened.getbands() or "transparency" in opened.info:
                rgba = opened.convert("RGBA")
                black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
                return _tensor(Image.alpha_composite(black, rgba).convert("L"))
            return _tensor(opened.convert("L"))
    except UnreadablePicture:
        raise
    except BROKEN as error:
        raise UnreadablePicture(f"cannot be read as a mask ({_short(error)})") from error


def mask_bytes(mask: torch.Tensor) -> bytes:
    """``mask`` (H, W) as a grey PNG: 8 bits when that holds it exactly, 16 bits otherwise."""
    eight = quantise(mask)
    if (eight.to(torch.float32) / 255 - mask).abs().max() <= EXACT_MASK:
        return png_bytes(Image.fromarray(eight.numpy()))
    sixteen = sixteen_bits(mask).numpy().astype(np.uint16)
    return png_bytes(Image.fromarray(sixteen))


def _opened(data: bytes, suffix: str) -> Image.Image:
    """The file, of which nothing but its header is decoded yet."""
    image = _heif(data) if suffix.lower() in HEIF else Image.open(io.BytesIO(data))
    if math.prod(image.size) > MOST_PIXELS:
        raise UnreadablePicture(
            f"has {math.prod(image.size) / 1e6:.0f} megapixels, and up to "
            f"{MOST_PIXELS / 1e6:.0f} are read; scale it down"
        )
    return image


def _heif(data: bytes) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise UnreadablePicture(
            "is HEIC, which needs the package pillow-heif; install it, or save it as PNG"
        ) from error
    opened = pillow_heif.open_heif(io.BytesIO(data))
    if math.prod(opened.size) > MOST_PIXELS:
        return Image.new("1", opened.size)  # its size is all that is asked of it
    image: Image.Image = opened.to_pillow()
    return image


def _kept(image: Image.Image, most: int | None) -> Image.Image:
    """``image`` in RGB, RGBA, L or LA, with at most ``most`` pixels."""
    if most is None or math.prod(image.size) <= most:
        return _eight_bit(image)
    size = _within(image.size, most)
    image.draft(None, size)  # a JPEG is decoded at a half or less at once
    if image.mode == "1":
        image = image.convert("L")
    small = _eight_bit(image)
    return small.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _within(size: tuple[int, int], most: int) -> tuple[int, int]:
    """The largest size of the shape of ``size``, width and height, with at most ``most`` pixels."""
    scale = math.sqrt(most / math.prod(size))
    width, height = (max(1, math.floor(side * scale)) for side in size)
    return (min(width, most // height), height)


def _eight_bit(image: Image.Image) -> Image.Image:
    """``image`` in RGB, RGBA, L or LA, with deep grey scaled down rather than cut off."""
    if image.mode.startswith("I;16") or image.mode == "I":
        values = np.array(image).clip(0, 65535).astype(np.uint32)
        return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode == "F":
        floats = np.array(image, dtype=np.float32)
        floats = floats / max(1.0, float(np.nanmax(floats)))
        return Image.fromarray((np.nan_to_num(floats).clip(0, 1) * 255).round().astype(np.uint8))
    if image.mode == "P" or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("RGB", "RGBA", "L", "LA"):
        image.load()
        return image
    return image.convert("RGBA" if "a" in "".join(image.getbands()).lower()[3:] else "RGB")


def _over_white(pixels: Image.Image) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The picture (H, W, 3) uint8 over white, and its alpha unless that is 1 everywhere."""
    if "A" not in pixels.getbands():
        return torch.from_numpy(np.array(pixels.convert("RGB"))), None
    rgba = np.array(pixels.convert("RGBA"))
    image = np.empty((*rgba.shape[:2], 3), np.uint8)
    for top in range(0, len(rgba), 256):  # in parts, since floats are four times as large
        part = torch.from_numpy(rgba[top : top + 256]).to(torch.float32) / 255
        alpha = part[..., 3:]
        image[top : top + 256] = quantise(part[..., :3] * alpha + (1 - alpha)).numpy()
    alpha_bits = torch.from_numpy(rgba[..., 3])
    mask = None if bool((alpha_bits == 255).all()) else alpha_bits.to(torch.float32) / 255
    return torch.from_numpy(image), mask


def _tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).to(torch.float32) / 255


def _short(error: BaseException) -> str:
    """The error without the path or the object that Pillow prints into it."""
    text = str(error).split(" '/")[0].split(" <_io")[0].strip()
    return text or type(error).__name__
