"""Pictures in rows and columns: where each cell of a sheet stands, and how large the sheet is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from ..core.character import quantise
from .canvas import CARD, INK, LEADING, QUIET, Page, wrapped

MARGIN, GAP, LABEL, HEAD = 32, 12, 230, 92
WIDEST, TALLEST = 256, 12000
SMALLEST = 64


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


def draw_grid(
    rows: Sequence[tuple[str, Sequence[torch.Tensor]]],
    prompts: Sequence[str],
    marks: Sequence[Sequence[str]] = (),
    chosen: int = -1,
) -> torch.Tensor:
    """A row for each LoRA and strength, a column for each prompt: (H, W, 3) float32 in 0..1.

    rows: each with its label and a picture (H, W, 3) for each of ``prompts``. marks: a short text
    under each picture. chosen: the row whose label is written bold. Tiles are 256 px, or less where
    that would be higher than 12,000 px.
    """
    tile = max(SMALLEST, min(WIDEST, (TALLEST - HEAD) // max(1, len(rows)) - GAP))
    cells = Cells(max(1, len(prompts)), tile, tile, MARGIN + LABEL, HEAD, GAP)
    bottom = int(cells.bottom(len(rows) * cells.columns))
    page = Page(int(cells.right()) + GAP + MARGIN, bottom + GAP + MARGIN)
    for column, prompt in enumerate(prompts):
        left = cells.corner(0, column)[0]
        lines = wrapped(prompt, 14, tile, most=3)
        for up, line in enumerate(reversed(lines), 1):
            page.text((left, HEAD - 10 - 14 * LEADING * up), line, 14, QUIET)
    for row, (label, pictures) in enumerate(rows):
        top = cells.corner(row, 0)[1]
        page.lines((MARGIN, top + 8), label, 18, LABEL - GAP, 3, INK, bold=row == chosen)
        for column, image in enumerate(pictures):
            left = cells.corner(row, column)[0]
            page.picture(image, (left, top), (tile, tile))
            if marks and marks[row][column]:
                page.box(left + 6, top + tile - 30, left + 62, top + tile - 6, CARD, 5)
                page.text((left + 34, top + tile - 18), marks[row][column], 14, anchor="mm")
    return page.tensor()
