"""The report as one picture: the verdict, three numbers, and every pair beside the original."""

from __future__ import annotations

import textwrap

import numpy as np
import torch
from PIL import Image, ImageFont

from ..character import Character, quantise
from ..page import CARD, INK, LINE, PAPER, QUIET, SCALE, Page
from .calibrate import Interval
from .condition import Condition, Sample
from .evaluate import OFF, Evaluation
from .score import ScoreCard

ON, OFF_COLOUR, CHIP = "#0b62ad", "#b5520a", "#1d2126"
WIDTH, MARGIN = 1600, 64
COLUMNS, TILE, GAP = 4, 174, 26
CAPTION = 96
LABEL, ROW = 360, 40


def report_image(character: Character, evaluation: Evaluation) -> torch.Tensor:
    """The report as (H, 1600, 3) float32 in 0..1: original, LoRA off and on, and the numbers."""
    card = evaluation.card
    pairs = _pairs_height(len(card.best.samples))
    header = 76 + max(280, _header_text(_Sheet(1), card))
    height = header + 24 + 150 + 40 + pairs + _chart_height(card) + 48
    sheet = _Sheet(height)
    _header_text(sheet, card)
    sheet.picture(character.source.image, (WIDTH - MARGIN - 240, 64), 240)
    sheet.text((WIDTH - MARGIN - 240, 314), "The one original", 17, QUIET)
    _numbers(sheet, card, header + 24)
    top = _pairs(sheet, evaluation, header + 214)
    _chart(sheet, card, top)
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

    def dot(self, x: float, y: float, colour: str, filled: bool) -> None:
        box = tuple(value * SCALE for value in (x - 7, y - 7, x + 7, y + 7))
        self.draw.ellipse(box, colour if filled else PAPER, colour, width=3 * SCALE)

    def picture(self, image: torch.Tensor, at: tuple[float, float], side: int) -> None:
        """``image`` as large as fits a square of ``side``, in its middle."""
        picture = Image.fromarray(quantise(image).numpy())
        scale = side * SCALE / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        self.box(at[0], at[1], at[0] + side, at[1] + side, LINE)
        left = round(at[0] * SCALE + (side * SCALE - size[0]) / 2)
        self.image.paste(picture, (left, round(at[1] * SCALE + (side * SCALE - size[1]) / 2)))

    def tensor(self) -> torch.Tensor:
        return torch.from_numpy(np.array(self.finished())).to(torch.float32) / 255


def _header_text(sheet: _Sheet, card: ScoreCard) -> int:
    first, _, rest = card.verdict.partition(". ")
    title = f"Facet identity report   {card.character}   {card.trigger} {card.class_word}"
    sheet.text((MARGIN, 60), title, 20, QUIET)
    y = sheet.wrapped((MARGIN, 100), first.rstrip(".") + ".", 52, 1140, 4, bold=True)
    for note in (rest, *card.notes):
        if note:
            top = y + 18
            y = sheet.wrapped((MARGIN + 18, top), note, 22, 1100, 4)
            sheet.box(MARGIN, top, MARGIN + 4, y, OFF_COLOUR)
    return round(y)


def _numbers(sheet: _Sheet, card: ScoreCard, top: int) -> None:
    beside = f"{card.best.alike} above one half; own shots 1"
    if card.best.identity.value is None:
        beside = f"plain cosine {card.best.cosine:.2f}, LoRA off {card.off.cosine:.2f}"
    words = card.words.identity.value if card.words else None
    if words is not None:
        beside = f"{card.best.alike} above one half; in words {words:.2f}"
    cells = (
        ("Identity", card.best.identity, False, beside),
        ("Right view", card.best.views, True, "pictures that show the view asked for"),
        ("Copies", card.best.copies, True, "pictures that repeat a training picture"),
    )
    width = (WIDTH - 2 * MARGIN - 2 * GAP) / 3
    for number, (name, interval, percent, text) in enumerate(cells):
        left = MARGIN + number * (width + GAP)
        sheet.box(left, top, left + width, top + 150, CARD, 14)
        sheet.text((left + 24, top + 20), name, 19, INK, bold=True)
        shown, spread = _shown(interval, percent)
        sheet.text(
            (left + 24, top + 48), shown, 50 if spread else 34, INK if spread else QUIET, True
        )
        if spread:
            sheet.text((left + width - 24, top + 74), spread, 20, QUIET, anchor="ra")
        sheet.text((left + 24, top + 114), text, 18, QUIET)


