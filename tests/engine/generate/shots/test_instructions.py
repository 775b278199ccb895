"""Instructions in free words, and what they leave in the tags for the captions."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.people import demo_picture
from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.shots.gates import Gates, Thresholds
from facet.engine.generate.shots.make import plain_shoot
from facet.engine.generate.shots.plan import (
    ShotPlan,
    describes,
    from_lines,
    named_details,
    shows_detail,
    split_instruction,
)
from facet.engine.generate.shots.store import ShotStore
from facet.engine.studio.studio import Studio


def only(line: str):
    [request] = from_lines(line).requests
    return request


def test_the_rest_of_the_line_is_the_instruction():
    assert split_instruction("close-up, do: remove the hat, and smile") == (
        "close-up",
        "remove the hat, and smile",
    )
    assert split_instruction("Do: remove the hat") == ("", "remove the hat")
    assert split_instruction("a todo: list on the wall") == ("a todo: list on the wall", "")


def test_what_is_to_be_done_is_no_tag():
    request = only("do: remove the hat")
    assert (request.tags, request.instruction) == (Tags(), "remove the hat")
    assert request.label == "do: remove the hat"


def test_a_scene_is_an_instruction_and_a_background():
    request = only("full body, do: at night in the rain")
    assert request.tags == Tags(framing="full", background="at night in the rain")
    assert request.instruction == "at night in the rain"
    assert request.label == "full body, at night in the rain, do: at night in the rain"


def test_a_background_of_ones_own_is_kept():
    assert only("in a park, do: at night in the rain").tags.background == "in a park"


@pytest.mark.parametrize(
    ("line", "details"),
    [
        ("do: zoom on the tattoo on the left arm", ("tattoo on the left arm",)),
        ("do: show the scar above his right eye", ("scar above his right eye",)),
        ("do: show the red dragon tattoo and the scar", ("red dragon tattoo", "scar")),
        ("tattoo on the left arm, do: zoom on the tattoo", ("tattoo on the left arm",)),
        ("do: remove the tattoo on the left arm", ()),
        ("do: without the scar", ()),
    ],
)
def test_named_details_stay_in_the_tags(line, details):
    assert only(line).tags.details == details


@pytest.mark.parametrize(
    ("instruction", "seen"),
    [
        ("at night in the rain", True),
        ("golden hour on a beach", True),
        ("holding an umbrella", True),
        ("change the t-shirt to red", False),
        ("zoom on the hands", False),
        ("", False),
    ],
)
def test_what_describes_is_told_from_what_orders(instruction, seen):
    assert describes(instruction) is seen


def test_details_are_found_in_any_case():
    assert named_details("Zoom on the Birthmark on her neck") == ("Birthmark on her neck",)


def test_an_instruction_that_was_carried_out_is_not_missing():
    plan = from_lines("do: remove the hat\ndo: put on glasses")
    source = Shot(torch.rand(16, 16, 3), Provenance("original"))
    made = Shot(torch.rand(16, 16, 3), Provenance("generated", instruction="remove the hat"))
    character = Character("Ada", "zqx", "person", source).adding([made])
    assert plan.missing_from(character) == ShotPlan(plan.requests[1:])


def test_a_detail_is_told_from_a_face():
    assert shows_detail("zoom on the tattoo on the left arm")
    assert shows_detail("Close-up of the hands")
    for whole in ("zoom on her face.", "zoom on the eyes", "remove the hat", "at night", ""):
        assert not shows_detail(whole)


@torch.inference_mode()
def test_a_plan_of_instructions_is_shot_with_the_demo_models(demo_models, tmp_path):
    source = Shot(demo_picture(3)[:100], Provenance("original"))
    ada = Character("Ada", "zqx", "person", source)
    studio = Studio(
        demo_models.model,
        demo_models.clip,
        demo_models.vae,
        Sampling(128, 112, steps=2),
        ReferenceMode.REFERENCE_LATENTS,
    )
    gates = Gates(source.image, Thresholds(), demo_models.face, demo_models.clip_vision)
    plan = from_lines("do: remove the hat\nclose-up, do: zoom on the tattoo on the left arm")
    hat, tattoo = plain_shoot(ada, studio, gates, seed=5).run(plan, ShotStore(tmp_path))
    assert hat.provenance.prompt == "same character, remove the hat"
    assert hat.provenance.instruction == "remove the hat"
    # Without the twelve rows of border that made the canvas 112 pixels high.
    assert hat.image.shape == source.image.shape
    assert tattoo.tags.details == ("tattoo on the left arm",)
    judged = {score.gate for score in tattoo.scores if score.passed is not None}
    assert judged <= {"sharpness", "duplicate"}
    assert plan.missing_from(ada.adding([replace(hat, include=True)])).requests == plan.requests[1:]
