"""Where a warp stretches and presses together, a map for each expression, as a PNG file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER, INK, QUIET = "#faf9f6", "#1d2126", "#616a74"
STRETCHED, PRESSED = np.array([181.0, 82, 10]), np.array([11.0, 98, 173])
CELL, LABEL, GAP, COLUMNS, TOP = 220, 44, 20, 4, 130
MOST = 2.0


def draw(maps: Mapping[str, np.ndarray], least: float, path: Path) -> None:
    """``maps``: least Jacobian determinants (R, C) by cell of the grid, by the expression's name.

    They are those of the way from a pixel to where it is taken from. White is 1, where nothing
    changes; orange, below, is stretched, down to the ``least`` that there may be; blue, above, is
    pressed together, to half of its area and more. Written to ``path``.
    """
    rows = -(-len(maps) // COLUMNS)
    wide = COLUMNS * (CELL + GAP) + GAP
    sheet = Image.new("RGB", (wide, TOP + rows * (CELL + LABEL + GAP)), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, 28), "How far each expression moves pixels", INK, ImageFont.load_default(30))
    says = f"orange: stretched, to {1 / least:g} times its area at most; blue: pressed together"
    pen.text((GAP, 80), says, QUIET, ImageFont.load_default(20))
    for number, (name, cells) in enumerate(maps.items()):
        x = GAP + number % COLUMNS * (CELL + GAP)
        y = TOP + number // COLUMNS * (CELL + LABEL + GAP)
        picture = Image.fromarray(_coloured(cells, least))
        scale = min(CELL / picture.width, CELL / picture.height)
        size = (round(picture.width * scale), round(picture.height * scale))
        sheet.paste(picture.resize(size, Image.Resampling.NEAREST), (x, y))
        said = f"{name}: {float(cells.min()):.2f} to {float(cells.max()):.2f}"
        pen.text((x, y + CELL + 8), said, INK, ImageFont.load_default(18))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _coloured(cells: np.ndarray, least: float) -> np.ndarray:
    """(R, C, 3) uint8."""
    stretched = np.clip((1 - cells) / (1 - least), 0, 1)[..., None]
    pressed = np.clip((cells - 1) / (MOST - 1), 0, 1)[..., None]
    colours = 255 + stretched * (STRETCHED - 255) + pressed * (PRESSED - 255)
    return colours.round().astype(np.uint8)
