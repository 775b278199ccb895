"""Cards that count: a row for each value of an axis, with a box for each shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .canvas import CARD, INK, LINE, QUIET, Page, shortened

WIDTH, MARGIN, GAP = 1600, 64, 26
PADDING = 24
TOP = 246
"""Where what stands below the head begins."""

_CARD_WIDTH = (WIDTH - 2 * MARGIN - GAP) / 2
_ROW, _TITLE, _LABEL, _NUMBER = 38, 44, 300, 112


@dataclass(frozen=True)
class Tally:
    """A row. parts: how many boxes of which colour, from the left. says: at the row's end."""

    label: str
    parts: tuple[tuple[int, str], ...]
    says: str
    colour: str = INK


@dataclass(frozen=True)
class TallyCard:
    """An axis and its rows."""

    title: str
    rows: tuple[Tally, ...]

    @property
    def height(self) -> int:
        return 2 * PADDING + _TITLE + _ROW * len(self.rows) - 8


def axis_title(axis: str) -> str:
    """What stands above the values of ``axis``."""
    return "Light" if axis == "lighting" else axis.capitalize()


def cards_bottom(cards: Sequence[TallyCard]) -> int:
    """Where what stands below ``cards`` may begin, a gap included."""
    return TOP + max(_height(part) for part in _columns(cards))


def draw_head(
    page: Page, kicker: str, title: str, facts: str, legend: Sequence[tuple[str, str]]
) -> None:
    """What the page is, its main sentence, what else there is to know, and the colours."""
    page.text((MARGIN, 60), kicker.rstrip(), 20, QUIET)
    page.text((MARGIN, 100), title, 52, INK, bold=True)
    page.text((MARGIN, 180), facts, 22, QUIET)
    page.legend(WIDTH - MARGIN, 182, legend)


def draw_cards(page: Page, cards: Sequence[TallyCard]) -> None:
    """``cards`` in two columns; a box is as wide in every row, so that their lengths compare."""
    most = max((sum(n for n, _ in row.parts) for card in cards for row in card.rows), default=1)
    slot = min(26.0, (_CARD_WIDTH - 2 * PADDING - _LABEL - _NUMBER) / max(most, 1))
    for number, column in enumerate(_columns(cards)):
        top = TOP
        for card in column:
            _draw(page, card, MARGIN + number * (_CARD_WIDTH + GAP), top, slot)
            top += card.height + GAP


def draw_card(page: Page, title: str, left: float, top: float, right: float, bottom: float) -> None:
    """An empty card with its title."""
    page.box(left, top, right, bottom, CARD, 14)
    page.text((left + PADDING, top + PADDING - 2), title, 24, INK, bold=True)


def _columns(cards: Sequence[TallyCard]) -> tuple[Sequence[TallyCard], Sequence[TallyCard]]:
    """The cards, in their order, in two columns of about the same height."""
    cut = min(range(len(cards) + 1), key=lambda at: abs(_height(cards[:at]) - _height(cards[at:])))
    return cards[:cut], cards[cut:]


def _height(cards: Sequence[TallyCard]) -> int:
    return sum(card.height + GAP for card in cards)


def _draw(page: Page, card: TallyCard, left: float, top: float, slot: float) -> None:
    start, end = left + PADDING + _LABEL, left + _CARD_WIDTH - PADDING
    draw_card(page, card.title, left, top, left + _CARD_WIDTH, top + card.height)
    page.box(left + PADDING, top + PADDING + 36, end, top + PADDING + 37, LINE)
    for number, row in enumerate(card.rows):
        middle = top + PADDING + _TITLE + 8 + _ROW * number + 8
        label = shortened(row.label, 20, _LABEL - 20)
        page.text((left + PADDING, middle), label, 20, row.colour, anchor="lm")
        fills = [colour for count, colour in row.parts for _ in range(count)]
        for place, fill in enumerate(fills):
            x = start + place * slot
            page.box(x, middle - 9, x + slot - min(4.0, slot / 4), middle + 9, fill, 4)
        page.text((end, middle), row.says, 19, row.colour, anchor="rm")
