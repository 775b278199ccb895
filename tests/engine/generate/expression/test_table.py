"""The rig's table is whole, and its two halves are each other's mirror image."""

from __future__ import annotations

import json

import numpy as np
import pytest

from facet.engine.generate.expression.presets import ALL, PRESETS, blended, user_presets
from facet.engine.generate.expression.table import (
    BY_NAME,
    CONTROLS,
    GROUPS,
    HAND_PLACED,
    OUTLINE,
    SLIDERS,
    TEMPLATE,
)
from facet.world.landmarks import BLENDSHAPES
from harness.faces import MIRRORED, RIG, mirrored_slider


def test_sliders_stand_region_by_region_and_each_has_a_name_of_its_own():
    regions = [slider.region for slider in SLIDERS]
    assert list(dict.fromkeys(regions)) == RIG["regions"]
    assert sorted(regions, key=RIG["regions"].index) == regions
    assert len(BY_NAME) == len(SLIDERS)
    assert all(slider.low <= 0 < slider.high and slider.does.endswith(".") for slider in SLIDERS)


def test_every_move_names_a_group_and_every_blendshape_is_mediapipes():
    for slider in SLIDERS:
        assert set(slider.blendshapes) <= set(BLENDSHAPES)
        for move in slider.moves:
            assert move.group in GROUPS
            if move.towards:
                assert len(GROUPS[move.towards].points) == len(GROUPS[move.group].points)


def test_the_average_face_has_every_landmark_that_the_rig_needs():
    assert np.isfinite(TEMPLATE[list(CONTROLS)]).all()
    assert len(OUTLINE) == len(set(OUTLINE)) == 36
    eyes = TEMPLATE[263, :2] - TEMPLATE[33, :2]
    assert eyes == pytest.approx((1, 0))
    for one in HAND_PLACED:
        assert np.isfinite(TEMPLATE[one.point]).all()


def test_what_moves_on_the_right_has_its_mirror_image_on_the_left():
    def moved(name: str) -> dict[int, tuple[float, float, str]]:
        far: dict[int, tuple[float, float, str]] = {}
        for move in BY_NAME[name].moves:
            group = GROUPS[move.group]
            for point, weight in zip(group.points, group.weights, strict=True):
                u, v, _ = far.get(point, (0.0, 0.0, ""))
                far[point] = (u + move.u * weight, v + move.v * weight, move.towards[:-2])
        return far

    for slider in SLIDERS:
        other, sign = mirrored_slider(slider.name)
        here, there = moved(slider.name), moved(other)
        assert {MIRRORED[point] for point in here} == set(there)
        for point, (u, v, towards) in here.items():
            assert there[MIRRORED[point]] == pytest.approx((-sign * u, sign * v, towards))


def test_there_are_twelve_expressions_and_the_neutral_one_is_at_rest():
    assert list(PRESETS) == [
        "smile",
        "laugh",
        "angry",
        "sad",
        "surprised",
        "disgust",
        "wink",
        "closed",
        "fear",
        "smirk",
        "kiss",
        "neutral",
    ]
    assert PRESETS["neutral"] == {}
    for preset in ALL.values():
        for name, value in preset.sliders.items():
            assert BY_NAME[name].low <= value <= BY_NAME[name].high
        assert preset.words and preset.expression


def test_expressions_add_up_by_their_strength_and_stay_in_range():
    half = blended({"smile": 0.5})
    assert half["smile_l"] == pytest.approx(0.5 * PRESETS["smile"]["smile_l"])
    assert set(half) == set(BY_NAME)
    both = blended({"smile": 1.0, "laugh": 1.0}, {"head_roll": 30, "gaze_x": 0.25})
    assert both["smile_l"] == 1.0 and both["head_roll"] == 8.0 and both["gaze_x"] == 0.25


def test_a_users_own_expressions_are_read_from_their_folder(tmp_path):
    assert user_presets(tmp_path / "nowhere") == {}
    (tmp_path / "mine.json").write_text('{"sly": {"sliders": {"smile_l": 0.5}}}', "utf-8")
    found = user_presets(tmp_path)
    assert dict(found["sly"].sliders) == {"smile_l": 0.5} and found["sly"].expression == "sly"
    assert blended({"sly": 2.0}, presets=found)["smile_l"] == 1.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "mine.json"),
        ("[" * 100_000, "nested too deeply"),
        ('{"q": {"sliders": {"smile_r": 1' + "0" * 400 + "}}}", "401 digits"),
        ("[1]", "by name"),
        ('{"sly": {}}', "'sly' has no sliders"),
        ('{"sly": {"sliders": {"ears": 1}}}', "no slider 'ears'"),
        ('{"sly": {"sliders": {"smile_l": NaN}}}', "NaN is no number"),
    ],
)
def test_a_file_that_is_no_expression_is_left_out_and_named(tmp_path, caplog, text, said):
    good = {"sly": {"expression": "sly", "sliders": {"smile_l": 0.5}}}
    (tmp_path / "a.json").write_text(json.dumps(good), "utf-8")
    (tmp_path / "mine.json").write_text(text, "utf-8")
    assert list(user_presets(tmp_path)) == ["sly"]
    assert "mine.json" in caplog.text and said in caplog.text


def test_an_expression_that_there_is_not_is_said():
    with pytest.raises(ValueError, match="no expression 'glee'; take one of smile"):
        blended({"glee": 1.0})
