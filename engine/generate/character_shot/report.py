"""What came of it in words, and every try on one sheet with the kept one marked."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ...drawing.canvas import BLUE, CARD, INK, LINE, ORANGE, QUIET, Page, wrapped
from ...drawing.contact_sheet import Cells
from .make import CharacterAttempt, PromptResult

KEPT, FAILED = BLUE, ORANGE
TILE, GAP, MARGIN, FOOT, HEAD = 256, 24, 32, 88, 40
ROWS = 40


def score_text(one: CharacterAttempt) -> str:
    """As in 'score 0.84', 'cosine 0.71' or 'not measured'."""
    verdict = one.verdict
    if verdict.score is not None:
        return f"score {verdict.score:.2f}"
    return "not measured" if verdict.cosine is None else f"cosine {verdict.cosine:.2f}"


def report(pictures: Sequence[PromptResult], who: str, notes: Sequence[str]) -> str:
    """All that was made, line by line: scores, tries, why, and what contradicts the character."""
    good = sum(one.kept.verdict.passed for one in pictures)
    found = sum(one.found for picture in pictures for one in picture.tries)
    total = sum(len(picture.tries) for picture in pictures)
    lines = [
        f"{who}: {good} of {len(pictures)} pictures pass, {total} attempts"
        + (f", {found} of them from disk." if found else ".")
    ]
    warned = set()
    for picture in pictures:
        for conflict in picture.conflicts:
            if (picture.prompt, conflict) not in warned:
                warned.add((picture.prompt, conflict))
                lines.append(f"Warning: '{picture.prompt}' {conflict.text}.")
    for number, picture in enumerate(pictures, 1):
        kept = picture.kept
        mark = "passes" if kept.verdict.passed else f"kept although {kept.verdict.note}"
        lines.append(
            f"{number}. {score_text(kept)}, attempt {picture.best + 1} of {len(picture.tries)}, "
            f"LoRA at {kept.attempt.lora_strength:g}, seed {kept.attempt.seed}: {mark}."
        )
        lines.append(f"   {kept.attempt.prompt}")
        for attempt, one in enumerate(picture.tries, 1):
            if attempt > 1:
                lines.append(f"   attempt {attempt}: {one.attempt.reason}")
            if one is not kept or not one.verdict.passed:
                told = one.verdict.note or "nothing wrong"
                lines.append(f"   attempt {attempt} had {score_text(one)}: {told}")
    return "\n".join([*lines, *notes])


def sheet(pictures: Sequence[PromptResult]) -> torch.Tensor:
    """Every try, one row a picture, the kept one framed: (H, W, 3) float32 in 0..1.

    Of more than 40 pictures the first 40 are drawn, and the rest counted.
    """
    left_out, pictures = len(pictures) - ROWS, pictures[:ROWS]
    columns = max(len(picture.tries) for picture in pictures)
    ratio = max(one.kept.image.shape[0] / one.kept.image.shape[1] for one in pictures)
    tall = round(TILE * min(ratio, 2.0))
    cells = Cells(columns, TILE, tall, MARGIN, MARGIN + HEAD, GAP, row_gap=HEAD + FOOT)
    width = int(cells.right()) + MARGIN
    bottom = int(cells.bottom(len(pictures) * columns)) + FOOT
    page = Page(width, bottom + MARGIN + (HEAD if left_out > 0 else 0))
    if left_out > 0:
        page.text((MARGIN, bottom), f"and {left_out} more", 17, QUIET)
    for row, picture in enumerate(pictures):
        prompt = "".join(wrapped(picture.prompt, 17, width - 2 * MARGIN, most=1))
        page.text((MARGIN, cells.corner(row, 0)[1] - HEAD), prompt, 17, bold=True)
        for column, one in enumerate(picture.tries):
            _tile(page, one, column == picture.best, *cells.corner(row, column), tall)
    return page.tensor()


def _tile(
    page: Page, one: CharacterAttempt, kept: bool, left: float, top: float, tall: int
) -> None:
    colour = KEPT if one.verdict.passed else FAILED
    if kept:
        page.box(left - 6, top - 6, left + TILE + 6, top + tall + FOOT - 24, colour, 10)
        page.box(left - 2, top - 2, left + TILE + 2, top + tall + FOOT - 28, CARD, 6)
    page.box(left, top, left + TILE, top + tall, LINE)
    page.picture(one.image, (left, top), (TILE, tall))
    said = f"{'kept · ' if kept else ''}{score_text(one)} · LoRA {one.attempt.lora_strength:g}"
    page.text((left + 6, top + tall + 8), said, 15, colour if kept else INK, bold=kept)
    why = one.verdict.note or ("nothing is wrong" if one.verdict.passed else "")
    page.lines((left + 6, top + tall + 28), why, 13, TILE - 12, 2, QUIET)
