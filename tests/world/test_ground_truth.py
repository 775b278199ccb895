"""Landmarks, keypoints and yaw say what was drawn."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from facet.world import face_mesh
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.landmarks import BLENDSHAPES
from facet.world.render import KEYPOINTS, render
from facet.world.scene import VIEWS, Scene

PERSON = replace(
    Identity.from_seed(HELD_OUT_FROM), glasses="none", beard="none", hair_style="short"
)


def test_irises_lie_on_drawn_eyes() -> None:
    green = replace(PERSON, eye_rgb=(0, 255, 0), skin_rgb=(240, 200, 170), hair_rgb=(40, 30, 30))
    picture = render(green, Scene(framing="close_up"), 512)
    assert picture.face is not None
    for index in (face_mesh.RIGHT_IRIS[0], face_mesh.LEFT_IRIS[0]):
        x, y = picture.face.landmarks_xy[index]
        around = picture.image[int(y) - 14 : int(y) + 15, int(x) - 14 : int(x) + 15].reshape(-1, 3)
        greenest = (around[:, 1].astype(int) - around[:, 0]).max()
        assert greenest > 80


def test_lips_enclose_the_drawn_mouth() -> None:
    picture = render(PERSON, Scene(framing="close_up", expression="surprised"), 512)
    assert picture.face is not None
    centre = picture.face.landmarks_xy[[13, 14]].mean(0)
    inside = picture.image[int(centre[1]), int(centre[0])].astype(int)
    assert inside[0] > inside[1] + 40


def test_the_persons_right_eye_is_on_the_pictures_left() -> None:
    picture = render(PERSON, Scene(framing="close_up"))
    assert picture.face is not None
    xy = picture.face.landmarks_xy
    assert xy[33, 0] < xy[133, 0] < xy[362, 0] < xy[263, 0]
    assert xy[10, 1] < xy[33, 1] < xy[4, 1] < xy[13, 1] < xy[152, 1]


@pytest.mark.parametrize(("view", "sign"), [("three_quarter_left", -1), ("profile_right", 1)])
def test_the_nose_points_where_the_view_says(view: str, sign: int) -> None:
    picture = render(PERSON, Scene(view=view, framing="close_up"))
    assert picture.face is not None and np.sign(picture.yaw) == sign
    nose = picture.face.landmarks_xy[4, 0] - picture.face.landmarks_xy[:, 0].mean()
    assert np.sign(nose) == sign


def test_no_face_from_behind() -> None:
    picture = render(PERSON, Scene(view="back"))
    assert picture.face is None and abs(picture.yaw) > 170


@pytest.mark.parametrize("yaw", [-60.0, 0.0, 30.0])
def test_the_matrix_turns_as_far_as_the_head(yaw: float) -> None:
    picture = render(PERSON, Scene(), yaw=yaw)
    assert picture.face is not None
    matrix = picture.face.transformation_matrix
    assert np.degrees(np.arctan2(matrix[0, 2], matrix[2, 2])) == pytest.approx(yaw, abs=0.1)


def test_blendshapes_follow_the_expression() -> None:
    shapes = {}
    for expression in ("neutral", "smile", "surprised"):
        face = render(PERSON, Scene(expression=expression)).face
        assert face is not None and tuple(face.blendshapes) == BLENDSHAPES
        shapes[expression] = face.blendshapes
    assert shapes["neutral"]["mouthSmileLeft"] == 0 < shapes["smile"]["mouthSmileLeft"]
    assert shapes["surprised"]["jawOpen"] > 0.5 and len(BLENDSHAPES) == 52


def test_every_landmark_has_a_place_of_its_own() -> None:
    face = render(PERSON, Scene(framing="close_up"), 512).face
    assert face is not None
    assert face.landmarks_xy.shape == (478, 2) and face.landmarks_3d.shape == (478, 3)
    assert len({tuple(np.round(p, 2)) for p in face.landmarks_xy}) > 460
    for edges in face_mesh.topology().values():
        assert all(0 <= a < 478 and 0 <= b < 478 for a, b in edges)


@pytest.mark.parametrize("view", list(VIEWS))
def test_keypoints_lie_on_the_person(view: str) -> None:
    rng = random.Random(view)
    scene = Scene.sample(rng, view=view, framing="full", pose="standing")
    picture = render(PERSON, scene, 256)
    assert picture.keypoints.shape == (len(KEYPOINTS), 3)
    for name in ("neck", "right_hip", "left_knee", "right_wrist"):
        x, y, visible = picture.keypoints[KEYPOINTS.index(name)]
        assert visible and picture.mask[int(y), int(x)], name
