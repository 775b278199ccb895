"""The report at a glance as one image: the verdict, the numbers, every pair, and the best map."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from ...core.character import Character
from ...drawing.canvas import (
    CARD,
    INK,
    LINE,
    ON_DARK_BLUE,
    ON_DARK_ORANGE,
    ORANGE,
    PAPER,
    QUIET,
    Page,
)
from ..evaluate import Evaluation
from ..metrics import COPIES, IDENTITY, Metric
from ..protocol import SCENE, TRIGGER
from ..sample import ScoredSample
from ..text import MINUS, TIMES, images, score_of, words_of
from ..variant import Variant
from .material import BASELINE, Material, ScoredImage, lora_name, short_name
from .numbers import Number, numbers_of
from .page import sentences

LEAST, MOST = (238, 243, 249), (10, 61, 112)
WIDTH, MARGIN = 1600, 64
COLUMNS, TILE, GAP = 4, 174, 26
CAPTION, HEADING = 84, 48
NUMBER, CELL, NAME = 132, 40, 230
MOST_PAIRS, MOST_TRIGGERS, MOST_ROWS = 12, 8, 20


Part = Callable[[Page, Material, float], float]
"""Draws a part of the report from a height on, and returns where the next begins."""


def report_image(character: Character, evaluation: Evaluation) -> torch.Tensor:
    """The report as (H, 1600, 3) float32 in 0..1: original, samples, and the numbers."""
    of = Material(character, evaluation)
    parts = (_header, _numbers, _pairs, _triggers, _map)
    # Drawn once on a page of no height, to learn how high it has to be.
    height = _drawn(Page(WIDTH, 1), of, parts)
    page = Page(WIDTH, round(height) + 24)
    _drawn(page, of, parts)
    return page.tensor()


def _framed(page: Page, image: torch.Tensor, at: tuple[float, float], side: float) -> None:
    page.box(at[0], at[1], at[0] + side, at[1] + side, LINE)
    page.picture(image, at, (side, side))


def _made(page: Page, made: ScoredImage, at: tuple[float, float], on: bool) -> None:
    """A picture of ``TILE`` px with its similarity in the corner."""
    _framed(page, made.image, at, TILE - 2)
    left, top = at
    page.box(left + 7, top + TILE - 34, left + 89, top + TILE - 10, INK, 6)
    says = f"{'on' if on else 'off'} {score_of(made.sample)}".replace(MINUS, "-")
    colour = ON_DARK_BLUE if on else ON_DARK_ORANGE
    page.text((left + 14, top + TILE - 31), says, 16, colour)


def _drawn(page: Page, of: Material, parts: Sequence[Part]) -> float:
    y = 60.0
    for part in parts:
        y = part(page, of, y)
    return y


def _header(page: Page, of: Material, top: float) -> float:
    card = of.card
    first, *rest = sentences(card.verdict.replace(MINUS, "-"))
    title = f"Facet identity report   {card.character}   {card.trigger} {card.class_word}"
    page.text((MARGIN, top), title, 20, QUIET)
    y = page.lines((MARGIN, top + 40), first, 48, 1140, 4, bold=True)
    for text in (" ".join(rest), *card.notes):
        if text:
            start = y + 16
            y = page.lines((MARGIN + 18, start), text, 21, 1100, 6)
            page.box(MARGIN, start, MARGIN + 4, y, ORANGE)
    y = page.lines((MARGIN, y + 16), f"Measured as {of.measured_by}.", 18, 1100, 2, QUIET)
    _framed(page, of.character.source.image, (WIDTH - MARGIN - 240, top + 4), 240)
    page.text((WIDTH - MARGIN - 240, top + 254), "The original", 17, QUIET)
    return max(y, top + 280) + 26


def _numbers(page: Page, of: Material, top: float) -> float:
    width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    found = numbers_of(of)
    for place, number in enumerate(found):
        left = MARGIN + place % COLUMNS * (width + GAP)
        _number(page, number, left, top + place // COLUMNS * (NUMBER + GAP), width)
    return top + -(-len(found) // COLUMNS) * (NUMBER + GAP) + 20


def _number(page: Page, number: Number, left: float, top: float, width: float) -> None:
    page.box(left, top, left + width, top + NUMBER, CARD, 14)
    page.text((left + 20, top + 16), number.label, 18, INK, bold=True)
    value = number.value
    if value.value is None:
        page.text((left + 20, top + 50), "not measured", 28, QUIET)
        return
    page.text((left + 20, top + 42), number.big.replace(MINUS, "-"), 42, INK, True)
    says = f"{number.unit.interval(value)}, {images(value.count)}".replace(MINUS, "-")
    if number.off is not None:
        off = number.unit.text(number.off).replace(MINUS, "-")
        page.text((left + width - 20, top + 62), f"{BASELINE} {off}", 17, ORANGE, anchor="ra")
    page.text((left + 20, top + 98), says, 17, QUIET)


def _pairs(page: Page, of: Material, top: float) -> float:
    pairs = list(of.pairs(SCENE))
    title = f"Without LoRA and with it ({short_name(of.card.best)}): same scene, same seed"
    if len(pairs) > MOST_PAIRS:
        title += f", the first {MOST_PAIRS} of {len(pairs)}"
    page.text((MARGIN, top), title.replace(TIMES, "x"), 24, bold=True)
    for place, (off, on) in enumerate(pairs[:MOST_PAIRS]):
        left = MARGIN + place % COLUMNS * (2 * TILE + GAP)
        y = top + HEADING + place // COLUMNS * (TILE + CAPTION)
        _made(page, off, (left, y), on=False)
        _made(page, on, (left + TILE, y), on=True)
        copied = on.sample.nearest.copied
        words = f"{'Repeats a training image. ' if copied else ''}{_short_words(on.sample)}"
        page.lines((left, y + TILE + 8), words, 16, 2 * TILE, 3, ORANGE if copied else QUIET)
    rows = -(-min(len(pairs), MOST_PAIRS) // COLUMNS)
    return top + HEADING + rows * (TILE + CAPTION) + 12


def _triggers(page: Page, of: Material, top: float) -> float:
    pairs = list(of.pairs(TRIGGER))[:MOST_TRIGGERS]
    if not pairs:
        return top
    page.text((MARGIN, top), "Prompted with the trigger only", 24, bold=True)
    for place, (off, on) in enumerate(pairs):
        left = MARGIN + place * (TILE + 10)
        _made(page, off, (left, top + HEADING), on=False)
        _made(page, on, (left, top + HEADING + TILE + 4), on=True)
    return top + HEADING + 2 * TILE + 40


def _map(page: Page, of: Material, top: float) -> float:
    """Identity and copies of each checkpoint at each strength."""
    tried = [one for one in of.compared if one.identity.value is not None]
    if len(tried) < 2:
        return top
    names = list(dict.fromkeys(lora_name(one) for one in tried))[-MOST_ROWS:]
    strengths = sorted({one.strength for one in tried})
    half = (WIDTH - 2 * MARGIN - 60) / 2
    wide = min(110.0, (half - NAME) / len(strengths))
    for place, metric in enumerate((IDENTITY, COPIES)):
        left = MARGIN + place * (half + 60)
        title = f"{of.label(metric)}: {metric.better.value}"
        page.text((left, top), title, 24, bold=True)
        for column, strength in enumerate(strengths):
            x = left + NAME + (column + 0.5) * wide
            page.text((x, top + 50), f"x {strength:g}", 17, QUIET, anchor="mm")
        for row, name in enumerate(names):
            page.text((left, top + 66 + (row + 0.5) * CELL), name[:24], 18, INK, anchor="lm")
        # The chosen one comes last: its frame lies over the cells beside it.
        for one in sorted(tried, key=lambda one: one is of.chosen):
            if lora_name(one) in names:
                x = left + NAME + strengths.index(one.strength) * wide
                y = top + 66 + names.index(lora_name(one)) * CELL
                _cell(page, one, (x, y), wide, metric, one is of.chosen)
    return top + 66 + len(names) * CELL + 30


def _cell(
    page: Page, one: Variant, at: tuple[float, float], wide: float, metric: Metric, chosen: bool
) -> None:
    value = one[metric].value or 0.0
    good = metric.good(value)
    (x, y), right, bottom = at, at[0] + wide - 2, at[1] + CELL - 2
    mixed = (round(a + (b - a) * good) for a, b in zip(LEAST, MOST, strict=True))
    if chosen:
        page.box(x - 3, y - 3, right + 3, bottom + 3, ORANGE, 7)
        page.box(x, y, right, bottom, PAPER, 5)
    page.box(x, y, right, bottom, "#{:02x}{:02x}{:02x}".format(*mixed), 5)
    says = metric.unit.text(value).replace(MINUS, "-")
    middle = ((x + right) / 2, (y + bottom) / 2)
    page.text(middle, says, 18, PAPER if good > 0.6 else INK, chosen, "mm")


def _short_words(sample: ScoredSample) -> str:
    tags = sample.prompt.tags.phrases(skip=("pose", "lighting"))
    return sample.prompt.words or ", ".join(tags) or words_of(sample)
