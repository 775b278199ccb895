"""Sliders move what their names say, on faces of any size, leant and turned."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch

from facet.engine.generate.expression.rig import displaced, frame_of
from facet.engine.generate.expression.table import CONTROLS, GROUPS, SLIDERS
from harness.faces import (
    MIRRORED,
    astronaut,
    drawn_face,
    in_a_mirror,
    larger,
    mirrored,
    random_sliders,
    rolled,
)

FACES = [astronaut()[1], drawn_face(3, 256)[1], drawn_face(8, 128, "surprised", 20.0)[1]]


def moved(face, sliders) -> np.ndarray:
    """How far each landmark goes, (478, 2) in u and v of the face."""
    landmarks = torch.from_numpy(face.landmarks).double()
    away = (displaced(landmarks, sliders, face.yaw) - landmarks).numpy()
    frame = frame_of(face.landmarks.astype(np.float64), face.yaw)
    return np.stack([away @ frame.right / frame.width, away @ frame.down / frame.height], axis=1)


@pytest.mark.parametrize("face", FACES)
def test_at_rest_nothing_moves(face):
    landmarks = torch.from_numpy(face.landmarks)
    assert torch.equal(displaced(landmarks, {}), landmarks)
    assert torch.equal(displaced(landmarks, {"smile_l": 0.0, "head_roll": 0.0}), landmarks)


@pytest.mark.parametrize("face", FACES)
def test_a_smile_draws_its_own_corner_out_and_up(face):
    away = moved(face, {"smile_l": 1.0})
    assert away[291] == pytest.approx((0.09, -0.07), abs=1e-6)
    assert np.abs(away[[61, 33, 1, 152]]).max() == 0


@pytest.mark.parametrize("face", FACES)
def test_a_wink_closes_one_eye_only(face):
    landmarks = torch.from_numpy(face.landmarks).double()
    after = displaced(landmarks, {"blink_l": 1.0}, face.yaw)

    def gap(points, above, below):
        return float((points[below] - points[above]).norm())

    assert gap(after, 386, 374) < 1e-3 * gap(landmarks, 386, 374)
    assert torch.equal(after[[33, 159, 145, 468, 61]], landmarks[[33, 159, 145, 468, 61]])


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("squint", [0.0, 0.7, 1.5])
def test_lids_meet_and_never_cross_and_come_over_an_iris_that_stays(face, squint):
    landmarks = torch.from_numpy(face.landmarks).double()
    frame = frame_of(face.landmarks.astype(np.float64), face.yaw)

    def lids_and_iris(blink: float) -> tuple[np.ndarray, np.ndarray]:
        after = displaced(landmarks, {"squint_r": squint, "blink_r": blink}, face.yaw).numpy()
        places = frame.inside(after)
        above, below = (
            places[list(GROUPS[f"{lid}_lid_r"].points), 1] for lid in ("upper", "lower")
        )
        return below - above, places[468]

    apart, iris = lids_and_iris(0.0)
    for blink, left in ((0.5, 0.5), (1.0, 0.0), (1.5, 0.0)):
        closed, seen = lids_and_iris(blink)
        assert closed == pytest.approx(left * apart, abs=1e-9)
        assert np.abs(seen - iris).max() < 0.1 * apart.max()


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("way", [-1.0, 1.0])
def test_a_gaze_moves_the_irises_and_leaves_them_in_their_eyes(face, way):
    away = moved(face, {"gaze_x": way})
    assert way * away[468, 0] > 0.02 and way * away[473, 0] > 0.02
    assert np.abs(away[[33, 133, 159, 362]]).max() == 0
    frame = frame_of(face.landmarks.astype(np.float64), face.yaw)
    places = frame.inside(face.landmarks) + away
    assert places[33, 0] < places[468, 0] < places[133, 0]
    assert moved(face, {"gaze_y": way})[468, 1] * way < 0


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("degrees", [-170.0, -35.0, 12.0, 90.0])
def test_a_face_that_leans_moves_along_itself(face, degrees):
    rng = random.Random(degrees)
    sliders = random_sliders(rng)
    leant = rolled(face, degrees, (40.0, 70.0))
    assert moved(leant, sliders) == pytest.approx(moved(face, sliders), abs=2e-4)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("by", [0.25, 7.5])
def test_the_larger_the_face_the_farther_it_moves(face, by):
    sliders = random_sliders(random.Random(by))
    assert moved(larger(face, by), sliders) == pytest.approx(moved(face, sliders), abs=2e-4)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("seed", range(5))
def test_in_a_mirror_the_other_side_does_the_same(face, seed):
    sliders = random_sliders(random.Random(seed))
    there = moved(mirrored(face, 512), in_a_mirror(sliders))
    here = moved(face, sliders)[MIRRORED] * (-1, 1)
    assert there[list(CONTROLS)] == pytest.approx(here[list(CONTROLS)], abs=2e-4)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("seed", range(8))
def test_no_slider_throws_a_landmark_off_the_face(face, seed):
    rng = random.Random(seed)
    away = moved(face, {slider.name: rng.uniform(-99, 99) for slider in SLIDERS})
    assert np.isfinite(away).all() and np.abs(away).max() < 1.2


def test_a_turn_moves_the_nose_more_than_the_ears():
    face = FACES[0]
    away = moved(face, {"head_yaw": 8.0})
    assert away[1, 0] > 0.09
    assert abs(away[234, 0]) < 0.6 * away[1, 0] and abs(away[454, 0]) < 0.6 * away[1, 0]
    assert moved(face, {"head_pitch": 8.0})[1, 1] < -0.09
    leant = moved(face, {"head_roll": 8.0})
    assert leant[10, 0] > 0.08 and leant[152, 0] < -0.08


def test_beyond_eight_degrees_a_head_turns_no_further():
    face = FACES[0]
    assert np.array_equal(moved(face, {"head_yaw": 8.0}), moved(face, {"head_yaw": 40.0}))


def test_a_turned_head_moves_as_high_and_less_wide():
    straight, turned = drawn_face(3, 256)[1], drawn_face(3, 256, yaw=40.0)[1]

    def pixels(face):
        landmarks = torch.from_numpy(face.landmarks).double()
        return (displaced(landmarks, {"smile_l": 1.0}, face.yaw) - landmarks)[291]

    assert float(pixels(turned)[1] / pixels(straight)[1]) == pytest.approx(1.0, abs=0.25)
    assert 0 < float(pixels(turned)[0] / pixels(straight)[0]) < 0.95


@pytest.mark.parametrize("value", [math.nan, math.inf, "much", None])
def test_an_amount_that_is_no_number_is_said(value):
    with pytest.raises(ValueError, match=r"smile_l is .*; give it a number"):
        displaced(torch.from_numpy(FACES[0].landmarks), {"smile_l": value})


def test_a_slider_that_there_is_not_and_landmarks_of_no_face_are_said():
    landmarks = torch.from_numpy(FACES[0].landmarks)
    with pytest.raises(ValueError, match="no slider 'ears'"):
        displaced(landmarks, {"ears": 1.0})
    with pytest.raises(ValueError, match="478 landmarks"):
        displaced(landmarks[:68], {"smile_l": 1.0})
    with pytest.raises(ValueError, match="not numbers"):
        displaced(landmarks * math.nan, {"smile_l": 1.0})
    with pytest.raises(ValueError, match="less than a pixel apart"):
        displaced(landmarks * 0, {"smile_l": 1.0})
