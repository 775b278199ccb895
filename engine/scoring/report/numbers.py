"""The numbers of the report, each by itself: none is made of two."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..calibrate import UNKNOWN, Interval
from ..condition import Diversity
from ..verdict import COPY_RATE, LEAK_RATE, RIGHT_VIEWS, SAME, SPOILED_RATE
from .charts import SCALE, Mark, track
from .material import Material
from .parts import DASH, percent, spread, two_places


@dataclass(frozen=True)
class Number:
    """One number: the chosen LoRA's, the same without the LoRA, and the bar that the verdict takes.

    share: it is a part of the pictures, and not on the calibrated scale. says: what it is; unknown:
    why it was not measured.
    """

    name: str
    value: Interval
    off: float | None
    share: bool
    says: str
    unknown: str
    goal: float | None = None
    better: str = ""


def numbers_of(of: Material) -> tuple[Number, ...]:
    """The numbers that have an interval, in the order in which they are read."""
    card, best, off = of.card, of.card.best, of.card.off
    zero = 0.0 if of.judged else None
    faces = "Needs a face_detection_model that finds the original's face."
    garment = card.garment.name if card.garment and card.garment.name else "the dataset's garment"
    return (
        Number(
            f"{of.noun} with the original", best.identity, zero, False,
            f"0 is anybody, 1 the dataset's own shots. Above one half in {best.alike}.",
            "No scale: " + card.calibration.problem, SAME, "at least",
        ),
        Number(
            f"{of.noun} with the set", best.to_set, zero, False,
            "The same, held against the dataset's shots rather than the one original.",
            "No scale to read it on.",
        ),
        Number(
            "With something new on", best.attributes, zero, False,
            f"{of.noun} with the original where a thing is on that the dataset does not know.",
            "No such pictures were asked for.",
        ),
        Number(
            "Right views", best.views, off.views.value, True,
            "Pictures that show the view asked for.", faces, RIGHT_VIEWS, "at least",
        ),
        Number(
            "Right framings", best.framings, off.framings.value, True,
            "Close-ups, medium and full-body shots where they are asked for.", faces, RIGHT_VIEWS,
            "at least",
        ),
        Number(
            "Right expressions", best.expressions, off.expressions.value, True,
            "Faces with the expression asked for.", faces, RIGHT_VIEWS, "at least",
        ),
        Number(
            "Right colours", best.colours, off.colours.value, True,
            "Clothes, and plain backgrounds, in the colour asked for.",
            "No prompt asks for clothes or a plain background in a colour.", RIGHT_VIEWS,
            "at least",
        ),
        Number(
            "Copies", best.copies, off.copies.value, True,
            "Pictures that repeat a training picture.", "", COPY_RATE, "at most",
        ),
        Number(
            "Copied figures", best.figures, off.figures.value, True,
            "Pictures whose person alone, cut out, is that of a training picture over again.",
            "Needs a background_removal model.", COPY_RATE, "at most",
        ),
        Number(
            "Leaks", best.leaks, off.leaks.value, True,
            f"Pictures that show {garment} although nobody asked for it.",
            faces if best.faces.value is None
            else "No one garment fills the dataset, or no such pictures were asked for.",
            min(1.0, (off.leaks.value or 0.0) + LEAK_RATE), "at most",
        ),
        Number(
            "Unspoiled", best.unspoiled, None, True,
            "Pictures as sharp and colourful as without the LoRA.", "", 1 - SPOILED_RATE,
            "at least",
        ),
        Number(
            "Faces not found", _not(best.faces), _not(off.faces).value, True,
            "Pictures in which there is no face. Each counts as a stranger.", faces,
        ),
    )  # fmt: skip


def numbers(of: Material) -> str:
    """All numbers as cells, each with its interval and the LoRA off beside it."""
    cells = [_cell(number) for number in numbers_of(of)]
    cells.append(_diversity(of))
    key = (
        '<p class="key"><span><i class="mark on"></i>the LoRA, with its 95 % interval</span>'
        '<span><i class="mark off"></i>LoRA off</span>'
        '<span><i class="goal"></i>the bar of the verdict</span></p>'
    )
    return f'<dl class="numbers">{"".join(cells)}</dl>{key}'


def shown(number: Number) -> str:
    """The value in words."""
    said = percent if number.share else two_places
    return said(number.value.value)


def _cell(number: Number) -> str:
    name, value = escape(number.name), number.value
    if value.value is None:
        return (
            f'<div class="number"><dt>{name}</dt><dd class="big none">not measured</dd>'
            f"<dd>{escape(number.unknown)}</dd></div>"
        )
    said = percent if number.share else two_places
    low, high = (0.0, 1.0) if number.share else SCALE
    marks = [Mark(value.value, "on", value.low, value.high)]
    if number.off is not None:
        marks.insert(0, Mark(number.off, "off"))
    facts = [spread(value, number.share), f"{value.count} pictures"]
    if number.off is not None:
        facts.append(f"LoRA off {said(number.off)}")
    if number.goal is not None and number.better:
        facts.append(f"{number.better} {said(number.goal)}")
    return (
        f'<div class="number"><dt>{name}</dt><dd class="big">{shown(number)}</dd>'
        f"<dd>{track(marks, low, high, (0.0, 1.0), number.goal)}</dd>"
        f"{_facts(facts)}<dd>{escape(number.says)}</dd></div>"
    )


def _diversity(of: Material) -> str:
    on, off = of.card.best.diversity, of.card.off.diversity
    if on.yaw is None and on.expression is None:
        why = "Needs three faces in pictures of the trigger alone."
        return (
            '<div class="number"><dt>Diversity</dt><dd class="big none">not measured</dd>'
            f"<dd>{why}</dd></div>"
        )
    return (
        f'<div class="number"><dt>Diversity</dt><dd class="big">{escape(turning(on))}</dd>'
        + _facts(
            [
                f"faces {two_places(on.expression)}",
                f"{on.count} pictures",
                f"LoRA off {turning(off)}, {two_places(off.expression)}",
            ]
        )
        + "<dd>How far heads turn (standard deviation) and faces differ (mean distance of two "
        "pictures' expressions) by the trigger alone.</dd></div>"
    )


def _facts(facts: list[str]) -> str:
    spans = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return f'<dd class="facts">{spans}</dd>'


def turning(diversity: Diversity) -> str:
    """How far heads turn, as in '±14°'."""
    return DASH if diversity.yaw is None else f"±{diversity.yaw:.0f}°"


def _not(share: Interval) -> Interval:
    """The share of the others."""
    if share.value is None or share.low is None or share.high is None:
        return UNKNOWN
    return Interval(1 - share.value, 1 - share.high, 1 - share.low, share.count)
