"""Captions of mirrored pictures, and of anyone of the class."""

from __future__ import annotations

import pytest

from facet.engine.training.data.words import class_caption, mirrored_caption


@pytest.mark.parametrize(
    ("caption", "mirrored"),
    [
        ("zqx person, left profile", "zqx person, right profile"),
        ("zqx person, facing left", "zqx person, facing right"),
        ("three-quarter view right, waving", "three-quarter view left, waving"),
        ("Left hand raised, RIGHT eye closed", "Right hand raised, LEFT eye closed"),
        ("a left-handed man, leftmost of three", "a right-handed man, rightmost of three"),
        ("three_quarter_left", "three_quarter_right"),
        ("looking leftwards, light from the right.", "looking rightwards, light from the left."),
        ("leftover bright copyright, upright", "leftover bright copyright, upright"),
    ],
)
def test_left_and_right_are_exchanged(caption: str, mirrored: str) -> None:
    assert mirrored_caption(caption) == mirrored
    assert mirrored_caption(mirrored) == caption


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ("zqx person, smiling", "person, smiling"),
        ("photo of zqx person", "photo of person"),
        ("a photo of zqx, smiling", "a photo of person, smiling"),
        ("ZQX person", "person"),
        ("a person called zqx, smiling", "a person called, smiling"),
        ("smiling", "person"),
        ("", "person"),
    ],
)
def test_the_class_is_said_in_place_of_the_trigger(caption: str, said: str) -> None:
    assert class_caption(caption, "zqx", "person") == said
