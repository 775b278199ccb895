"""The course of a training as one picture, in the manner of the identity report."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageFont

from .canvas import BLUE, CARD, GREY, LINE, ORANGE, PALE_BLUE, QUIET, SCALE, VIOLET, Page

if TYPE_CHECKING:
    from ..training.progress.log import LogRow

LOSS, FAINT, VALIDATION, IDENTITY = BLUE, PALE_BLUE, ORANGE, VIOLET
WIDTH, HEIGHT = 1600, 900
MARGIN, LEFT, TOP, BOTTOM = 64, 128, 176, 108

Place = Callable[[float], float]
Points = Sequence[tuple[float, float]]


def draw_curves(rows: Sequence[LogRow], title: str, checkpoints: Sequence[int]) -> Image.Image:
    """Loss, validation, learning rate and likeness over the steps, 1600 by 900."""
    sheet = _Curves()
    last = rows[-1].step if rows else 0
    sheet.text((MARGIN, 56), title, 20, QUIET)
    sheet.text((MARGIN, 88), _headline(rows), 40, bold=True)
    sheet.box(LEFT, TOP, WIDTH - MARGIN, HEIGHT - BOTTOM, CARD, 14)
    if not rows:
        return sheet.finished()

    def x(step: float) -> float:
        return LEFT + 24 + (WIDTH - MARGIN - LEFT - 48) * step / max(last, 1)

    low, high = loss_range(rows)
    y = _scale(low, high)
    for tick in ticks(low, high):
        sheet.line([(LEFT, y(tick)), (WIDTH - MARGIN, y(tick))], LINE, 1)
        sheet.text((LEFT - 14, y(tick)), f"{tick:.4g}", 17, QUIET, anchor="rm")
    for step in ticks(0, last):
        sheet.text((x(step), HEIGHT - BOTTOM + 16), f"{step:g}", 17, QUIET, anchor="ma")

    rates = [(row.step, row.learning_rate) for row in rows if row.learning_rate is not None]
    if rates:
        rate = _scale(0.0, max(value for _, value in rates) * 1.04 or 1.0)
        sheet.line([(x(step), rate(value)) for step, value in rates], GREY, 1.5)
    sheet.line(_columns([(x(row.step), row.loss) for row in rows], y), FAINT, 1)
    smoothed = [(x(r.step), y(r.smoothed)) for r in rows if r.smoothed is not None]
    sheet.line(smoothed, LOSS, 3)
    held_out = [(x(r.step), y(r.validation)) for r in rows if r.validation is not None]
    sheet.line(held_out, VALIDATION, 1.5)
    for point in held_out:
        sheet.dot(point, VALIDATION, True)
    likeness = [(x(row.step), row.identity) for row in rows if row.identity is not None]
    if likeness:
        scale = _scale(min(0.0, *(value for _, value in likeness), 0.0), 1.0)
        sheet.line([(at, scale(value)) for at, value in likeness], IDENTITY, 1.5)
        best = max(value for _, value in likeness)
        for at, value in likeness:
            sheet.dot((at, scale(value)), IDENTITY, value == best)
    for step in checkpoints:
        sheet.dot((x(min(step, last)), HEIGHT - BOTTOM), QUIET, True, 5)
    _legend(sheet, bool(held_out), bool(likeness), bool(checkpoints))
    return sheet.finished()


def loss_range(rows: Sequence[LogRow]) -> tuple[float, float]:
    """The losses to show: all that are smoothed or held out, and nearly all of the single ones."""
    single = sorted(row.loss for row in rows)
    shown = [single[len(single) // 50], single[-1 - len(single) // 50]]
    for row in rows:
        shown += [v for v in (row.smoothed, row.validation) if v is not None]
    low, high = min(shown), max(shown)
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return max(0.0, low - room), high + room


def ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from ``low`` to ``high``."""
    if not high > low:
        return [low]
    raw = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _headline(rows: Sequence[LogRow]) -> str:
    if not rows:
        return "No step yet"
    last = rows[-1]
    shown = last.loss if last.smoothed is None else last.smoothed
    return f"{last.step} step{'s' * (last.step != 1)}, loss {shown:.4f}"


def _scale(low: float, high: float) -> Place:
    """From a value to its height on the sheet; values beyond the range stay at its edge."""

    def place(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return HEIGHT - BOTTOM - 12 - (HEIGHT - BOTTOM - TOP - 24) * share

    return place


def _columns(points: Points, y: Place) -> list[tuple[float, float]]:
    """The points as a line, no more than the lowest and the highest of each pixel's column."""
    columns: dict[int, list[float]] = {}
    for at, value in points:
        columns.setdefault(round(at), []).append(value)
    line = []
    for at, values in columns.items():
        ends = [min(values), max(values)] if len(values) > 2 else values
        line += [(float(at), y(value)) for value in ends]
    return line


def _legend(sheet: _Curves, held_out: bool, likeness: bool, saved: bool) -> None:
    parts = [("loss of a step", FAINT, True), ("smoothed", LOSS, True)]
    parts += [("held-out pictures", VALIDATION, True)] * held_out
    parts += [("likeness, own scale", IDENTITY, True)] * likeness
    parts += [("learning rate, own scale", GREY, True)]
    parts += [("checkpoint", QUIET, False)] * saved
    at = float(LEFT)
    for label, colour, line in parts:
        if line:
            sheet.line([(at, HEIGHT - 34), (at + 26, HEIGHT - 34)], colour, 3)
        else:
            sheet.dot((at + 18, HEIGHT - 34), colour, True, 5)
        sheet.text((at + 36, HEIGHT - 34), label, 17, QUIET, anchor="lm")
        at += 36 + ImageFont.load_default(17).getlength(label) + 34


class _Curves(Page):
    """The curves' page."""

    def __init__(self) -> None:
        super().__init__(WIDTH, HEIGHT)

    def line(self, points: Points, colour: str, width: float) -> None:
        if len(points) > 1:
            scaled = [(x * SCALE, y * SCALE) for x, y in points]
            self.draw.line(scaled, colour, round(width * SCALE), joint="curve")

    def dot(self, at: tuple[float, float], colour: str, filled: bool, radius: float = 6) -> None:
        box = [at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius]
        scaled = [value * SCALE for value in box]
        self.draw.ellipse(scaled, colour if filled else CARD, colour, width=2 * SCALE)
