"""Sizes that models can work at, and the way back to the pixels a picture came with.

Models want sides that are multiples of 16 and about a fixed number of pixels. Cropping to that, or
rounding each side on its own, moves and stretches what an edit model gives back. Here the whole
picture is laid on a canvas of such a size, its borders repeated, and where it lies is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ..comfyui.sampling import Sampling
from ..core.character import Character
from ..core.errors import FacetError

MULTIPLE = 16
MEGAPIXEL = 1024 * 1024
MIN_SIDE, MAX_SIDE = 64, 4096


@dataclass(frozen=True)
class Fitting:
    """Where a whole picture lies on a canvas, its aspect ratio kept.

    source, canvas: (width, height) in pixels. box: left, top, width and height of the picture on
    the canvas, in pixels.
    """

    source: tuple[int, int]
    canvas: tuple[int, int]
    box: tuple[int, int, int, int]

    def apply(self, image: torch.Tensor) -> torch.Tensor:
        """``image`` (H, W, C) of the source's size on the canvas, its borders repeated."""
        self._check(image, self.source)
        left, top, width, height = self.box
        picture = resized(image, width, height).permute(2, 0, 1)[None]
        right, bottom = self.canvas[0] - left - width, self.canvas[1] - top - height
        padded = torch.nn.functional.pad(picture, (left, right, top, bottom), mode="replicate")
        return padded[0].permute(1, 2, 0)

    def content(self, image: torch.Tensor) -> torch.Tensor:
        """The part of ``image`` (H, W, C), of the canvas's size, on which the picture lies."""
        self._check(image, self.canvas)
        left, top, width, height = self.box
        return image[top : top + height, left : left + width]

    def undo(self, image: torch.Tensor) -> torch.Tensor:
        """``image`` (H, W, C), of the canvas's size, back on the source's pixels."""
        return resized(self.content(image), *self.source)

    def _check(self, image: torch.Tensor, size: tuple[int, int]) -> None:
        if (image.shape[1], image.shape[0]) != size:
            raise FacetError(
                f"An image of {image.shape[1]} by {image.shape[0]} pixels was given where "
                f"{size[0]} by {size[1]} are needed."
            )


def fitting(source: tuple[int, int], canvas: tuple[int, int]) -> Fitting:
    """How a picture of ``source`` pixels (width, height) lies whole in the middle of ``canvas``."""
    scale = min(canvas[0] / source[0], canvas[1] / source[1])
    width, height = (max(1, round(side * scale)) for side in source)
    return Fitting(
        source, canvas, ((canvas[0] - width) // 2, (canvas[1] - height) // 2, width, height)
    )


def fit(image: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """``image`` (H, W, 3) inside ``width`` by ``height``, whole, centred, borders repeated.

    Nothing is cropped and the aspect ratio is kept, so that the face does not zoom or shift.
    """
    return fitting((image.shape[1], image.shape[0]), (width, height)).apply(image)


def canvas_for(width: int, height: int, pixels: int = MEGAPIXEL) -> tuple[int, int]:
    """The size near ``pixels``, sides multiples of 16, that a picture fills with least border.

    The area may differ by a tenth where that saves border. Sides stay within 64 and 4096.
    """
    best = (float("inf"), (MIN_SIDE, MIN_SIDE))
    for tall in range(MIN_SIDE, MAX_SIDE + 1, MULTIPLE):
        exact = tall * width / height / MULTIPLE
        for steps in (int(exact), int(exact) + 1):
            wide = min(MAX_SIDE, max(MIN_SIDE, steps * MULTIPLE))
            _, _, inner_width, inner_height = fitting((width, height), (wide, tall)).box
            border = 1 - inner_width * inner_height / (wide * tall)
            off = abs(wide * tall / pixels - 1)
            best = min(best, (border + off / 10 + max(0.0, off - 0.1) * 10, (wide, tall)))
    return best[1]


def resized(image: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """``image`` (H, W, 3) at ``width`` by ``height``, bicubic and antialiased, in 0..1."""
    if (image.shape[1], image.shape[0]) == (width, height):
        return image
    picture = image.permute(2, 0, 1)[None]
    large = torch.nn.functional.interpolate(
        picture, size=(height, width), mode="bicubic", antialias=True, align_corners=False
    )
    return large.clamp(0, 1)[0].permute(1, 2, 0)


def at_size_of(character: Character, sampling: Sampling, pixels: int | None) -> Sampling:
    """``sampling`` at about ``pixels`` in the original's shape, or at its own size to 2 MP."""
    height, width = character.source.size
    if pixels:
        width, height = canvas_for(width, height, pixels)
        return replace(sampling, width=width, height=height)
    shrink = min(1.0, (2_097_152 / (width * height)) ** 0.5)
    return replace(sampling, width=to_sixteen(width * shrink), height=to_sixteen(height * shrink))


def to_sixteen(side: float) -> int:
    """The multiple of 16 nearest to ``side``, at least 64."""
    return max(64, round(side / 16) * 16)
