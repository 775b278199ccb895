import random

import pytest
import torch

from facet.engine.demo.models import load_face
from facet.engine.scoring.adherence import (
    Shown,
    asked_backdrop,
    asked_clothes,
    backdrop,
    right_colours,
    right_expression,
    right_framing,
    right_view,
    shown,
)
from facet.engine.vision.clothes import clothes_colour
from facet.engine.vision.faces import find_face
from facet.world.captions import tags_of
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.palette import COLOURS
from facet.world.scene import Scene
from harness.faces import drawn_picture

VIEWS = ("front", "three_quarter_left", "three_quarter_right", "profile_left", "profile_right")


@pytest.mark.parametrize(
    ("text", "clothes", "background"),
    [
        ("wearing orange sweater and blue trousers, plain teal background", "orange", "teal"),
        ("a red leather jacket, on a beach", "red", ""),
        ("wearing a navy blazer, plain light gray wall", "blue", "grey"),
        ("red hair, wearing a jacket", "", ""),
        ("a green hat and jacket", "", ""),
        ("orange trousers and a blue T-shirt", "blue", ""),
        ("blue background", "", ""),
    ],
)
def test_what_a_prompt_asks_in_colours(text, clothes, background):
    assert (asked_clothes(text), asked_backdrop(text)) == (clothes, background)


def test_a_true_picture_shows_what_its_caption_says_and_no_other_caption():
    """On people nobody has seen: right of what is shown, wrong of what is not."""
    face_model, rng = load_face(), random.Random(8)
    colours = list(COLOURS)
    own, other = [], []
    for number in range(60):
        top, behind = rng.sample(colours, 2)
        scene = Scene.sample(
            rng,
            view=VIEWS[number % 5],
            top="sweater",
            top_colour=top,
            place="plain",
            background_colour=behind,
            lighting="natural",
        )
        image = drawn_picture(Identity.from_seed(FIRST + number % 48), scene)
        face = find_face(face_model, image)
        seen = shown(image, face, face_model, clothes_colour(image, face))
        tags = tags_of(scene)
        own += right_colours(", ".join(tags.phrases()), seen)
        wrong = rng.choice([one for one in colours if one not in (top, behind)])
        other += right_colours(f"wearing {wrong} sweater, plain {wrong} background", seen)
        assert right_framing(tags.framing, seen)
    assert sum(own) >= 0.93 * len(own) and len(own) >= 110
    assert sum(other) <= 0.12 * len(other)


def test_a_place_is_no_plain_background():
    rng = random.Random(2)
    places = [
        drawn_picture(Identity.from_seed(FIRST), Scene.sample(rng, place=place))
        for place in ("park", "city")
        for _ in range(10)
    ]
    assert sum(not backdrop(image) for image in places) >= 19


def test_a_wall_in_falling_light_is_plain_and_two_walls_are_not():
    wall = torch.full((64, 64, 3), 0.2) + torch.linspace(0, 0.06, 64)[None, :, None]
    wall[..., 2] += 0.5
    assert backdrop(wall)[0] in ("blue", "purple")
    two = wall.clone()
    two[:, 40:] = torch.tensor([0.8, 0.1, 0.1])
    assert backdrop(two) == ()


def test_what_was_not_asked_or_cannot_be_seen_is_neither_right_nor_wrong():
    assert right_view("back", 10.0) is None and right_view("", 10.0) is None
    assert right_view("front", None) is False and right_view("profile_left", -80.0) is True
    assert right_framing("", Shown(framing="full")) is None
    assert right_framing("full", Shown()) is None
    assert right_expression("smile", Shown()) is None
    assert right_expression("serious", Shown(expression="neutral")) is True
    assert right_colours("wearing a red coat", Shown()) == ()
    assert right_colours("plain red background", Shown(backdrop=())) == (False,)
