"""Pictures in rows and columns: where each cell of a sheet stands, and how large the sheet is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from PIL import Image

from ..core.character import quantise


@dataclass(frozen=True)
class Cells:
    """Cells of one size in rows; px.

    left, top: corner of the first. width, height: of a cell. gap: between two in a row.
    row_gap: between two rows; that between two in a row when it is not given.
    """

    columns: int
    width: float
    height: float
    left: float = 0
    top: float = 0
    gap: float = 0
    row_gap: float | None = None

    def at(self, number: int) -> tuple[float, float]:
        """Left and top of the cell ``number``, counted along the rows from 0."""
        return self.corner(*divmod(number, self.columns))

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Left and top of the cell in ``row`` and ``column``."""
        left = self.left + column * (self.width + self.gap)
        row_gap = self.gap if self.row_gap is None else self.row_gap
        return left, self.top + row * (self.height + row_gap)

    def right(self) -> float:
        """Where a whole row ends."""
        return self.corner(0, self.columns - 1)[0] + self.width

    def bottom(self, count: int) -> float:
        """Where ``count`` cells end; ``top`` when there are none."""
        rows = math.ceil(count / self.columns)
        return self.top if not rows else self.corner(rows - 1, 0)[1] + self.height


def side_by_side(pictures: torch.Tensor, columns: int) -> Image.Image:
    """``pictures`` (N, H, W, 3) in 0..1 in rows of up to ``columns``, as they are."""
    count, height, width = pictures.shape[:3]
    cells = Cells(min(count, columns), width, height)
    sheet = Image.new("RGB", (int(cells.right()), int(cells.bottom(count))))
    for number, picture in enumerate(pictures):
        left, top = cells.at(number)
        sheet.paste(Image.fromarray(quantise(picture).numpy()), (int(left), int(top)))
    return sheet
