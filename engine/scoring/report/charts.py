"""Charts: marks on tracks and dots on a plane, and the charts of similarity that are made of them.

They are drawn by templates/ui.html in percent of their place, readable at any width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor

from ...core.vocabulary import VIEW_YAW, VOCABULARY
from ...vision.framing import MEASURED_VIEWS
from ..metrics import VIEWS
from ..sample import ScoredSample
from ..text import DASH, degrees, two_places
from ..variant import Variant
from .material import BASELINE, Material

YAW_TICKS = {yaw: degrees(yaw) for yaw in (-90.0, -45.0, 0.0, 45.0, 90.0)}
SCALE_TICKS = {0.0: "0 · a stranger", 1.0: "1 · the character"}
MOST_ROWS = 24


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``; what lies beyond sits at its end."""

    low: float
    high: float

    def part(self, value: float) -> float:
        """Where ``value`` lies, in percent."""
        return 100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def at(self, value: float) -> str:
        """The same as CSS has it."""
        return f"{self.part(value):.2f}%"

    def width(self, start: float, end: float) -> str:
        """How wide a bar from ``start`` to ``end`` is, never nothing."""
        return f"{max(0.5, abs(self.part(end) - self.part(start))):.2f}%"

    @property
    def ticks(self) -> list[float]:
        """Its quarters; its halves where they would be many."""
        step = 0.25 if self.high - self.low <= 1.5 else 0.5
        count = round((self.high - self.low) / step)
        return [round(self.low + number * step, 2) for number in range(count + 1)]


SCALE, SHARES = Axis(-0.25, 1.25), Axis(0.0, 1.0)


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
class ChartRow:
    """One row of a chart: what it is, its marks, and what to write at its end."""

    label: str
    marks: Sequence[Mark]
    note: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Chart:
    """A titled chart: rows of marks over an axis with ``ticks`` and their words."""

    title: str
    text: str
    rows: Sequence[ChartRow]
    axis: Axis
    ticks: dict[float, str]


@dataclass(frozen=True)
class Dot:
    """A dot on a plane: ``y`` is a share; a name is written beside it where there is one."""

    x: float
    y: float
    kind: str
    name: str = ""
    title: str = ""


@dataclass(frozen=True)
class Plane:
    """Dots over a field that is as wide and high as they need, in quarters."""

    dots: Sequence[Dot]
    across: str
    up: str

    @property
    def x(self) -> Axis:
        return _quarters([dot.x for dot in self.dots])

    @property
    def y(self) -> Axis:
        """The axis up the side; it ends at 100 %."""
        return Axis(max(0.0, min(_quarters([dot.y for dot in self.dots]).low, 0.75)), 1.0)


def charts(of: Material) -> list[Chart]:
    """Those that have something to show: by view, by checkpoint, image by image, the scale."""
    return [*by_view(of), *checkpoints(of), *views(of), calibration(of)]


def by_view(of: Material) -> Iterator[Chart]:
    """Similarity in each view, from the left profile to the right."""
    best, off = of.card.best, of.card.off
    rows = []
    for view in sorted(MEASURED_VIEWS, key=lambda one: VIEW_YAW[one]):
        label = f"{_short(view)}, {degrees(VIEW_YAW[view])}"
        measured = best.by_view.get(view)
        if measured is None or measured.value is None:
            rows.append(ChartRow(label, [], "not asked"))
            continue
        marks = [Mark(measured.value, "on", measured.low, measured.high, fill=0.0)]
        without = off.by_view.get(view)
        if without is not None and without.value is not None:
            marks.insert(0, Mark(without.value, "off"))
        rows.append(ChartRow(label, marks, f"{two_places(measured.value)} ({measured.count})"))
    if any(row.marks for row in rows):
        yield Chart(
            f"{of.noun} by view",
            "Which way the head was asked to look; negative is towards the image's left. Each view "
            "is compared with shots in that view where the dataset has three or more. The ring is "
            f"{BASELINE}; the number of images is in brackets.",
            rows,
            SCALE,
            SCALE_TICKS,
        )


