"""Charts of likeness: by view, checkpoint by checkpoint, and how the scale was made."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.character import VIEW_YAW, VOCABULARY
from ...vision.framing import MEASURED_VIEWS
from ..condition import Condition, Sample
from .charts import SCALE, Mark, Row, chart
from .material import Material
from .parts import DASH, degrees, section, two_places

SCALE_TICKS = {0.0: "0 · anybody", 1.0: "1 · the character"}
YAW_TICKS = {yaw: degrees(yaw) for yaw in (-90.0, -45.0, 0.0, 45.0, 90.0)}
MOST_ROWS = 24


def charts(of: Material) -> str:
    """The charts in two columns; those that have nothing to show are left out."""
    return f'<div class="charts">{by_view(of)}{checkpoints(of)}{views(of)}{calibration(of)}</div>'


def by_view(of: Material) -> str:
    """Likeness in each view, from the left profile to the right."""
    best, off = of.card.best, of.card.off
    rows = []
    for view in sorted(MEASURED_VIEWS, key=lambda one: VIEW_YAW[one]):
        words = VOCABULARY["view"][view].replace(" view", "")
        label = f"{words}, {degrees(VIEW_YAW[view])}"
        measured = best.by_view.get(view)
        if measured is None or measured.value is None:
            rows.append(Row(label, [], "not asked"))
            continue
        marks = [Mark(measured.value, "on", measured.low, measured.high, fill=0.0)]
        without = off.by_view.get(view)
        if without is not None and without.value is not None:
            marks.insert(0, Mark(without.value, "off"))
        rows.append(Row(label, marks, f"{two_places(measured.value)} ({measured.count})"))
    if not any(row.marks for row in rows):
        return ""
    return section(
        f"{of.noun} by view",
        "Which way the head was asked to look; negative is towards the picture's left. Each view "
        "is held against shots in that view where the dataset has three or more. The ring is LoRA "
        "off, the number of pictures is in brackets.",
        chart(rows, *SCALE, SCALE_TICKS),
    )


def views(of: Material) -> str:
    """The yaw asked for and the yaw measured, picture by picture."""
    samples = [one for one in of.card.best.scenes if one.right_view is not None]
    if of.card.best.views.value is None or not samples:
        return ""
    shortened = f" The first {MOST_ROWS} of {len(samples)}." if len(samples) > MOST_ROWS else ""
    return section(
        "Views",
        "Which way the face looks: the bar is what was asked, the dot what was measured; an empty "
        f"square is the wrong view.{shortened}",
        chart(_yaws(samples[:MOST_ROWS]), -100.0, 100.0, YAW_TICKS),
    )


def checkpoints(of: Material) -> str:
    """Calibrated likeness of every checkpoint and strength, with intervals."""
    card = of.card
    if not of.judged:
        return ""
    rows = [Row("LoRA off", [Mark(0.0, "off")], "0.00")]
    if card.words is not None:
        rows.append(_interval("described in words", card.words, "words"))
    shown = {one.label for one in of.columns}
    rows += [
        _interval(one.label, one, "on", one is of.chosen)
        for one in of.compared
        if one.label in shown
    ]
    return section(
        "What was tried",
        f"{of.noun} with the original over {of.counted}, with its 95 % interval.",
        chart(rows, *SCALE, SCALE_TICKS),
    )


def calibration(of: Material) -> str:
    """Every picture's cosine with the original, by where the picture came from."""
    card = of.card
    rows = [_cosines("LoRA off", card.off, "off")]
    if card.words is not None:
        rows.append(_cosines("described in words", card.words, "words"))
    rows.append(_cosines("LoRA on", card.best, "on"))
    own = [Mark(value, "own") for value in card.calibration.positives]
    rows.append(Row("the dataset's shots", own, two_places(card.calibration.positive_median)))
    low = min([*(mark.value for row in rows for mark in row.marks), 0.0])
    return section(
        "How likeness was calibrated",
        "Each mark is one picture's cosine with the original. Strangers (LoRA off) give 0, the "
        "dataset's own shots give 1.",
        chart(rows, low, 1.0, {low: two_places(low), 1.0: "1 · the original"}),
    )


def _yaws(samples: Sequence[Sample]) -> list[Row]:
    rows = []
    for number, sample in enumerate(samples, start=1):
        asked = VOCABULARY["view"][sample.prompt.tags.view].replace(" view", "")
        marks = [Mark(VIEW_YAW[sample.prompt.tags.view], "asked")]
        if sample.yaw is not None:
            marks.append(Mark(sample.yaw, "on" if sample.right_view else "wrong"))
        note = "no face" if sample.yaw is None else degrees(sample.yaw)
        rows.append(Row(f"{number}  {asked}", marks, note))
    return rows


def _cosines(label: str, one: Condition, kind: str) -> Row:
    marks = [Mark(sample.similarity, kind) for sample in one.scenes or one.samples]
    return Row(label, marks, two_places(one.cosine))


def _interval(label: str, one: Condition, kind: str, chosen: bool = False) -> Row:
    if one.identity.value is None:
        return Row(label, [], DASH, chosen)
    mark = Mark(one.identity.value, kind, one.identity.low, one.identity.high)
    return Row(label, [mark], two_places(one.identity.value), chosen)
