"""Who somebody is and what a shot shows are strictly apart, and held-out people stay held out."""

from __future__ import annotations

import random
from dataclasses import fields

import numpy as np
import pytest

from facet.engine.core.vocabulary import VOCABULARY
from facet.world.captions import identity_words, reference_caption, tags_of, text_caption
from facet.world.dataset import PEOPLE, PICTURES_PER_PERSON, scene_of
from facet.world.demo_people import COUNT, FIRST
from facet.world.identity import ATTRIBUTES, HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import SCENE_ATTRIBUTES, VIEWS, Scene


def test_a_seed_is_a_person() -> None:
    assert Identity.from_seed(12) == Identity.from_seed(12)
    assert Identity.from_seed(12) != Identity.from_seed(13)


def test_training_people_are_never_held_out_ones() -> None:
    assert PEOPLE <= HELD_OUT_FROM
    assert not any(Identity.from_seed(seed).held_out for seed in (0, PEOPLE - 1))
    demo = [Identity.from_seed(FIRST + i) for i in range(COUNT)]
    assert all(person.held_out for person in demo)


def test_identity_and_scene_share_no_field() -> None:
    of_identity = {f.name for f in fields(Identity)}
    of_scene = {f.name for f in fields(Scene)}
    assert not of_identity & of_scene


def test_every_value_is_drawn_sometimes() -> None:
    people = [Identity.from_seed(i) for i in range(400)]
    for name, values in ATTRIBUTES.items():
        assert {getattr(p, name) for p in people} == set(values)
    rng = random.Random(0)
    scenes = [Scene.sample(rng) for _ in range(400)]
    for name, values in SCENE_ATTRIBUTES.items():
        assert {getattr(s, name) for s in scenes} == set(values)


def test_the_scene_does_not_follow_from_the_person() -> None:
    views = {scene_of(7, k).view for k in range(40)}
    assert views == set(VIEWS)
    assert scene_of(3, 0).view == "front"
    assert PICTURES_PER_PERSON >= 2


def test_captions_use_the_packs_vocabulary() -> None:
    for axis in ("view", "framing", "expression", "pose", "lighting"):
        assert set(SCENE_ATTRIBUTES[axis]) <= set(VOCABULARY[axis])
    scene = Scene(
        view="three_quarter_left",
        framing="full",
        expression="sad",
        pose="waving",
        top="t-shirt",
        top_colour="red",
        bottom="trousers",
        bottom_colour="blue",
        place="park",
        lighting="side",
    )
    assert reference_caption(scene) == (
        "same character, full body, three-quarter view left, sad, waving, "
        "wearing red t-shirt and blue trousers, in a park, dramatic side light"
    )


def test_a_caption_names_only_what_can_be_seen() -> None:
    back = tags_of(Scene(view="back", expression="angry")).phrases()
    assert "angry" not in back
    close = tags_of(Scene(framing="close_up", pose="waving")).phrases()
    assert "waving" not in close
    person = Identity.from_seed(4)
    assert text_caption(person, Scene(), "zqx").startswith("zqx person, ")
    assert ("beard" in identity_words(person)) == (person.beard == "beard")


@pytest.mark.parametrize("size", [64, 128, 200])
def test_pictures_of_any_size(size: int) -> None:
    picture = render(Identity.from_seed(1), Scene(), size)
    assert picture.image.shape == (size, size, 3) and picture.image.dtype == np.uint8
    assert picture.mask.shape == (size, size) and picture.mask.dtype == bool
    assert 0.1 < picture.mask.mean() < 0.9


def test_the_same_picture_twice() -> None:
    person, scene = Identity.from_seed(5), scene_of(5, 2)
    assert np.array_equal(render(person, scene).image, render(person, scene).image)


def test_only_the_background_changes_outside_the_mask() -> None:
    person = Identity.from_seed(9)
    plain = render(person, Scene(place="plain", jitter=3))
    park = render(person, Scene(place="park", jitter=3))
    assert np.array_equal(plain.mask, park.mask)
    changed = np.abs(plain.image.astype(int) - park.image).max(-1) > 40
    assert changed[plain.mask].mean() < 0.01
    assert changed[~plain.mask].mean() > 0.5
