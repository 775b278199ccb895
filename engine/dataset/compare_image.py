"""Two states of a character as one picture: its coverage then and now, and what came and went."""

from __future__ import annotations

from itertools import groupby

import torch

from ..core.character import Shot
from ..drawing.canvas import BLUE, GREEN, INK, PINK, QUIET, Page
from ..drawing.contact_sheet import Cells
from ..drawing.tallies import (
    GAP,
    MARGIN,
    PADDING,
    WIDTH,
    Tally,
    TallyCard,
    axis_title,
    cards_bottom,
    draw_card,
    draw_cards,
    draw_head,
)
from .compare import Comparison, ValueChange

KEPT, GAINED, LOST = BLUE, GREEN, PINK
MOST_VALUES, MOST_ROWS = 20, 3
TITLE, THUMB, BETWEEN = 44, 132, 12
IN_A_ROW = int((WIDTH - 2 * MARGIN - 2 * PADDING + BETWEEN) // (THUMB + BETWEEN))


def comparison_image(comparison: Comparison) -> torch.Tensor:
    """The comparison as (H, 1600, 3) float32 in 0..1.

    A row has a box for each shot: blue where it was and is, green where it is new, red where it is
    gone. Below stand the pictures that were added, taken in, removed and left out.
    """
    cards = [
        _card(axis, list(rows)) for axis, rows in groupby(comparison.rows, lambda row: row.axis)
    ]
    tops = [cards_bottom(cards)]
    for _, shots in comparison.groups:
        tops.append(int(_strip(tops[-1]).bottom(len(_shown(shots)))) + PADDING + GAP)
    page = Page(WIDTH, tops[-1] - GAP + MARGIN)
    _head(page, comparison)
    draw_cards(page, cards)
    for (title, shots), top in zip(comparison.groups, tops, strict=False):
        _draw_strip(page, title, shots, top)
    return page.tensor()


def _card(axis: str, rows: list[ValueChange]) -> TallyCard:
    title = axis_title(axis)
    if len(rows) > MOST_VALUES:
        title += f", {MOST_VALUES} of {len(rows)}"
    return TallyCard(title, tuple(map(_tally, rows[:MOST_VALUES])))


def _tally(row: ValueChange) -> Tally:
    kept = min(row.before, row.after)
    parts = (kept, KEPT), (row.before - kept, LOST), (row.after - kept, GAINED)
    if row.before == row.after:
        return Tally(row.label, parts, str(row.after), QUIET)
    return Tally(row.label, parts, f"{row.before} to {row.after}", INK)


def _head(page: Page, comparison: Comparison) -> None:
    was, now = (len(one.dataset) for one in (comparison.before, comparison.after))
    title = "Nothing has changed." if comparison.same else f"{was} images before, {now} after."
    facts = [f"{len(shots)} {title.lower()}" for title, shots in comparison.groups]
    if comparison.recaptioned:
        facts.append(f"{len(comparison.recaptioned)} with a changed caption")
    legend = (("gone", LOST), ("new", GAINED), ("as before", KEPT))
    draw_head(page, f"Facet versions   {comparison.after.name}", title, ", ".join(facts), legend)


def _shown(shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
    return shots[: MOST_ROWS * IN_A_ROW]


def _strip(top: float) -> Cells:
    """Where the thumbnails of a strip that begins at ``top`` stand."""
    return Cells(IN_A_ROW, THUMB, THUMB, MARGIN + PADDING, top + PADDING + TITLE, BETWEEN)


def _draw_strip(page: Page, title: str, shots: tuple[Shot, ...], top: float) -> None:
    shown, cells = _shown(shots), _strip(top)
    more = f", the first {len(shown)} of them" if len(shown) < len(shots) else ""
    bottom = cells.bottom(len(shown)) + PADDING
    draw_card(page, f"{title}: {len(shots)}{more}", MARGIN, top, WIDTH - MARGIN, bottom)
    for number, shot in enumerate(shown):
        page.picture(shot.image, cells.at(number), (THUMB, THUMB), cover=True)
