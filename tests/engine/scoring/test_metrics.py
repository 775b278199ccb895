"""The table of metrics: stated once, whole, and added to in one place."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from facet.engine.scoring import metrics
from facet.engine.scoring.calibrate import UNKNOWN, Interval
from facet.engine.scoring.metrics import (
    METRICS,
    AtLeast,
    AtMost,
    AtMostAboveBaseline,
    Metric,
    Unjudged,
    share_of,
)
from facet.engine.scoring.report.material import Material
from facet.engine.scoring.report.page import rendered
from facet.engine.scoring.variant import Variant, variant

SCORING = Path(metrics.__file__).parent
NODES = SCORING.parents[1] / "nodes" / "scoring"
SHARP = {
    "name": "sharp",
    "label": "Sharp images",
    "of": share_of(lambda one: one.sharpness > 0.2),
    "rule": AtLeast(0.6),
    "says": "Images that are in focus.",
    "claim": "Its images are sharp",
    "fault": "{count} of {total} images are out of focus",
    "advice": "use sharper shots",
    "columns": {"in_focus": lambda one: one.sharpness > 0.2},
}


def value(share: float, count: int = 20) -> Interval:
    return Interval(share, share, share, count)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label": " "}, "The metric 'sharp' has no label; give it the words that a reader sees"),
        ({"rule": None}, "The metric 'sharp' has no rule; give it one, such as AtLeast(0.7), or"),
        ({"claim": ""}, "The metric 'sharp' has a rule and no claim; say what holds then"),
    ],
)
def test_what_a_metric_lacks_is_one_sentence(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        Metric(**{**SHARP, **change})


def test_a_metric_is_named_once() -> None:
    for names in ([one.name for one in METRICS], [one.label for one in METRICS]):
        assert len(set(names)) == len(names)
    columns = [column for one in METRICS for column in one.columns]
    assert len(set(columns)) == len(columns)


def test_a_metric_is_stated_in_the_table_and_nowhere_else() -> None:
    """Nothing that the table says of one is written again where it is shown or judged."""
    texts = {
        text
        for one in METRICS
        for text in (one.name, one.label, one.claim, one.says, one.advice, *one.columns)
        if text
    }
    again = []
    for file in [*SCORING.rglob("*.py"), *NODES.glob("*.py")]:
        if file.name in ("metrics.py", "inputs.py"):  # an input is called attributes, too
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and node.value in texts:
                again.append(f"{file.name}:{node.lineno} {node.value!r}")
    for file in (SCORING / "report" / "templates").glob("*.html"):
        shown = re.sub(r"{[{%#].*?[}%#]}|<[^>]*>", "\n", file.read_text("utf-8"))
        again += [f"{file.name} {line}" for line in shown.split("\n") if line.strip() in texts]
    assert again == []


@pytest.mark.parametrize(
    ("rule", "measured", "baseline", "holds"),
    [
        (AtLeast(0.7), 0.7, 1.0, True),
        (AtLeast(0.7), 0.69, 0.0, False),
        (AtLeast(0.7, or_within=0.1), 0.5, 0.6, True),
        (AtLeast(0.7, or_within=0.1), 0.5, 0.65, False),
        (AtMost(0.05), 0.05, 0.0, True),
        (AtMost(0.05), 0.1, 1.0, False),
        (AtMostAboveBaseline(0.25), 0.5, 0.25, True),
        (AtMostAboveBaseline(0.25), 0.5, 0.2, False),
        (Unjudged(), 0.0, 1.0, True),
    ],
)
def test_a_rule_holds_or_does_not(rule, measured: float, baseline: float, holds: bool) -> None:
    assert rule.holds(value(measured), value(baseline)) is holds
    assert rule.holds(UNKNOWN, value(baseline)) is None


def test_one_sample_alone_is_no_rate() -> None:
    assert AtMost(0.05).holds(value(1 / 12, 12), UNKNOWN) is True
    assert AtMost(0.05).holds(value(2 / 12, 12), UNKNOWN) is False


def test_a_metric_that_is_added_is_seen_everywhere(monkeypatch, make_full, character) -> None:
    """docs/adding-a-metric.md: one entry of the table, and nothing else."""
    monkeypatch.setattr(metrics, "METRICS", (*METRICS, Metric(**SHARP)))
    evaluation = make_full()
    card = evaluation.card

    def again(one: Variant) -> Variant:
        made = variant(
            one.label,
            tuple(replace(each, sharpness=0.1 * n) for n, each in enumerate(one.samples)),
            metrics.Scales(card.calibration, card.calibration, {}),
            True,
            step=one.step,
            strength=one.strength,
        )
        return replace(one, samples=made.samples, metrics=made.metrics)

    tried = tuple(again(one) for one in card.tried)
    card = replace(card, off=again(card.off), tried=tried, best=tried[-1])
    count = len(card.best.samples)
    assert card.best.metrics["sharp"].value == pytest.approx((count - 3) / count)
    assert card.to_dict()["best"]["sharp"]["count"] == card.to_dict()["sharp"]["count"] == count
    assert [row["in_focus"] for row in card.rows()][:5] == [False, False, False, True, True]
    assert json.loads(card.stamp())["sharp"][3] == count
    assert "out of focus" not in card.verdict

    of = Material(character, replace(evaluation, card=card))
    assert "Sharp images" in rendered("numbers", of) and "Images that are in focus." in rendered(
        "numbers", of
    )
    assert "Sharp images" in rendered("maps", of)
    assert "Its images are sharp" in rendered("rules", of)

    blurred = replace(card.best, metrics={**card.best.metrics, "sharp": value(0.25, 12)})
    told = replace(card, best=blurred, tried=(*tried[:-1], blurred))
    assert "9 of 12 images are out of focus: use sharper shots." in told.verdict
    head = unescape(rendered("summary", Material(character, replace(evaluation, card=told))))
    assert "9 of 12 images are out of focus: use sharper shots." in head