def _shown(interval: Interval, percent: bool) -> tuple[str, str]:
    """The value, and its interval and count; the second is empty when nothing was measured."""
    if interval.value is None or interval.low is None or interval.high is None:
        return "not measured", ""
    numbers = (interval.value, interval.low, interval.high)
    value, low, high = (f"{number:.0%}" if percent else f"{number:.2f}" for number in numbers)
    return value, f"{low} to {high}, {interval.count} pictures"


def _pairs_height(count: int) -> int:
    return 40 + -(-count // COLUMNS) * (TILE + CAPTION)


def _pairs(sheet: _Sheet, evaluation: Evaluation, top: int) -> int:
    card = evaluation.card
    sheet.text((MARGIN, top), "LoRA off and on: same prompt, same seed", 24, bold=True)
    rows = zip(
        card.off.samples,
        card.best.samples,
        evaluation.pictures[OFF],
        evaluation.pictures[card.best.label],
        strict=True,
    )
    for number, (off, best, off_image, best_image) in enumerate(rows):
        left = MARGIN + (number % COLUMNS) * (2 * TILE + GAP)
        y = top + 48 + (number // COLUMNS) * (TILE + CAPTION)
        sheet.picture(off_image, (left, y), TILE - 2)
        sheet.picture(best_image, (left + TILE, y), TILE - 2)
        _chip(sheet, off, left, y, "off")
        _chip(sheet, best, left + TILE, y, "on")
        words = ", ".join(best.prompt.tags.phrases(skip=("pose", "lighting")))
        if best.nearest.copied:
            words = f"Repeats a training picture. {words}"
        colour = OFF_COLOUR if best.nearest.copied else QUIET
        sheet.wrapped((left, y + TILE + 8), words, 16, 2 * TILE, 3, colour)
    return top + 8 + _pairs_height(len(card.best.samples))


def _chip(sheet: _Sheet, sample: Sample, left: float, top: float, kind: str) -> None:
    value = sample.similarity if sample.score is None else sample.score
    sheet.box(left + 7, top + TILE - 34, left + 89, top + TILE - 10, CHIP, 6)
    colour = "#74b9f5" if kind == "on" else "#f2a65e"
    sheet.text((left + 14, top + TILE - 31), f"{kind} {value:.2f}", 16, colour)


def _chart_height(card: ScoreCard) -> int:
    if card.best.identity.value is None:
        return 0
    return 70 + ROW * (1 + len(card.tried) + (card.words is not None))


def _chart(sheet: _Sheet, card: ScoreCard, top: int) -> None:
    """Calibrated identity of each checkpoint, with its interval."""
    if card.best.identity.value is None:
        return
    sheet.text((MARGIN, top), "Checkpoints: 0 is anybody, 1 the character", 24, bold=True)
    rows: list[tuple[Condition, float]] = [(card.off, 0.0)]
    measured = [*([card.words] if card.words else []), *card.tried]
    rows += [(one, one.identity.value or 0.0) for one in measured]
    start, end = MARGIN + LABEL, WIDTH - MARGIN - 330

    def at(value: float) -> float:
        return start + (min(max(value, -0.25), 1.25) + 0.25) / 1.5 * (end - start)

    for tick in (0.0, 1.0):
        x = at(tick)
        sheet.box(x - 0.5, top + 44, x + 0.5, top + 48 + ROW * len(rows), QUIET)
    for number, (one, value) in enumerate(rows):
        y = top + 68 + ROW * number
        chosen = one is card.best
        sheet.text((MARGIN, y), one.label, 20, INK, chosen, "lm")
        colour = OFF_COLOUR if one is card.off else ON if one.step or one.strength else QUIET
        low, high = one.identity.low, one.identity.high
        if one is not card.off and low is not None and high is not None:
            sheet.box(at(low), y - 3, max(at(high), at(low) + 2), y + 3, "#a9c8e4", 3)
        sheet.dot(at(value), y, colour, one is not card.off)
        _, spread = _shown(one.identity, False)
        note = f"{len(one.samples)} pictures" if one is card.off else spread
        sheet.text(
            (end + 24, y), f"{value:.2f}  ({note})", 19, INK if chosen else QUIET, False, "lm"
        )
