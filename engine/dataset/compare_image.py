"""Two states of a character as one picture: its coverage then and now, and what came and went."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import torch
from PIL import Image, ImageFont, ImageOps

from ..core.character import Shot, quantise
from ..drawing.canvas import CARD, INK, LINE, QUIET, SCALE, Page
from .compare import Comparison, Row

KEPT, GAINED, LOST = "#0b62ad", "#2e8b57", "#d9a5a0"
WIDTH, MARGIN, GAP = 1600, 64, 26
TOP, ROW, PADDING, TITLE = 246, 38, 24, 44
CARD_WIDTH = (WIDTH - 2 * MARGIN - GAP) / 2
LABEL, NUMBER, MOST_VALUES = 300, 112, 20
THUMB, BETWEEN, MOST_ROWS = 132, 12, 3
IN_A_ROW = int((WIDTH - 2 * MARGIN - 2 * PADDING + BETWEEN) // (THUMB + BETWEEN))


def comparison_image(comparison: Comparison) -> torch.Tensor:
    """The comparison as (H, 1600, 3) float32 in 0..1.

    A row has a box for each shot: blue where it was and is, green where it is new, red where it is
    gone. Below stand the pictures that were added, taken in, removed and left out.
    """
    cards = [
        _titled(axis, list(rows)) for axis, rows in groupby(comparison.rows, lambda row: row.axis)
    ]
    columns = _columns(cards)
    below = TOP + max(sum(_height(rows) + GAP for _, rows in column) for column in columns)
    strips = [(title, shots, _strip_height(shots)) for title, shots in comparison.groups]
    page = Page(WIDTH, int(below + sum(height + GAP for *_, height in strips) - GAP + MARGIN))
    _head(page, comparison)
    most = max((max(row.before, row.after) for row in comparison.rows), default=1)
    slot = min(26.0, (CARD_WIDTH - 2 * PADDING - LABEL - NUMBER) / max(most, 1))
    for number, column in enumerate(columns):
        top = float(TOP)
        for title, rows in column:
            _card(page, title, rows, MARGIN + number * (CARD_WIDTH + GAP), top, slot)
            top += _height(rows) + GAP
    for title, shots, height in strips:
        _strip(page, title, shots, below, height)
        below += height + GAP
    return torch.from_numpy(np.array(page.finished())).to(torch.float32) / 255


Card = tuple[str, list[Row]]


def _titled(axis: str, rows: list[Row]) -> Card:
    """What stands above the rows of an axis, and those of them that are shown."""
    title = "Light" if axis == "lighting" else axis.capitalize()
    if len(rows) <= MOST_VALUES:
        return title, rows
    return f"{title}, {MOST_VALUES} of {len(rows)}", rows[:MOST_VALUES]


def _columns(cards: list[Card]) -> tuple[list[Card], list[Card]]:
    """The cards, in their order, in two columns of about the same height."""

    def uneven(cut: int) -> float:
        heights = [
            sum(_height(rows) + GAP for _, rows in part) for part in (cards[:cut], cards[cut:])
        ]
        return abs(heights[0] - heights[1])

    cut = min(range(len(cards) + 1), key=uneven)
    return cards[:cut], cards[cut:]


def _height(rows: list[Row]) -> float:
    return 2 * PADDING + TITLE + ROW * len(rows) - 8


def _strip_height(shots: tuple[Shot, ...]) -> float:
    rows = min(MOST_ROWS, -(-len(shots) // IN_A_ROW))
    return 2 * PADDING + TITLE + rows * (THUMB + BETWEEN) - BETWEEN


def _head(page: Page, comparison: Comparison) -> None:
    page.text((MARGIN, 60), f"Facet versions   {comparison.after.name}", 20, QUIET)
    was, now = (len(one.dataset) for one in (comparison.before, comparison.after))
    title = "Nothing has changed." if comparison.same else f"{was} pictures before, {now} after."
    page.text((MARGIN, 100), title, 52, INK, bold=True)
    facts = [f"{len(shots)} {title.lower()}" for title, shots in comparison.groups]
    if comparison.recaptioned:
        facts.append(f"{len(comparison.recaptioned)} with another caption")
    page.text((MARGIN, 180), ", ".join(facts), 22, QUIET)
    x = float(WIDTH - MARGIN)
    for text, colour in (("gone", LOST), ("new", GAINED), ("as before", KEPT)):
        page.text((x, 182), text, 20, QUIET, anchor="ra")
        x -= ImageFont.load_default(20).getlength(text) + 12
        page.box(x - 20, 184, x, 204, colour, 4)
        x -= 48


def _card(page: Page, title: str, rows: list[Row], left: float, top: float, slot: float) -> None:
    page.box(left, top, left + CARD_WIDTH, top + _height(rows), CARD, 14)
    page.text((left + PADDING, top + PADDING - 2), title, 24, INK, bold=True)
    start, end = left + PADDING + LABEL, left + CARD_WIDTH - PADDING
    page.box(left + PADDING, top + PADDING + 36, end, top + PADDING + 37, LINE)
    for number, row in enumerate(rows):
        middle = top + PADDING + TITLE + 8 + ROW * number + 8
        colour = QUIET if row.before == row.after else INK
        page.text((left + PADDING, middle), _fitting(row.label), 20, colour, anchor="lm")
        for at in range(max(row.before, row.after)):
            x = start + at * slot
            fill = KEPT if at < min(row.before, row.after) else LOST
            fill = GAINED if row.before <= at < row.after else fill
            page.box(x, middle - 9, x + slot - min(4.0, slot / 4), middle + 9, fill, 4)
        counts = str(row.after) if row.before == row.after else f"{row.before} to {row.after}"
        page.text((end, middle), counts, 19, colour, anchor="rm")


def _strip(page: Page, title: str, shots: tuple[Shot, ...], top: float, height: float) -> None:
    page.box(MARGIN, top, WIDTH - MARGIN, top + height, CARD, 14)
    shown = shots[: MOST_ROWS * IN_A_ROW]
    more = f", the first {len(shown)} of them" if len(shown) < len(shots) else ""
    page.text((MARGIN + PADDING, top + PADDING - 2), f"{title}: {len(shots)}{more}", 24, INK, True)
    for number, shot in enumerate(shown):
        x = MARGIN + PADDING + number % IN_A_ROW * (THUMB + BETWEEN)
        y = top + PADDING + TITLE + number // IN_A_ROW * (THUMB + BETWEEN)
        side = (THUMB * SCALE, THUMB * SCALE)
        small = ImageOps.fit(Image.fromarray(quantise(shot.image).numpy()), side)
        page.image.paste(small, (round(x * SCALE), round(y * SCALE)))


def _fitting(label: str) -> str:
    """``label``, cut where it is longer than its column."""
    font = ImageFont.load_default(20)
    if font.getlength(label) <= LABEL - 20:
        return label
    while label and font.getlength(f"{label}...") > LABEL - 20:
        label = label[:-1]
    return f"{label.rstrip()}..."
