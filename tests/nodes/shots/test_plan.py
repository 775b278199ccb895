"""The plan as a node: what is to be made, and what there is already."""

from __future__ import annotations

from pathlib import Path

import folder_paths
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.studio.judge import Judge
from facet.nodes.shots.plan import OWN_LINES, FacetShotPlan


@pytest.fixture(autouse=True)
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))


def ada(*tags: Tags) -> Character:
    generator = torch.Generator().manual_seed(1)
    pictures = [torch.rand(16, 16, 3, generator=generator) for _ in range(len(tags) + 1)]
    shots = [Shot(pictures[n], Provenance("generated"), tags=tag) for n, tag in enumerate(tags, 1)]
    return Character("Ada", "zqx", "person", Shot(pictures[0], Provenance("original")), (*shots,))


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


def test_a_judge_that_finds_faces_counts_what_nobody_tagged(demo_models: DemoModels):
    character = ada().adding([Shot(demo_picture(0), Provenance("imported"))])

    def missing(judge: Judge | None) -> list[str]:
        plan = FacetShotPlan.execute(OWN_LINES, "front view\nback view", character, judge=judge)
        return [request.label for request in plan.args[0].requests]

    assert missing(None) == missing(Judge()) == ["front view", "back view"]
    assert missing(Judge(demo_models.face)) == ["back view"]


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
