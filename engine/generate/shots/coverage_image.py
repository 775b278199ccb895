"""A plan's coverage as one picture: axis by axis, what is there and what is to be made."""

from __future__ import annotations

from itertools import groupby

import torch

from ...drawing.canvas import BLUE, INK, PALE_BLUE, QUIET, Page
from ...drawing.tallies import (
    GAP,
    MARGIN,
    TOP,
    WIDTH,
    Tally,
    TallyCard,
    axis_title,
    cards_bottom,
    draw_cards,
    draw_head,
)
from .coverage import Coverage, CoverageRow

THERE, MISSING = BLUE, PALE_BLUE


def coverage_image(coverage: Coverage, name: str = "") -> torch.Tensor:
    """The coverage as (H, 1600, 3) float32 in 0..1; ``name`` is the character's."""
    cards = [
        TallyCard(axis_title(axis), tuple(map(_tally, rows)))
        for axis, rows in groupby(coverage.rows, lambda row: row.axis)
    ]
    page = Page(WIDTH, max(cards_bottom(cards), TOP + GAP) - GAP + MARGIN)
    there = coverage.wanted - coverage.missing
    shots = "shot" if coverage.missing == 1 else "shots"
    todo = f"{coverage.missing} {shots} to make."
    title = todo if coverage.missing else "Every shot of this plan is there."
    facts = f"{coverage.wanted} planned, {there} there already"
    legend = (("to make", MISSING), ("there", THERE))
    draw_head(page, f"Facet shot plan   {name}", title, facts, legend)
    draw_cards(page, cards)
    return page.tensor()


def _tally(row: CoverageRow) -> Tally:
    parts = (row.have, THERE), (row.missing, MISSING)
    return Tally(row.label, parts, f"{row.have} of {row.wanted}", INK if row.missing else QUIET)
