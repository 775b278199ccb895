"""Every checkpoint at every strength: a heat map for each number, and which are not dominated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from ..calibrate import Interval
from ..condition import Condition
from .charts import Dot, plane
from .material import Material, lora_name, short_name
from .parts import DASH, TIMES, percent, section, two_places

BRIGHT, MIDDLE = 0.64, 0.54
"""From these shades on, the writing changes its colour: on light paper, and on dark."""


@dataclass(frozen=True)
class Figure:
    """A number that every condition has; ``good``: 0 for the worst to 1 for the best value."""

    name: str
    of: Callable[[Condition], Interval]
    share: bool
    less: bool = False

    def good(self, value: float) -> float:
        """How dark the cell of ``value`` is."""
        return min(max(1 - value if self.less else value, 0.0), 1.0)


def figures(noun: str) -> tuple[Figure, ...]:
    """The numbers that have a map."""
    return (
        Figure(f"{noun} with the original", lambda one: one.identity, False),
        Figure(f"{noun} with the set", lambda one: one.to_set, False),
        Figure("Right views", lambda one: one.views, True),
        Figure("Right framings", lambda one: one.framings, True),
        Figure("Right expressions", lambda one: one.expressions, True),
        Figure("Right colours", lambda one: one.colours, True),
        Figure("Copies", lambda one: one.copies, True, less=True),
        Figure("Copied figures", lambda one: one.figures, True, less=True),
        Figure("Unspoiled", lambda one: one.unspoiled, True),
        Figure("Faces found", lambda one: one.faces, True),
        Figure("Leaks", lambda one: one.leaks, True, less=True),
    )


def maps(of: Material) -> str:
    """The heat maps, where there is more than one checkpoint or strength."""
    tried = of.compared
    if len(tried) < 2:
        return ""
    shown = [
        _map(figure, of)
        for figure in figures(of.noun)
        if sum(figure.of(one).value is not None for one in tried) > 1
    ]
    return section(
        f"Checkpoint {TIMES} strength",
        "The stronger the colour the better, in every map. The framed cell is the one that was "
        f"chosen. All are compared over {of.counted}, for which each of them made a picture.",
        f'<div class="maps">{"".join(shown)}</div>' if shown else "",
    )


def _map(figure: Figure, of: Material) -> str:
    tried, best = of.compared, of.chosen
    names = list(dict.fromkeys(lora_name(one) for one in tried))
    strengths = sorted({one.strength for one in tried})
    cells = {(lora_name(one), one.strength): one for one in tried}
    head = "".join(f'<th scope="col">{strength:g}</th>' for strength in strengths)
    rows = []
    for name in names:
        row = "".join(_cell(figure, cells.get((name, s)), best) for s in strengths)
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{row}</tr>')
    hint = "less is better" if figure.less else "more is better"
    return (
        f'<table class="map"><caption>{escape(figure.name)} <span>{hint}</span></caption>'
        f'<thead><tr><th scope="col">strength</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(figure: Figure, one: Condition | None, best: Condition) -> str:
    interval = None if one is None else figure.of(one)
    if one is None or interval is None or interval.value is None:
        return f'<td class="none">{DASH}</td>'
    good = figure.good(interval.value)
    kinds = [
        name
        for name, holds in (
            ("chosen", one is best),
            ("bright", good >= BRIGHT),
            ("middle", good >= MIDDLE),
        )
        if holds
    ]
    said = percent if figure.share else two_places
    chosen = '<b class="hidden">chosen: </b>' if one is best else ""
    title = f"{short_name(one)}: {said(interval.value)} of {interval.count} pictures"
    return (
        f'<td class="{" ".join(kinds)}" style="--good:{100 * good:.0f}%" title="{escape(title)}">'
        f"{chosen}{said(interval.value)}</td>"
    )


def front(tried: tuple[Condition, ...], share: Callable[[Condition], float]) -> list[Condition]:
    """Those of ``tried`` that no other beats in one of both and equals in the other.

    ``share``: what is wanted beside likeness, more of it is better.
    """

    def at(one: Condition) -> tuple[float, float]:
        return one.identity.value or 0.0, share(one)

    return [
        one
        for one in tried
        if not any(
            at(other) != at(one) and at(other)[0] >= at(one)[0] and at(other)[1] >= at(one)[1]
            for other in tried
        )
    ]


def pareto(of: Material) -> str:
    """Likeness against what it may cost: pictures that are no copies, and right views."""
    tried = tuple(one for one in of.compared if one.identity.value is not None)
    if len(tried) < 2:
        return ""
    costs: list[tuple[str, Callable[[Condition], float]]] = [
        ("Pictures that are no copies", lambda one: 1 - (one.copies.value or 0.0))
    ]
    if all(one.views.value is not None for one in tried):
        costs.append(("Pictures in the right view", lambda one: one.views.value or 0.0))
    planes = "".join(_plane(of, tried, name, share) for name, share in costs)
    intro = f"All are compared over {of.counted}."
    if "<figure" in planes:
        intro = (
            "Full dots are not dominated: none is as good in both and better in one. The ring is "
            f"the one that was chosen. {intro}"
        )
    return section(
        f"{of.noun} and what it costs",
        intro,
        f'<div class="planes">{planes}</div>',
    )


def _plane(
    of: Material, tried: tuple[Condition, ...], name: str, share: Callable[[Condition], float]
) -> str:
    if len({share(one) for one in tried}) == 1:
        said = f"{name}: {percent(share(tried[0]))} at each of them, so {of.noun.lower()} decides."
        return f'<p class="equal">{escape(said)}</p>'
    best_of = front(tried, share)
    dots = []
    for one in sorted(tried, key=lambda one: one is of.chosen):
        kinds = ["front" if any(one is other for other in best_of) else "beaten"]
        says = f"{short_name(one)}: {two_places(one.identity.value)}, {percent(share(one))}"
        if one is of.chosen:
            kinds.append("ring")
        named = short_name(one) if one is of.chosen else ""
        dots.append(Dot(one.identity.value or 0.0, share(one), " ".join(kinds), named, says))
    best_of.sort(key=lambda one: -(one.identity.value or 0.0))
    said = "; ".join(
        f"{short_name(one)} ({two_places(one.identity.value)}, {percent(share(one))})"
        for one in best_of
    )
    shown = plane(dots, f"{of.noun} with the original →", f"{name} ↑")
    return (
        f'<figure class="pareto">{shown}'
        f"<figcaption>Not dominated: {escape(said)}.</figcaption></figure>"
    )
