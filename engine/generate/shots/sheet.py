"""A labelled sheet of shots: the original first, then what was asked, measured and tried."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ...core.character import Character, Shot
from ...core.vocabulary import VOCABULARY
from ...drawing.canvas import CARD, Page, size_that_fits
from ...drawing.contact_sheet import Cells

PAPER, INK, QUIET = "#f4f2ee", "#23262b", "#747a83"
PASSED, FAILED = "#1a7f5a", "#c2410c"
"""A dataset's own picture, which stays the same byte for byte."""
SHOWN = ("view", "identity")
"""Gates whose numbers stand under a shot that passed; of the others only what failed."""
MARGIN, GAP, CAPTION, HEADER = 28, 18, 66, 64
Caption = tuple[str, str, str]
"""What stands under a picture: title, detail, and the colour of the detail and its line."""


def draw_sheet(character: Character, shots: Sequence[Shot], tile: int = 320) -> torch.Tensor:
    """A sheet of ``character``'s original and ``shots`` as (H, W, 3) float32 in 0..1.

    tile: side of each picture on the sheet in pixels; up to four stand in a row.
    """
    captions = [("Original", "the picture given", INK), *map(_label, shots)]
    columns = min(4, len(captions)) if len(captions) != 5 else 3
    cells = Cells(columns, tile, tile + CAPTION, MARGIN, HEADER + MARGIN, GAP)
    width = int(cells.right()) + MARGIN
    page = Page(width, int(cells.bottom(len(captions))) + MARGIN, scale=1, paper=PAPER)
    page.text((MARGIN, 24), character.name, 30, INK)
    kept = sum(shot.include for shot in shots)
    page.text((width - MARGIN, 34), f"{kept} of {len(shots)} shots kept", 18, QUIET, anchor="ra")
    for number, shot in enumerate((character.source, *shots)):
        _draw_cell(page, cells.at(number), tile, shot, captions[number])
    return page.tensor()


def _draw_cell(
    page: Page, at: tuple[float, float], tile: int, shot: Shot, caption: Caption
) -> None:
    left, top = at
    title, detail, colour = caption
    below = top + tile
    page.box(left, top, left + tile - 1, below + CAPTION - 1, CARD, 10)
    page.picture(shot.image, at, (tile, tile), radius=10)
    page.box(left, below, left + tile - 1, below + 2, colour)
    for text, size, down, ink in ((title, 20, 12, INK), (detail, 15, 38, colour)):
        page.text((left + 14, below + down), text, size_that_fits(text, size, tile - 28), ink)


def _label(shot: Shot) -> Caption:
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
        return title, "not measured", QUIET
    colour = PASSED if shot.accepted else FAILED
    return title, "  ·  ".join(measured), colour
