"""What a plan wants of each kind of shot, and what the character has of it already."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import torch

from ...core.character import Character, Shot
from ...core.vocabulary import VOCABULARY, in_order, phrase
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
from ...vision.faces import find_head
from ...vision.showing import face_tags
from .plan import ShotPlan

THERE, MISSING = BLUE, PALE_BLUE


@dataclass(frozen=True)
class CoverageRow:
    """One value of one axis: how many shots are wanted, and how many of those are there."""

    axis: str
    value: str
    label: str
    wanted: int
    have: int

    @property
    def missing(self) -> int:
        """How many are still to be made."""
        return self.wanted - self.have


@dataclass(frozen=True)
class Coverage:
    """A plan against a character. wanted, missing: shots; rows: axis by axis, in caption order."""

    wanted: int
    missing: int
    rows: tuple[CoverageRow, ...]

    def record(self) -> dict[str, Any]:
        rows = [asdict(row) | {"missing": row.missing} for row in self.rows]
        return {"wanted": self.wanted, "missing": self.missing, "rows": rows}

    def table(self) -> str:
        head = f"{self.wanted} shots planned, {self.wanted - self.missing} there, "
        lines = [f"{head}{self.missing} to make"]
        width = max((len(row.label) for row in self.rows), default=0)
        axis = ""
        for row in self.rows:
            if row.axis != axis:
                axis = row.axis
                lines += ["", axis.capitalize()]
            lines.append(f"  {row.label:<{width}}  {row.have:>3} of {row.wanted:>3}")
        return "\n".join(lines)


def coverage(plan: ShotPlan, character: Character | None = None) -> Coverage:
    """What ``plan`` wants, and what of it ``character`` has."""
    covered = [False] * len(plan.requests)
    if character is not None:
        pictures = [(shot.tags, shot.provenance) for shot in character.dataset]
        covered = plan.covered_by(pictures)
    wanted = plan.coverage()
    there = ShotPlan(
        tuple(request for request, done in zip(plan.requests, covered, strict=True) if done)
    ).coverage()
    rows = [
        CoverageRow(axis, value, phrase(axis, value), wanted[axis][value], there[axis][value])
        for axis in VOCABULARY
        for value in in_order(axis, wanted[axis])
    ]
    return Coverage(len(covered), len(covered) - sum(covered), tuple(rows))


def looked_at(character: Character, face_model: Any) -> Character:
    """``character`` with the view and framing of untagged pictures as its faces show them.

    face_model: a FACE_DETECTION_MODEL. What is tagged is left as it is.
    """

    def tagged(shot: Shot) -> Shot:
        if shot.tags.view and shot.tags.framing:
            return shot
        face, tags = find_head(face_model, shot.image), shot.tags
        seen = face_tags(face, shot.size[0], face_model)
        view, framing = tags.view or seen.view, tags.framing or seen.framing
        return shot.changed(tags=replace(tags, view=view, framing=framing))

    return character.mapped(tagged)


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
