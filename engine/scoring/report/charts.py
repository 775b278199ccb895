"""Charts as plain HTML: marks on tracks and dots on a plane, readable at any width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor

SCALE = (-0.25, 1.25)


@dataclass(frozen=True)
class Mark:
    """A mark on a track: ``kind`` is its class in report.css, low and high are its interval.

    fill: a bar is drawn from there to the value.
    """

    value: float
    kind: str
    low: float | None = None
    high: float | None = None
    fill: float | None = None


@dataclass(frozen=True)
class Row:
    """One row of a chart: what it is, its marks, and what to write at its end."""

    label: str
    marks: Sequence[Mark]
    note: str = ""
    chosen: bool = False


def track(
    marks: Sequence[Mark], low: float, high: float, ticks: Sequence[float], bar: float | None = None
) -> str:
    """``marks`` over an axis from ``low`` to ``high``; those beyond it sit at its end.

    ``bar`` is a value to reach, drawn as a line.
    """
    at = _axis(low, high)
    parts = [f'<i class="tick" style="left:{at(tick):.2f}%"></i>' for tick in ticks]
    if bar is not None:
        parts.append(f'<i class="goal" style="left:{at(bar):.2f}%"></i>')
    for mark in marks:
        if mark.fill is not None:
            parts.append(_span("fill", mark.kind, at(mark.fill), at(mark.value)))
        if mark.low is not None and mark.high is not None:
            parts.append(_span("range", mark.kind, at(mark.low), at(mark.high)))
        parts.append(f'<i class="mark {mark.kind}" style="left:{at(mark.value):.2f}%"></i>')
    return f'<span class="track">{"".join(parts)}</span>'


def chart(rows: Sequence[Row], low: float, high: float, ticks: dict[float, str]) -> str:
    """The rows over an axis from ``low`` to ``high``, with the axis below."""
    at = _axis(low, high)
    parts = [
        f'<div class="row{" chosen" if row.chosen else ""}">'
        f'<span class="label">{escape(row.label)}</span>'
        f"{track(row.marks, low, high, list(ticks))}"
        f'<span class="note">{escape(row.note)}</span></div>'
        for row in rows
    ]
    labels = "".join(
        f'<span style="left:{at(tick):.2f}%">{escape(text)}</span>' for tick, text in ticks.items()
    )
    axis = f'<div class="row axis"><i></i><span class="track">{labels}</span><i></i></div>'
    return f'<div class="chart">{"".join(parts)}{axis}</div>'


@dataclass(frozen=True)
class Dot:
    """A dot on a plane: ``y`` is a share; a name is written beside it where there is one."""

    x: float
    y: float
    kind: str
    name: str = ""
    title: str = ""


def plane(dots: Sequence[Dot], across: str, up: str) -> str:
    """Dots over a field that is as wide and high as they need, in quarters."""
    low, high = _quarters([dot.x for dot in dots])
    bottom, top = _quarters([dot.y for dot in dots])
    bottom, top = max(0.0, min(bottom, 0.75)), 1.0
    x_at, y_at = _axis(low, high), _axis(bottom, top)
    parts = [
        f'<i class="x" style="left:{x_at(tick):.2f}%"><b>{tick:g}</b></i>'
        for tick in _ticks(low, high)
    ]
    parts += [
        f'<i class="y" style="bottom:{y_at(tick):.2f}%"><b>{100 * tick:.0f} %</b></i>'
        for tick in _ticks(bottom, top)
    ]
    for dot in dots:
        style = f"left:{x_at(dot.x):.2f}%;bottom:{y_at(dot.y):.2f}%"
        parts.append(f'<i class="dot {dot.kind}" style="{style}" title="{escape(dot.title)}"></i>')
        if dot.name:
            side = "left" if x_at(dot.x) > 50 else "right"
            parts.append(f'<span class="name {side}" style="{style}">{escape(dot.name)}</span>')
    return (
        f'<div class="plane"><p class="up">{escape(up)}</p><div class="field">{"".join(parts)}'
        f'</div><p class="across">{escape(across)}</p></div>'
    )


def _quarters(values: Sequence[float]) -> tuple[float, float]:
    """The quarters around ``values``, at least half apart."""
    low, high = floor((min(values) - 0.03) * 4) / 4, ceil((max(values) + 0.03) * 4) / 4
    return (low, high) if high - low >= 0.5 else (high - 0.5, high)


def _ticks(low: float, high: float) -> list[float]:
    step = 0.25 if high - low <= 1.5 else 0.5
    count = round((high - low) / step)
    return [round(low + number * step, 2) for number in range(count + 1)]


def _axis(low: float, high: float) -> Callable[[float], float]:
    return lambda value: 100 * _within((value - low) / (high - low))


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _span(name: str, kind: str, start: float, end: float) -> str:
    left, width = min(start, end), max(0.5, abs(end - start))
    return f'<i class="{name} {kind}" style="left:{left:.2f}%;width:{width:.2f}%"></i>'
