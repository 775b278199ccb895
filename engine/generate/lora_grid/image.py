"""A grid of pictures: a row for each LoRA and strength, a column for each prompt."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from ...core.character import quantise
from ...drawing.canvas import CARD, INK, QUIET, SCALE, Page

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
    width = 2 * MARGIN + LABEL + len(prompts) * (tile + GAP)
    page = Page(width, HEAD + len(rows) * (tile + GAP) + MARGIN)
    for column, prompt in enumerate(prompts):
        left = MARGIN + LABEL + column * (tile + GAP)
        lines = textwrap.wrap(prompt, max(8, tile // 8), max_lines=3, placeholder=" …")
        for place, line in enumerate(lines):
            page.text((left, HEAD - 10 - 18 * (len(lines) - place)), line, 14, QUIET)
    for number, (label, pictures) in enumerate(rows):
        top = HEAD + number * (tile + GAP)
        for place, text in enumerate(textwrap.wrap(label, 24, max_lines=3, placeholder=" …")):
            page.text((MARGIN, top + 8 + 24 * place), text, 18, INK, bold=number == chosen)
        for column, image in enumerate(pictures):
            left = MARGIN + LABEL + column * (tile + GAP)
            _picture(page, image, (left, top), tile)
            if marks and marks[number][column]:
                page.box(left + 6, top + tile - 30, left + 62, top + tile - 6, CARD, 5)
                page.text((left + 34, top + tile - 18), marks[number][column], 14, anchor="mm")
    return torch.from_numpy(np.array(page.finished())).to(torch.float32) / 255


def _picture(page: Page, image: torch.Tensor, at: tuple[float, float], side: int) -> None:
    """``image`` as large as fits a square of ``side``, in its middle."""
    picture = Image.fromarray(quantise(image).numpy())
    scale = side * SCALE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    left = round(at[0] * SCALE + (side * SCALE - size[0]) / 2)
    top = round(at[1] * SCALE + (side * SCALE - size[1]) / 2)
    page.image.paste(picture.resize(size, Image.Resampling.LANCZOS), (left, top))
