"""A report at a glance: what the node's panel shows of it, as JSON values."""

from __future__ import annotations

from typing import Any

from ...core.character import Character
from ..evaluate import Evaluation
from ..metrics import COPIES, HELD_OUT, IDENTITY, VIEWS
from ..text import score_of, words_of
from .material import Material, ScoredImage
from .numbers import HeatMap, maps
from .samples import by_faults, tile

NAME = "summary.json"
SIDE = 192


def glance(character: Character, evaluation: Evaluation) -> dict[str, Any]:
    """The verdict, a few numbers with the baseline's, the map of similarity, best and worst image.

    Numbers are texts; one that was not measured is a dash. The map is None where one LoRA at one
    strength was tried; an image is None where none was made.
    """
    of = Material(character, evaluation)
    card = of.card
    ranked = by_faults(of)
    return {
        "verdict": card.verdict,
        "numbers": {
            metric.name: [metric.unit.text(one[metric].value) for one in (card.best, card.off)]
            for metric in (IDENTITY, HELD_OUT, VIEWS, COPIES)
            if metric is not HELD_OUT or card.best[metric].value is not None
        },
        "map": next((_map(one) for one in maps(of) if one.title == of.label(IDENTITY)), None),
        "best": _image(ranked[-1][1]) if ranked else None,
        "worst": _image(ranked[0][1]) if ranked else None,
    }


def _map(one: HeatMap) -> dict[str, Any]:
    """Rows of cells: text, how good in percent, whether it was chosen."""
    return {
        "strengths": list(one.strengths),
        "rows": [
            [name, [[cell.text, cell.good or None, cell.chosen] for cell in cells]]
            for name, cells in one.rows
        ],
    }


def _image(one: ScoredImage) -> dict[str, Any]:
    shown = tile(one.image, words_of(one.sample), score_of(one.sample), "on", SIDE)
    return {"source": shown.source, "words": shown.says, "score": shown.chip}
