"""The plan and the options as nodes, and what they make of a shoot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.generate.shots.gates import GATES, Thresholds
from facet.engine.generate.shots.remedies import (
    SWITCHES,
    RetryRules,
    rules_from,
    settings,
    thresholds_from,
)
from facet.engine.scoring.calibrate import Calibration
from facet.engine.scoring.score import ScoreCard
from facet.engine.scoring.variant import Variant
from facet.nodes.shots.plan import OWN_LINES, FacetShotPlan
from facet.nodes.studio.shot_options import FacetShotOptions


@pytest.fixture(autouse=True)
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))


def defaults(node: Any) -> dict[str, Any]:
    """What the page would send: every widget's default."""
    inputs = node.define_schema().inputs
    return {one.id: one.default for one in inputs if getattr(one, "default", None) is not None}


def ada(*tags: Tags) -> Character:
    generator = torch.Generator().manual_seed(1)
    pictures = [torch.rand(16, 16, 3, generator=generator) for _ in range(len(tags) + 1)]
    shots = [Shot(pictures[n], Provenance("generated"), tags=tag) for n, tag in enumerate(tags, 1)]
    return Character("Ada", "zqx", "person", Shot(pictures[0], Provenance("original")), (*shots,))


def test_an_untouched_options_node_changes_nothing():
    (options,) = FacetShotOptions.execute(**defaults(FacetShotOptions)).args
    assert thresholds_from(options) == Thresholds()
    assert rules_from(options) == RetryRules()
    assert set(SWITCHES.values()) <= options.keys()
    assert SWITCHES.keys() == set(GATES)


def test_what_is_changed_on_the_shooting_node_wins_over_the_options():
    own = {"tries": 3, "max_yaw_error": 20.0, "min_identity": 0.5}
    chosen = settings({"tries": 5, "max_yaw_error": 8.0, "check_persons": False}, own)
    assert rules_from(chosen).tries == 5
    assert thresholds_from(chosen).max_yaw_error == 20.0
    assert thresholds_from(chosen).off == {"persons"}


def test_options_that_contradict_themselves_are_refused(demo_models):
    given = defaults(FacetShotOptions) | {"close_up_face": 0.2, "full_face": 0.3}
    with pytest.raises(ValueError, match=r"^Facet Shot Options: close_up_face is 0.2"):
        FacetShotOptions.execute(**given)
    with pytest.raises(ValueError, match=r"^Facet Shot Options: .*connect an RT-DETR model"):
        FacetShotOptions.execute(person_detector=demo_models.model)


def test_a_score_sets_min_identity_halfway_between_strangers_and_the_character():
    of = Variant("LoRA off", ())
    scale = Calibration((0.0, 0.1), (0.8, 0.9))
    score = ScoreCard("Ada", "zqx", "person", "hash", scale, of, (of,), of, None, (), {})
    (options,) = FacetShotOptions.execute(**defaults(FacetShotOptions), score=score).args
    assert thresholds_from(options).min_identity == pytest.approx(0.45)


def test_a_saved_plan_of_two_widgets_still_runs():
    plan, text, image = FacetShotPlan.execute("compact LoRA (16)", "").args
    assert len(plan.requests) == len(text.splitlines()) == 16
    assert image.shape[0] == 1 and image.shape[-1] == 3


def test_the_plan_makes_only_what_is_missing_unless_told_otherwise():
    character = ada(Tags(view="front", expression="smile"))
    lines = "front view\nback view"
    only = FacetShotPlan.execute(OWN_LINES, lines, character)
    assert [request.label for request in only.args[0].requests] == ["back view"]
    [shown] = only.ui["facet_coverage"]
    assert (shown["wanted"], shown["missing"]) == (2, 1)
    everything = FacetShotPlan.execute(OWN_LINES, lines, character, only_missing=False)
    assert len(everything.args[0].requests) == 2


def test_own_outfits_and_places_are_read_line_by_line():
    plan = FacetShotPlan.execute(
        "portrait LoRA (25)", "", outfits="wearing a red dress\n\na suit\n", places="on a boat"
    ).args[0]
    assert {request.tags.outfit for request in plan.requests} == {"a red dress", "a suit"}


def test_a_plan_with_nothing_in_it_and_a_line_at_odds_with_itself_are_refused():
    with pytest.raises(ValueError, match=r"^Facet Shot Plan: the plan is empty"):
        FacetShotPlan.execute(OWN_LINES, "# nothing")
    with pytest.raises(ValueError, match=r"^Facet Shot Plan: Line 1 .* two views"):
        FacetShotPlan.execute(OWN_LINES, "front view, back view")
