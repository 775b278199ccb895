"""Charts of a report as plain HTML: rows of marks along one axis, readable at any width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ..character import VIEW_YAW
from .condition import Condition, Sample
from .score import ScoreCard

SCALE = (-0.25, 1.25)
SCALE_TICKS = {0.0: "0 · anybody", 1.0: "1 · the character"}
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
YAWS = (-90.0, -45.0, 0.0, 45.0, 90.0)
YAW_TICKS = {yaw: f"{yaw:.0f}°".replace("-", MINUS) for yaw in YAWS}


@dataclass(frozen=True)
class Mark:
    """A mark on the axis: ``kind`` is its class in report.css, low and high are its bar."""

    value: float
    kind: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Row:
    """One row of a chart: what it is, its marks, and what to write at its end."""

    label: str
    marks: Sequence[Mark]
    note: str = ""
    chosen: bool = False


def chart(rows: Sequence[Row], low: float, high: float, ticks: dict[float, str]) -> str:
    """The rows over an axis from ``low`` to ``high``; marks beyond it sit at its end."""

    def at(value: float) -> float:
        return 100 * (min(max(value, low), high) - low) / (high - low)

    lines = "".join(f'<i class="tick" style="left:{at(tick):.2f}%"></i>' for tick in ticks)
    parts = []
    for row in rows:
        marks = []
        for mark in row.marks:
            if mark.low is not None and mark.high is not None:
                start, end = at(mark.low), at(mark.high)
                marks.append(
                    f'<i class="bar {mark.kind}" '
                    f'style="left:{start:.2f}%;width:{max(0.5, end - start):.2f}%"></i>'
                )
            marks.append(f'<i class="mark {mark.kind}" style="left:{at(mark.value):.2f}%"></i>')
        chosen = " chosen" if row.chosen else ""
        parts.append(
            f'<div class="row{chosen}"><span class="label">{escape(row.label)}</span>'
            f'<span class="track">{lines}{"".join(marks)}</span>'
            f'<span class="note">{escape(row.note)}</span></div>'
        )
    labels = "".join(
        f'<span style="left:{at(tick):.2f}%">{escape(text)}</span>' for tick, text in ticks.items()
    )
    axis = f'<div class="row axis"><i></i><span class="track">{labels}</span><i></i></div>'
    return f'<div class="chart">{"".join(parts)}{axis}</div>'


def calibration_chart(card: ScoreCard) -> str:
    """Every picture's cosine with the original, by where the picture came from."""
    calibration = card.calibration
    rows = [_cosines("LoRA off", card.off, "off")]
    if card.words is not None:
        rows.append(_cosines("described in words", card.words, "words"))
    rows.append(_cosines("LoRA on", card.best, "on"))
    own = [Mark(value, "own") for value in calibration.positives]
    rows.append(Row("the dataset's shots", own, two_places(calibration.positive_median)))
    values = [mark.value for row in rows for mark in row.marks]
    low, high = min([*values, 0.0]), 1.0
    ticks = {low: two_places(low), high: "1 · the original"}
    return chart(rows, low, high, ticks)


def checkpoint_chart(card: ScoreCard) -> str:
    """Calibrated identity of every checkpoint and strength, with intervals."""
    rows = [Row("LoRA off", [Mark(0.0, "off")], "0.00")]
    if card.words is not None:
        rows.append(_interval("described in words", card.words, "words"))
    rows += [_interval(one.label, one, "on", one is card.best) for one in card.tried]
    return chart(rows, *SCALE, SCALE_TICKS)


def yaw_chart(samples: Sequence[Sample]) -> str:
    """The yaw asked for and the yaw measured, picture by picture."""
    rows = []
    for number, sample in enumerate(samples, start=1):
        asked = VIEW_YAW[sample.prompt.tags.view]
        marks = [Mark(asked, "asked")]
        if sample.yaw is not None:
            marks.append(Mark(sample.yaw, "on" if sample.right_view else "wrong"))
        note = "no face" if sample.yaw is None else f"{round(sample.yaw)}°".replace("-", MINUS)
        rows.append(Row(f"{number}  {sample.prompt.tags.phrases()[1]}", marks, note))
    return chart(rows, -100.0, 100.0, YAW_TICKS)


def _cosines(label: str, one: Condition, kind: str) -> Row:
    marks = [Mark(sample.similarity, kind) for sample in one.samples]
    return Row(label, marks, two_places(one.cosine))


def _interval(label: str, one: Condition, kind: str, chosen: bool = False) -> Row:
    if one.identity.value is None:
        return Row(label, [], DASH, chosen)
    mark = Mark(one.identity.value, kind, one.identity.low, one.identity.high)
    return Row(label, [mark], two_places(one.identity.value), chosen)


def two_places(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}".replace("-", MINUS)
