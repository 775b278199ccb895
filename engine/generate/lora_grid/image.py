"""A grid of pictures: a row for each LoRA and strength, a column for each prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ...drawing.canvas import LEADING, Page, wrapped
from ...drawing.contact_sheet import Cells
from ...drawing.palette import CARD, INK, QUIET

MARGIN, GAP, LABEL, HEAD = 32, 12, 230, 92
WIDEST, TALLEST = 256, 12000
SMALLEST = 64


def draw_grid(
    rows: Sequence[tuple[str, Sequence[torch.Tensor]]],
    prompts: Sequence[str],
    marks: Sequence[Sequence[str]] = (),
    chosen: int = -1,
) -> torch.Tensor:
    """The grid as (H, W, 3) float32 in 0..1.

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
