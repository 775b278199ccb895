"""The metrics in the report: the chosen LoRA's numbers, a map of each, and what identity costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import metrics
from ..calibrate import Interval
from ..metrics import Better, Metric, Unit
from ..text import DASH, images, percent, two_places
from ..variant import Variant
from ..verdict import unmet, words
from .charts import SCALE, SHARES, Axis, Dot, Mark, Plane
from .material import BASELINE, Material, lora_name, short_name

BRIGHT, MIDDLE = 0.64, 0.54
"""From these shades on, the writing changes its colour: on light paper, and on dark."""


@dataclass(frozen=True)
class Number:
    """The chosen LoRA's value of one metric, and what stands around it.

    off: the same without LoRA. goal: the value that the verdict asks for.
    """

    metric: Metric
    label: str
    value: Interval
    off: float | None
    goal: float | None
    says: str

    @property
    def unit(self) -> Unit:
        return self.metric.unit

    @property
    def big(self) -> str:
        return "not measured" if self.value.value is None else self.unit.text(self.value.value)

    @property
    def axis(self) -> Axis:
        """What the value is drawn on."""
        return SHARES if self.unit is Unit.SHARE else SCALE

    @property
    def marks(self) -> list[Mark]:
        """The value, and without LoRA, on a track."""
        value = self.value
        off = [] if self.off is None else [Mark(self.off, "off")]
        return [*off, Mark(value.value or 0.0, "on", value.low, value.high)]

    @property
    def facts(self) -> list[str]:
        """The interval, over how many images, without LoRA, and the bar."""
        said = [self.unit.interval(self.value), images(self.value.count)]
        if self.off is not None:
            said.append(f"{BASELINE} {self.unit.text(self.off)}")
        if self.goal is not None:
            said.append(f"{self.metric.rule.word} {self.unit.text(self.goal)}")
        return said


def numbers_of(of: Material) -> list[Number]:
    """A number for each metric, in the order in which they are read."""
    return [_number(of, metric) for metric in metrics.METRICS]


def _number(of: Material, metric: Metric) -> Number:
    card, value = of.card, of.card.best[metric]
    off = card.off[metric]
    says = metric.says
    if value.value is None:
        says = unmet(card, metric) or metric.missing
    scale = 0.0 if of.judged else None
    return Number(
        metric,
        of.label(metric),
        value,
        off.value if metric.unit is Unit.SHARE else scale,
        metric.rule.goal(off),
        says.format(**words(card, metric)),
    )


@dataclass(frozen=True)
class MapCell:
    """A checkpoint at a strength in one map; ``good`` is how strong its colour is, in percent."""

    text: str
    kinds: str = "none"
    good: str = ""
    title: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class HeatMap:
    """A metric of each checkpoint (rows) at each strength (columns)."""

    title: str
    hint: str
    strengths: Sequence[str]
    rows: Sequence[tuple[str, Sequence[MapCell]]]


def maps(of: Material) -> list[HeatMap]:
    """A map of each metric, where there is more than one checkpoint or strength."""
    return [
        _map(metric, of)
        for metric in metrics.METRICS
        if sum(one[metric].value is not None for one in of.compared) > 1
    ]


def _map(metric: Metric, of: Material) -> HeatMap:
    names = list(dict.fromkeys(lora_name(one) for one in of.compared))
    strengths = sorted({one.strength for one in of.compared})
    cells = {(lora_name(one), one.strength): one for one in of.compared}
    return HeatMap(
        of.label(metric),
        metric.better.value,
        [f"{strength:g}" for strength in strengths],
        [(name, [_cell(metric, cells.get((name, s)), of) for s in strengths]) for name in names],
    )


def _cell(metric: Metric, one: Variant | None, of: Material) -> MapCell:
    value = None if one is None else one[metric].value
    if one is None or value is None:
        return MapCell(DASH)
    good, chosen, said = metric.good(value), one is of.chosen, metric.unit.text(value)
    kinds = {"chosen": chosen, "bright": good >= BRIGHT, "middle": good >= MIDDLE}
    return MapCell(
        said,
        " ".join(name for name, holds in kinds.items() if holds),
        f"{100 * good:.0f}%",
        f"{short_name(one)}: {said} of {images(one[metric].count)}",
        chosen,
    )


@dataclass(frozen=True)
class TradeOff:
    """Identity against the good part of another metric: a plane, or words where it is equal."""

    said: str
    plane: Plane | None = None


def front(tried: Sequence[Variant], share: Callable[[Variant], float]) -> list[Variant]:
    """Those of ``tried`` that no other beats in one of both and equals in the other.

    ``share``: what is wanted beside identity, more of it is better.
    """

    def at(one: Variant) -> tuple[float, float]:
        return one.identity.value or 0.0, share(one)

    return [
        one
        for one in tried
        if not any(
            at(other) != at(one) and at(other)[0] >= at(one)[0] and at(other)[1] >= at(one)[1]
            for other in tried
        )
    ]


def pareto(of: Material) -> list[TradeOff]:
    """Identity against what it may cost, where there is more than one checkpoint or strength."""
    tried = [one for one in of.compared if one.identity.value is not None]
    if len(tried) < 2:
        return []
    return [
        _trade(of, tried, metric)
        for metric in metrics.METRICS
        if metric.tradeoff and all(one[metric].value is not None for one in tried)
    ]


def _trade(of: Material, tried: Sequence[Variant], metric: Metric) -> TradeOff:
    def share(one: Variant) -> float:
        value = one[metric].value or 0.0
        return 1 - value if metric.better is Better.LOWER else value

    def both(one: Variant) -> str:
        return f"{two_places(one.identity.value)}, {percent(share(one))}"

    if len({share(one) for one in tried}) == 1:
        equal = percent(share(tried[0]))
        return TradeOff(
            f"{metric.tradeoff}: {equal} at each of them, so {of.noun.lower()} decides."
        )
    best = sorted(front(tried, share), key=lambda one: -(one.identity.value or 0.0))
    dots = []
    for one in sorted(tried, key=lambda one: one is of.chosen):  # the chosen one lies on top
        chosen = one is of.chosen
        kind = "front" if any(one is other for other in best) else "beaten"
        name = short_name(one)
        dots.append(
            Dot(
                one.identity.value or 0.0,
                share(one),
                f"{kind} ring" if chosen else kind,
                name if chosen else "",
                f"{name}: {both(one)}",
            )
        )
    said = "; ".join(f"{short_name(one)} ({both(one)})" for one in best)
    plane = Plane(dots, f"{of.label(metrics.IDENTITY)} →", f"{metric.tradeoff} ↑")
    return TradeOff(f"Not dominated: {said}.", plane)
