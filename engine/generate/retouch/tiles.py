"""A picture in overlapping tiles, and the tiles back in one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

ALIGNMENT = 32
"""Tiles begin and end on multiples of this: whole latent pixels of every VAE in use."""
LEAST = 64

Inpaint = Callable[[torch.Tensor, int, int], torch.Tensor]
"""Gets a tile (h, w, 3) with its top and left, and gives the same part made anew."""


@dataclass(frozen=True)
class Tiles:
    """How a picture of ``height`` by ``width`` is covered by tiles of one size, evenly.

    tile: longest side of a tile; overlap: what two neighbours share at least; all in pixels.
    """

    height: int
    width: int
    tile: int
    overlap: int

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width that the tiles cover: the picture's, raised to the alignment."""
        return _raised(self.height), _raised(self.width)

    @property
    def size(self) -> tuple[int, int]:
        side = max(LEAST, self.tile // ALIGNMENT * ALIGNMENT)
        return min(side, self.canvas[0]), min(side, self.canvas[1])

    @property
    def places(self) -> list[tuple[int, int]]:
        """Top and left of each tile, row by row."""
        rows, columns = (
            _starts(length, side, self.overlap)
            for length, side in zip(self.canvas, self.size, strict=True)
        )
        return [(top, left) for top in rows for left in columns]

    def through(self, image: torch.Tensor, inpaint: Inpaint) -> torch.Tensor:
        """``image`` (H, W, 3) with every tile made anew by ``inpaint``, and its seams blended.

        Each tile counts the less the nearer a pixel is to a border that it shares, down to nothing,
        so that what is seen nowhere changes from one tile to the next at once.
        """
        canvas = self._padded(image)
        total = torch.zeros_like(canvas)
        weights = torch.zeros(*self.canvas, 1)
        height, width = self.size
        for top, left in self.places:
            part = (slice(top, top + height), slice(left, left + width))
            weight = self._weight(top, left)
            total[part] += inpaint(canvas[part], top, left) * weight
            weights[part] += weight
        return (total / weights)[: self.height, : self.width]

    def _padded(self, image: torch.Tensor) -> torch.Tensor:
        bottom, right = self.canvas[0] - self.height, self.canvas[1] - self.width
        picture = image.permute(2, 0, 1)[None]
        padded = torch.nn.functional.pad(picture, (0, right, 0, bottom), mode="replicate")
        return padded[0].permute(1, 2, 0)

    def _weight(self, top: int, left: int) -> torch.Tensor:
        """The weight (h, w, 1) of the tile there, above 0 everywhere."""
        (height, width), (tall, wide) = self.canvas, self.size
        rows = _feather(tall, self.overlap, top > 0, top + tall < height)
        columns = _feather(wide, self.overlap, left > 0, left + wide < width)
        return (rows[:, None] * columns[None])[..., None]


def _raised(side: int) -> int:
    return max(LEAST, -(-side // ALIGNMENT) * ALIGNMENT)


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """Where tiles of ``side`` begin so that they cover ``length`` and share ``overlap`` or more."""
    if length <= side:
        return [0]
    stride = max(ALIGNMENT, (side - overlap) // ALIGNMENT * ALIGNMENT)
    count = -(-(length - side) // stride) + 1
    room = (length - side) // ALIGNMENT
    return [number * room // (count - 1) * ALIGNMENT for number in range(count)]


def _feather(side: int, overlap: int, before: bool, after: bool) -> torch.Tensor:
    """Weights (side,) that rise from a shared border over ``overlap`` pixels, as a cosine."""
    weight = torch.ones(side)
    reach = min(overlap, side)
    if not reach:
        return weight
    ramp = (1 - torch.cos(torch.pi * (torch.arange(reach) + 0.5) / reach)) / 2
    if before:
        weight[:reach] *= ramp
    if after:
        weight[side - reach :] *= ramp.flip(0)
    return weight