def checkpoints(of: Material) -> Iterator[Chart]:
    """Calibrated similarity of every checkpoint and strength, with intervals."""
    card = of.card
    if not of.judged:
        return
    rows = [ChartRow(BASELINE, [Mark(0.0, "off")], "0.00")]
    if card.words is not None:
        rows.append(_interval("described in words", card.words, "words"))
    shown = {one.label for one in of.columns}
    rows += [
        _interval(one.label, one, "on", one is of.chosen)
        for one in of.compared
        if one.label in shown
    ]
    yield Chart(
        "What was tried",
        f"{of.noun} with the original, with its 95 % interval. {of.counted}",
        rows,
        SCALE,
        SCALE_TICKS,
    )


def views(of: Material) -> Iterator[Chart]:
    """The yaw asked for and the yaw measured, sample by sample."""
    samples = [one for one in of.card.best.scenes if one.right_view is not None]
    if of.card.best[VIEWS].value is None or not samples:
        return
    shortened = f" The first {MOST_ROWS} of {len(samples)}." if len(samples) > MOST_ROWS else ""
    yield Chart(
        "Views",
        "Which way the face looks: the bar is what was asked for, the dot what was measured; an "
        f"empty square is the wrong view.{shortened}",
        [_yaw(number, one) for number, one in enumerate(samples[:MOST_ROWS], start=1)],
        Axis(-100.0, 100.0),
        YAW_TICKS,
    )


def calibration(of: Material) -> Chart:
    """Every sample's cosine with the original, by where it came from."""
    card = of.card
    rows = [_cosines(BASELINE, card.off, "off")]
    if card.words is not None:
        rows.append(_cosines("described in words", card.words, "words"))
    rows.append(_cosines("with LoRA", card.best, "on"))
    own = [Mark(value, "own") for value in card.calibration.positives]
    rows.append(ChartRow("the dataset's shots", own, two_places(card.calibration.positive_median)))
    low = min([*(mark.value for row in rows for mark in row.marks), 0.0])
    return Chart(
        "How similarity was calibrated",
        f"Each mark is one image's cosine with the original. Strangers ({BASELINE}) give 0, the "
        "dataset's own shots give 1.",
        rows,
        Axis(low, 1.0),
        {low: two_places(low), 1.0: "1 · the original"},
    )


def _short(view: str) -> str:
    return VOCABULARY["view"][view].replace(" view", "")


def _yaw(number: int, sample: ScoredSample) -> ChartRow:
    view = sample.prompt.tags.view
    marks = [Mark(VIEW_YAW[view], "asked")]
    if sample.yaw is not None:
        marks.append(Mark(sample.yaw, "on" if sample.right_view else "wrong"))
    note = "no face" if sample.yaw is None else degrees(sample.yaw)
    return ChartRow(f"{number}  {_short(view)}", marks, note)


def _cosines(label: str, one: Variant, kind: str) -> ChartRow:
    marks = [Mark(sample.similarity, kind) for sample in one.scenes or one.samples]
    return ChartRow(label, marks, two_places(one.cosine))


def _interval(label: str, one: Variant, kind: str, chosen: bool = False) -> ChartRow:
    if one.identity.value is None:
        return ChartRow(label, [], DASH, chosen)
    mark = Mark(one.identity.value, kind, one.identity.low, one.identity.high)
    return ChartRow(label, [mark], two_places(one.identity.value), chosen)


def _quarters(values: Sequence[float]) -> Axis:
    """The quarters around ``values``, at least half apart."""
    low, high = floor((min(values) - 0.03) * 4) / 4, ceil((max(values) + 0.03) * 4) / 4
    return Axis(low, high) if high - low >= 0.5 else Axis(high - 0.5, high)
