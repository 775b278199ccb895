"""A plan's coverage as one picture: axis by axis, what is there and what is to be made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import ImageFont

from ...drawing.canvas import CARD, INK, LINE, QUIET, Page
from .coverage import Coverage, CoverageRow

THERE, MISSING = "#0b62ad", "#a9c8e4"
WIDTH, MARGIN, GAP = 1600, 64, 26
CARD_WIDTH = (WIDTH - 2 * MARGIN - GAP) / 2
TOP, ROW, PADDING = 246, 38, 24
LABEL, NUMBER = 320, 92
TITLES = {"lighting": "Light"}


@dataclass(frozen=True)
class _Card:
    """One axis and its rows."""

    axis: str
    rows: tuple[CoverageRow, ...]

    @property
    def height(self) -> int:
        return 2 * PADDING + 44 + ROW * len(self.rows) - 8


def coverage_image(coverage: Coverage, name: str = "") -> torch.Tensor:
    """The coverage as (H, 1600, 3) float32 in 0..1; ``name`` is the character's."""
    columns = _columns(coverage)
    heights = [sum(card.height + GAP for card in column) for column in columns]
    page = Page(WIDTH, TOP + max([*heights, GAP]) - GAP + MARGIN)
    _head(page, coverage, name)
    slot = _slot(coverage)
    for number, column in enumerate(columns):
        top = TOP
        for card in column:
            _draw(page, card, MARGIN + number * (CARD_WIDTH + GAP), top, slot)
            top += card.height + GAP
    return torch.from_numpy(np.array(page.finished())).to(torch.float32) / 255


def _columns(coverage: Coverage) -> tuple[list[_Card], list[_Card]]:
    """The cards, in their order, in two columns of about the same height."""
    axes = dict.fromkeys(row.axis for row in coverage.rows)
    cards = [_Card(axis, tuple(r for r in coverage.rows if r.axis == axis)) for axis in axes]

    def uneven(cut: int) -> int:
        left, right = cards[:cut], cards[cut:]
        return abs(sum(c.height + GAP for c in left) - sum(c.height + GAP for c in right))

    cut = min(range(len(cards) + 1), key=uneven)
    return cards[:cut], cards[cut:]


def _head(page: Page, coverage: Coverage, name: str) -> None:
    there = coverage.wanted - coverage.missing
    page.text((MARGIN, 60), f"Facet shot plan   {name}".rstrip(), 20, QUIET)
    todo = f"{coverage.missing} {_shots(coverage.missing)} to make."
    title = todo if coverage.missing else "Every shot of this plan is there."
    page.text((MARGIN, 100), title, 52, INK, bold=True)
    planned = f"{coverage.wanted} planned, {there} there already"
    page.text((MARGIN, 180), planned, 22, QUIET)
    x = float(WIDTH - MARGIN)
    for text, colour in (("to make", MISSING), ("there", THERE)):
        page.text((x, 182), text, 20, QUIET, anchor="ra")
        x -= ImageFont.load_default(20).getlength(text) + 12
        page.box(x - 20, 184, x, 204, colour, 4)
        x -= 48


def _draw(page: Page, card: _Card, left: float, top: float, slot: float) -> None:
    page.box(left, top, left + CARD_WIDTH, top + card.height, CARD, 14)
    title = TITLES.get(card.axis, card.axis.capitalize())
    page.text((left + PADDING, top + PADDING - 2), title, 24, INK, bold=True)
    start = left + PADDING + LABEL
    end, rule = left + CARD_WIDTH - PADDING, top + PADDING + 36
    page.box(left + PADDING, rule, end, rule + 1, LINE)
    for number, row in enumerate(card.rows):
        middle = top + PADDING + 44 + 8 + ROW * number + 8
        colour = INK if row.missing else QUIET
        label = _fitting(row.label, 20, LABEL - 20)
        page.text((left + PADDING, middle), label, 20, colour, anchor="lm")
        for at in range(row.wanted):
            x = start + at * slot
            filled = THERE if at < row.have else MISSING
            page.box(x, middle - 9, x + slot - min(4.0, slot / 4), middle + 9, filled, 4)
        number_text = f"{row.have} of {row.wanted}"
        page.text((end, middle), number_text, 19, colour, anchor="rm")


def _slot(coverage: Coverage) -> float:
    """Width of one shot's box, the same in every row, so that their lengths compare."""
    room = CARD_WIDTH - 2 * PADDING - LABEL - NUMBER
    return min(26.0, room / max((row.wanted for row in coverage.rows), default=1))


def _fitting(text: str, size: int, width: float) -> str:
    """``text``, cut to ``width`` px where it is longer."""
    font = ImageFont.load_default(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _shots(count: int) -> str:
    return "shot" if count == 1 else "shots"
