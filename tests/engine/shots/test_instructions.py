"""Instructions in free words, and what they leave in the tags for the captions."""

from __future__ import annotations

import pytest
import torch

from facet.engine.character import Character, Provenance, Shot, Tags
from facet.engine.shots.instructions import describes, named_details, split_instruction
from facet.engine.shots.plan import ShotPlan, from_lines


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
