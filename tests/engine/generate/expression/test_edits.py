"""What a person did to a face by hand, read from what the node keeps."""

from __future__ import annotations

import json

import pytest

from facet.engine.generate.expression.edits import Edits, parse_edits
from facet.engine.generate.expression.table import BY_NAME, HAND_PLACED

POINTS = [[0.1 + 0.05 * n, 0.2 + 0.03 * n] for n in range(len(HAND_PLACED))]


@pytest.mark.parametrize("text", ["", " \n", "{}", '{"sliders": {}, "points": []}'])
def test_a_face_that_nobody_touched_has_no_edits(text: str) -> None:
    assert parse_edits(text) == Edits()


def test_sliders_and_points_are_read() -> None:
    told = {"sliders": {"smile_l": 1, "head_yaw": -38.5}, "points": POINTS}
    edits = parse_edits(json.dumps(told, indent=2))
    assert edits.sliders == {"smile_l": 1.0, "head_yaw": -38.5}
    assert json.loads(edits.points) == POINTS
    # As the page writes them, so that it sees that they are its own.
    assert " " not in edits.points


def test_a_slider_may_go_against_all_that_a_preset_asks() -> None:
    jaw = BY_NAME["jaw_open"]
    most = jaw.high - jaw.low
    assert parse_edits(json.dumps({"sliders": {"jaw_open": -most}})).sliders["jaw_open"] == -most
    with pytest.raises(ValueError, match=rf"jaw_open is .*; give a number from -{most:g} to "):
        parse_edits(json.dumps({"sliders": {"jaw_open": -most - 0.01}}))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("smile_l: 0.5", "face_edits is not a JSON object such as"),
        ("[" * 100_000, "face_edits is not a JSON object"),
        ("[[0.1, 0.2]]", "face_edits is not a JSON object"),
        ("0.5", "face_edits is not a JSON object"),
        ('{"sliders": [0.5]}', "face_edits is not a JSON object"),
        ('{"sliders": null}', "face_edits is not a JSON object"),
        ('{"sliders": {"smile": 0.5}}', "There is no slider 'smile'; take one of "),
        ('{"sliders": {"smile_l": "wide"}}', "The slider smile_l is 'wide'"),
        ('{"sliders": {"smile_l": NaN}}', "The slider smile_l is nan"),
        ('{"sliders": {"smile_l": 1e999}}', "The slider smile_l is inf"),
        (f'{{"sliders": {{"smile_l": {10**400}}}}}', "The slider smile_l is 1000"),
        ('{"points": [[0, 1]]}', "The points are no list of 12 pairs of numbers"),
        ('{"points": "here"}', "The points are no list of 12 pairs of numbers"),
        (json.dumps({"points": [[10**400, 0]] * 12}), "The points are no list of 12 pairs"),
        (json.dumps({"points": [[0.5, 1.5]] * 12}), "A point lies outside of the image"),
    ],
)
def test_anything_else_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_edits(text)
    said = str(error.value)
    assert said.startswith(sentence) and said.endswith(".") and "\n" not in said
