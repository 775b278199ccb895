"""Pictures and masks that are float32 to whoever looks at them, and take the room of their file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .errors import FacetError

MASK_LEVELS = 65535
_EACH = MASK_LEVELS // 255


def quantise(image: torch.Tensor) -> torch.Tensor:
    """``image`` (…, C) in 0..1 as the uint8 that a picture file stores; uint8 as it is."""
    if image.dtype == torch.uint8:
        return image
    return (image.clamp(0, 1) * 255).round().to(torch.uint8)


class EightBits:
    """An attribute that gives float32 in 0..1 and is held as ``bits`` makes of what it is given.

    That is as a file gives it back, to the bit and in the same order in memory: networks take other
    paths, to other last digits, over other strides. A dataset of photographs takes a quarter of the
    memory so; what is looked at is made each time.
    """

    def __init__(self, name: str, bits: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.name, self.bits = name, bits

    def __get__(self, owner: object, kind: type | None = None) -> Any:
        if owner is None:
            return self
        held: torch.Tensor | None = vars(owner)[self.name]
        if held is None or held.dtype != torch.uint8:
            return held
        return held.to(torch.float32) / 255

    def __set__(self, owner: object, value: torch.Tensor | None) -> None:
        vars(owner)[self.name] = None if value is None else self.bits(value.detach().to("cpu"))


def picture_bits(image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3) as uint8; FacetError when it has another shape or is not finite."""
    if image.ndim != 3 or image.shape[-1] != 3:
        raise FacetError(f"A shot needs an image of shape (H, W, 3), not {tuple(image.shape)}.")
    if image.dtype != torch.uint8 and not torch.isfinite(image).all():
        raise FacetError("The image holds values that are not numbers; make it again.")
    return quantise(image.to(torch.float32) if image.is_floating_point() else image).contiguous()


def sixteen_bits(mask: torch.Tensor) -> torch.Tensor:
    """``mask`` in 0..1 as the 16-bit values (int32) that a mask file stores at most."""
    return (mask.clamp(0, 1) * MASK_LEVELS).round().to(torch.int32)


def mask_bits(mask: torch.Tensor) -> torch.Tensor:
    """``mask`` as uint8 where a file of 8 bits holds it, else as float32 in a file's 16 bits."""
    if mask.dtype == torch.uint8:
        return mask.contiguous()
    if not torch.isfinite(mask).all():
        raise FacetError("The mask holds values that are not numbers; make it again.")
    values = sixteen_bits(mask.to(torch.float32)).contiguous()
    eight = values.div(_EACH, rounding_mode="floor")
    if torch.equal(eight * _EACH, values):
        return eight.to(torch.uint8)
    return values.to(torch.float32) / MASK_LEVELS
