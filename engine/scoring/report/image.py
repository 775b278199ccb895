"""The report at a glance as one image: the verdict, the numbers, every pair, and the best map."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image, ImageFont

from ...core.character import Character, quantise
from ...drawing.canvas import CARD, INK, LINE, PAPER, QUIET, SCALE, Page
from ..evaluate import Evaluation
from ..metrics import COPIES, IDENTITY, Metric
from ..protocol import SCENE, TRIGGER
from ..sample import ScoredSample
from ..text import MINUS, TIMES, images, score_of, words_of
from ..variant import Variant
from .material import BASELINE, Material, ScoredImage, lora_name, short_name
from .numbers import Number, numbers_of
from .page import sentences

ON, OFF_COLOUR, CHIP = "#0b62ad", "#b5520a", "#1d2126"
LEAST, MOST = (238, 243, 249), (10, 61, 112)
WIDTH, MARGIN = 1600, 64
COLUMNS, TILE, GAP = 4, 174, 26
CAPTION, HEADING = 84, 48
NUMBER, CELL, NAME = 132, 40, 230
MOST_PAIRS, MOST_TRIGGERS, MOST_ROWS = 12, 8, 20


Part = Callable[["_Sheet", Material, float], float]
"""Draws a part of the report from a height on, and returns where the next begins."""


def report_image(character: Character, evaluation: Evaluation) -> torch.Tensor:
    """The report as (H, 1600, 3) float32 in 0..1: original, samples, and the numbers."""
    of = Material(character, evaluation)
    parts = (_header, _numbers, _pairs, _triggers, _map)
    # Drawn once on a page of no height, to learn how high it has to be.
    height = _drawn(_Sheet(1), of, parts)
    sheet = _Sheet(round(height) + 24)
    _drawn(sheet, of, parts)
    return sheet.tensor()


class _Sheet(Page):
    """The report's page."""

    def __init__(self, height: int) -> None:
        super().__init__(WIDTH, height)

    def wrapped(
        self,
        at: tuple[float, float],
        text: str,
        size: int,
        width: float,
        lines: int = 6,
        colour: str = INK,
        bold: bool = False,
    ) -> float:
        """Writes ``text`` over at most ``lines`` lines; returns where the next line would begin."""
        font = ImageFont.load_default(size)
        fit = max(8, int(width / (font.getlength("abcdefghij klmnopqrst") / 21) * 0.96))
        wrapped = textwrap.wrap(text, fit, max_lines=lines, placeholder=" ...")
        for number, line in enumerate(wrapped):
            self.text((at[0], at[1] + number * size * 1.28), line, size, colour, bold)
        return at[1] + len(wrapped) * size * 1.28

    def picture(self, image: torch.Tensor, at: tuple[float, float], side: int) -> None:
        """``image`` as large as fits a square of ``side``, in its middle."""
        if at[1] * SCALE >= self.image.height:
            return
        picture = Image.fromarray(quantise(image).numpy())
        scale = side * SCALE / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        self.box(at[0], at[1], at[0] + side, at[1] + side, LINE)
        left = round(at[0] * SCALE + (side * SCALE - size[0]) / 2)
        self.image.paste(picture, (left, round(at[1] * SCALE + (side * SCALE - size[1]) / 2)))

    def made(self, made: ScoredImage, at: tuple[float, float], on: bool) -> None:
        """A picture of ``TILE`` px with its similarity in the corner."""
        self.picture(made.image, at, TILE - 2)
        left, top = at
        self.box(left + 7, top + TILE - 34, left + 89, top + TILE - 10, CHIP, 6)
        says = f"{'on' if on else 'off'} {score_of(made.sample)}".replace(MINUS, "-")
        self.text((left + 14, top + TILE - 31), says, 16, "#74b9f5" if on else "#f2a65e")

    def tensor(self) -> torch.Tensor:
        return torch.from_numpy(np.array(self.finished())).to(torch.float32) / 255


def _drawn(sheet: _Sheet, of: Material, parts: Sequence[Part]) -> float:
    y = 60.0
    for part in parts:
        y = part(sheet, of, y)
    return y


def _header(sheet: _Sheet, of: Material, top: float) -> float:
    card = of.card
    first, *rest = sentences(card.verdict.replace(MINUS, "-"))
    title = f"Facet identity report   {card.character}   {card.trigger} {card.class_word}"
    sheet.text((MARGIN, top), title, 20, QUIET)
    y = sheet.wrapped((MARGIN, top + 40), first, 48, 1140, 4, bold=True)
    for text in (" ".join(rest), *card.notes):
        if text:
            start = y + 16
            y = sheet.wrapped((MARGIN + 18, start), text, 21, 1100, 6)
            sheet.box(MARGIN, start, MARGIN + 4, y, OFF_COLOUR)
    y = sheet.wrapped((MARGIN, y + 16), f"Measured as {of.measured_by}.", 18, 1100, 2, QUIET)
    sheet.picture(of.character.source.image, (WIDTH - MARGIN - 240, top + 4), 240)
    sheet.text((WIDTH - MARGIN - 240, top + 254), "The original", 17, QUIET)
    return max(y, top + 280) + 26


