import re
from dataclasses import replace
from html import unescape

import pytest

from facet.engine.scoring.calibrate import Interval
from facet.engine.scoring.probes import own_prompts
from facet.engine.scoring.protocol import LEAK, SCENE
from facet.engine.scoring.report.material import Material
from facet.engine.scoring.report.page import rendered
from facet.engine.scoring.variant import Diversity
from harness.variants import changed


def table(of: Material) -> dict[str, str]:
    """Whether each rule holds, as the report says it."""
    body = rendered("rules", of).partition("<tbody>")[2]
    rows = re.findall(r"<tr><th[^>]*>(.*?)</th>.*?(\w[\w ]*)</td>\s*</tr>", body, re.DOTALL)
    return {rule: holds.strip() for rule, holds in rows}


def share(value: float, count: int = 20) -> Interval:
    return Interval(value, value - 0.1, value + 0.1, count)


GOOD = {
    "identity": share(0.9),
    "copies": share(0.0),
    "figures": share(0.0),
    "framings": share(1.0),
    "expressions": share(1.0),
    "colours": share(1.0),
    "leaks": share(0.0),
    "unspoiled": share(1.0),
    "views": share(1.0),
    "by_view": {"front": share(0.9), "profile_left": share(0.8)},
    "diversity": Diversity(20.0, 0.4, 8),
}


@pytest.mark.parametrize(
    ("rule", "change", "said"),
    [
        ("It does not copy poses", {"figures": share(0.2)}, "reproduce the pose"),
        ("It shows the framing asked for", {"framings": share(0.5)}, "The framing asked for"),
        ("It shows the colour asked for", {"colours": share(0.4)}, "The colour asked for"),
        ("It does not copy training images", {"copies": share(0.1)}, "reproduce a training image"),
        ("It does not leak clothes", {"leaks": share(0.4)}, "although the prompt names no clothes"),
        ("Image quality is kept", {"unspoiled": share(0.7)}, "blurred, noisy"),
        ("It shows the view asked for", {"views": share(0.6)}, "The view asked for"),
        (
            "No view is far below the rest",
            {"by_view": {"front": share(0.9), "profile_left": share(0.6)}},
            "Add shots in the left profile",
        ),
        (
            "The trigger alone gives different poses",
            {"diversity": Diversity(9.0, 0.1, 8)},
            "every image has the same pose",
        ),
        (
            "The similarity is certain",
            {"identity": Interval(0.9, 0.4, 1.2, 20)},
            "The similarity is uncertain",
        ),
        ("It is the same character", {"identity": share(0.6)}, "Close to the character"),
    ],
)
def test_the_table_says_what_the_verdict_says(make_full, character, rule, change, said):
    evaluation = make_full(count=12)
    off = changed(
        evaluation.card.off,
        leaks=share(0.0),
        diversity=Diversity(20.0, 0.4, 8),
        framings=share(0.9),
        colours=share(0.9),
    )

    def found(**figures) -> tuple[str, str]:
        best = changed(evaluation.card.best, **{**GOOD, **figures})
        card = replace(evaluation.card, off=off, best=best, tried=(best,))
        return table(Material(character, replace(evaluation, card=card)))[rule], card.verdict

    holds, verdict = found()
    assert holds == "holds" and said not in verdict
    holds, verdict = found(**change)
    assert holds == "does not" and said in verdict


def test_what_was_not_measured_neither_holds_nor_fails(make_evaluation, character):
    shown = table(Material(character, make_evaluation(faces=False)))
    assert (
        shown["It shows the view asked for"] == shown["It does not leak clothes"] == "not measured"
    )


def test_the_settings_name_the_encoder_and_the_sampling(make_evaluation, character):
    evaluation = make_evaluation()
    card = replace(evaluation.card, settings={"steps": 20, "measured_by": "appearance by X, whole"})
    html = rendered("settings", Material(character, replace(evaluation, card=card)))
    assert "appearance by X, whole" in html and "<dt>steps</dt><dd>20</dd>" in html


def test_the_prompts_can_be_copied_and_asked_again(make_full, character):
    of = Material(character, make_full())
    lines = unescape(re.search(r"<pre>(.*?)</pre>", rendered("settings", of), re.DOTALL)[1])
    again = own_prompts(lines, seed=3)
    asked = [one for one in of.card.best.samples if one.prompt.kind in (SCENE, LEAK)]
    assert [one.text("zqx person") for one in again] == [
        one.prompt.text("zqx person") for one in asked
    ]
    assert [one.kind for one in again] == [one.prompt.kind for one in asked]
    scenes = [one for one in asked if one.prompt.kind == SCENE]
    for own, one in zip(again, scenes, strict=False):
        assert (own.tags.view, own.tags.framing) == (one.prompt.tags.view, one.prompt.tags.framing)
        assert own.seed == one.prompt.seed
