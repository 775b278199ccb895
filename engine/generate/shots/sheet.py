"""A labelled sheet of shots: the original first, then what was asked, measured and tried."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ...core.character import VOCABULARY, Character, Shot, quantise

PAPER, CARD, INK, MUTED = "#f4f2ee", "#ffffff", "#23262b", "#747a83"
PASSED, FAILED, UNMEASURED = "#1a7f5a", "#c2410c", "#747a83"
SHOWN = ("view", "identity")
"""Gates whose numbers stand under a shot that passed; of the others only what failed."""
MARGIN, GAP, CAPTION = 28, 18, 66


def draw_sheet(character: Character, shots: Sequence[Shot], tile: int = 320) -> torch.Tensor:
    """A sheet of ``character``'s original and ``shots`` as (H, W, 3) float32 in 0..1.

    tile: side of each picture on the sheet in pixels; up to four stand in a row.
    """
    cells = [("Original", "the picture given", INK, character.source)]
    cells += [(*_label(shot), shot) for shot in shots]
    columns = min(4, len(cells)) if len(cells) != 5 else 3
    rows = math.ceil(len(cells) / columns)
    header = 64
    width = 2 * MARGIN + columns * tile + (columns - 1) * GAP
    height = header + MARGIN + rows * (tile + CAPTION) + (rows - 1) * GAP + MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 24), character.name, INK, ImageFont.load_default(30))
    kept = sum(shot.include for shot in shots)
    summary = f"{kept} of {len(shots)} shots kept"
    draw.text((width - MARGIN, 34), summary, MUTED, ImageFont.load_default(18), anchor="ra")
    for index, (title, detail, colour, shot) in enumerate(cells):
        left = MARGIN + (index % columns) * (tile + GAP)
        top = header + MARGIN + (index // columns) * (tile + CAPTION + GAP)
        _draw_cell(draw, sheet, (left, top), tile, shot, title, detail, colour)
    return torch.from_numpy(np.array(sheet)).to(torch.float32) / 255


def _draw_cell(
    draw: ImageDraw.ImageDraw,
    sheet: Image.Image,
    corner: tuple[int, int],
    tile: int,
    shot: Shot,
    title: str,
    detail: str,
    colour: str,
) -> None:
    left, top = corner
    box = (left, top, left + tile - 1, top + tile + CAPTION - 1)
    draw.rounded_rectangle(box, 10, CARD)
    picture = Image.fromarray(quantise(shot.image).numpy())
    scale = min(tile / picture.width, tile / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] + 12), 10, 255)
    sheet.paste(picture, (left + (tile - size[0]) // 2, top + (tile - size[1]) // 2), mask)
    draw.rectangle((left, top + tile, left + tile - 1, top + tile + 2), colour)
    draw.text((left + 14, top + tile + 12), title, INK, _fitting(draw, title, 20, tile - 28))
    draw.text((left + 14, top + tile + 38), detail, colour, _fitting(draw, detail, 15, tile - 28))


def _label(shot: Shot) -> tuple[str, str, str]:
    """Title, detail and colour of a shot's cell."""
    tags = shot.tags
    words = [
        VOCABULARY[axis].get(value, value)
        for axis, value in (("view", tags.view), ("framing", tags.framing))
        if value
    ]
    if tags.expression and (tags.expression != "neutral" or not words):
        words.append(VOCABULARY["expression"].get(tags.expression, tags.expression))
    title = (", ".join(words) or ", ".join(tags.details) or "shot").capitalize()
    measured = []
    for score in shot.scores:
        if score.passed is False:
            measured.append(score.note)
        elif score.passed and score.gate == "view" and tags.view == "back":
            measured.append("no face, as asked")
        elif score.passed is not False and score.value is not None and score.gate in SHOWN:
            angle = "pitch" if tags.view in ("top", "low") else "yaw"
            unit = (
                f"{angle} {score.value:+.0f}°"
                if score.gate == "view"
                else f"{score.gate} {score.value:.2f}"
            )
            measured.append(unit)
    if shot.provenance.tries > 1:
        measured.append(f"{shot.provenance.tries} tries")
    if not measured:
        return title, "not measured", UNMEASURED
    return title, "  ·  ".join(measured), PASSED if shot.accepted else FAILED


def _fitting(
    draw: ImageDraw.ImageDraw, text: str, size: int, width: int
) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The default font, made smaller until ``text`` fits ``width`` pixels."""
    while size > 8 and draw.textlength(text, font=ImageFont.load_default(size)) > width:
        size -= 1
    return ImageFont.load_default(size)