def _numbers(sheet: _Sheet, of: Material, top: float) -> float:
    width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    found = numbers_of(of)
    for place, number in enumerate(found):
        left = MARGIN + place % COLUMNS * (width + GAP)
        _number(sheet, number, left, top + place // COLUMNS * (NUMBER + GAP), width)
    return top + -(-len(found) // COLUMNS) * (NUMBER + GAP) + 20


def _number(sheet: _Sheet, number: Number, left: float, top: float, width: float) -> None:
    sheet.box(left, top, left + width, top + NUMBER, CARD, 14)
    sheet.text((left + 20, top + 16), number.label, 18, INK, bold=True)
    value = number.value
    if value.value is None:
        sheet.text((left + 20, top + 50), "not measured", 28, QUIET)
        return
    sheet.text((left + 20, top + 42), number.big.replace(MINUS, "-"), 42, INK, True)
    says = f"{number.unit.interval(value)}, {images(value.count)}".replace(MINUS, "-")
    if number.off is not None:
        off = number.unit.text(number.off).replace(MINUS, "-")
        sheet.text((left + width - 20, top + 62), f"{BASELINE} {off}", 17, OFF_COLOUR, anchor="ra")
    sheet.text((left + 20, top + 98), says, 17, QUIET)


def _pairs(sheet: _Sheet, of: Material, top: float) -> float:
    pairs = list(of.pairs(SCENE))
    title = f"Without LoRA and with it ({short_name(of.card.best)}): same scene, same seed"
    if len(pairs) > MOST_PAIRS:
        title += f", the first {MOST_PAIRS} of {len(pairs)}"
    sheet.text((MARGIN, top), title.replace(TIMES, "x"), 24, bold=True)
    for place, (off, on) in enumerate(pairs[:MOST_PAIRS]):
        left = MARGIN + place % COLUMNS * (2 * TILE + GAP)
        y = top + HEADING + place // COLUMNS * (TILE + CAPTION)
        sheet.made(off, (left, y), on=False)
        sheet.made(on, (left + TILE, y), on=True)
        copied = on.sample.nearest.copied
        words = f"{'Repeats a training image. ' if copied else ''}{_short_words(on.sample)}"
        sheet.wrapped((left, y + TILE + 8), words, 16, 2 * TILE, 3, OFF_COLOUR if copied else QUIET)
    rows = -(-min(len(pairs), MOST_PAIRS) // COLUMNS)
    return top + HEADING + rows * (TILE + CAPTION) + 12


def _triggers(sheet: _Sheet, of: Material, top: float) -> float:
    pairs = list(of.pairs(TRIGGER))[:MOST_TRIGGERS]
    if not pairs:
        return top
    sheet.text((MARGIN, top), "Prompted with the trigger only", 24, bold=True)
    for place, (off, on) in enumerate(pairs):
        left = MARGIN + place * (TILE + 10)
        sheet.made(off, (left, top + HEADING), on=False)
        sheet.made(on, (left, top + HEADING + TILE + 4), on=True)
    return top + HEADING + 2 * TILE + 40


def _map(sheet: _Sheet, of: Material, top: float) -> float:
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
        sheet.text((left, top), title, 24, bold=True)
        for column, strength in enumerate(strengths):
            x = left + NAME + (column + 0.5) * wide
            sheet.text((x, top + 50), f"x {strength:g}", 17, QUIET, anchor="mm")
        for row, name in enumerate(names):
            sheet.text((left, top + 66 + (row + 0.5) * CELL), name[:24], 18, INK, anchor="lm")
        # The chosen one comes last: its frame lies over the cells beside it.
        for one in sorted(tried, key=lambda one: one is of.chosen):
            if lora_name(one) in names:
                x = left + NAME + strengths.index(one.strength) * wide
                y = top + 66 + names.index(lora_name(one)) * CELL
                _cell(sheet, one, (x, y), wide, metric, one is of.chosen)
    return top + 66 + len(names) * CELL + 30


def _cell(
    sheet: _Sheet, one: Variant, at: tuple[float, float], wide: float, metric: Metric, chosen: bool
) -> None:
    value = one[metric].value or 0.0
    good = metric.good(value)
    (x, y), right, bottom = at, at[0] + wide - 2, at[1] + CELL - 2
    mixed = (round(a + (b - a) * good) for a, b in zip(LEAST, MOST, strict=True))
    if chosen:
        sheet.box(x - 3, y - 3, right + 3, bottom + 3, OFF_COLOUR, 7)
        sheet.box(x, y, right, bottom, PAPER, 5)
    sheet.box(x, y, right, bottom, "#{:02x}{:02x}{:02x}".format(*mixed), 5)
    says = metric.unit.text(value).replace(MINUS, "-")
    middle = ((x + right) / 2, (y + bottom) / 2)
    sheet.text(middle, says, 18, PAPER if good > 0.6 else INK, chosen, "mm")


def _short_words(sample: ScoredSample) -> str:
    tags = sample.prompt.tags.phrases(skip=("pose", "lighting"))
    return sample.prompt.words or ", ".join(tags) or words_of(sample)
