"""Which way people look in photographs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facet.benchmarks.real_faces import cut_out
from facet.engine.core.character import Tags
from facet.engine.generate.shots.gates import VIEW_GATE, Gates, Thresholds
from facet.engine.vision.faces import find_face, find_faces, find_head, find_heads
from facet.real_faces.models import RealFaces

IN_PROFILE, TURNED = "profile_left", "three_quarter_left"


def views_passed(model: object, image: torch.Tensor) -> set[str]:
    """The views whose gate ``image`` (H, W, 3) passes."""
    gates = Gates(image, Thresholds(), model)
    reading = gates.read(image)
    asked = ("front", TURNED, IN_PROFILE, "three_quarter_right", "profile_right")
    return {
        view
        for view in asked
        for score in gates.judge(reading, Tags(view=view))
        if score.gate == VIEW_GATE and score.passed
    }


def test_a_profile_passes_as_a_profile_and_a_turned_head_as_one(real_faces: RealFaces) -> None:
    group = real_faces.photographs["group_2"]
    woman = cut_out(group.image, group.faces[0])
    assert group.faces[0].view == IN_PROFILE
    assert views_passed(real_faces.model, woman) == {IN_PROFILE}
    assert views_passed(real_faces.model, woman.flip(1)) == {"profile_right"}
    man = real_faces.photographs["man_at_45"].image
    assert views_passed(real_faces.model, man) == {TURNED}
    assert views_passed(real_faces.model, real_faces.photographs["astronaut"].image) == {"front"}


def test_a_head_in_profile_is_a_head_without_a_face_to_work_with(real_faces: RealFaces) -> None:
    group = real_faces.photographs["group_2"]
    heads, faces = (find(real_faces.model, group.image) for find in (find_heads, find_faces))
    (unseen,) = [head for head in heads if group.faces[0].holds(*head.middle)]
    assert not unseen.seen and unseen.yaw < -78
    assert len(heads) == len(faces) + 1 and all(face.seen for face in faces)


@pytest.mark.parametrize("place", [(0, 0), (0, 900), (600, 0), (600, 900), (300, 450)])
def test_a_head_looks_the_same_way_wherever_it_is_in_the_picture(
    real_faces: RealFaces, place: tuple[int, int]
) -> None:
    part = real_faces.photographs["obama"].image[80:680, 200:800]
    alone = find_face(real_faces.model, part)
    canvas = torch.full((1200, 1500, 3), 0.5)
    canvas[place[0] : place[0] + 600, place[1] : place[1] + 600] = part
    face = find_face(real_faces.model, canvas)
    assert alone is not None and face is not None
    assert face.yaw == pytest.approx(alone.yaw, abs=3)
    assert face.pitch == pytest.approx(alone.pitch, abs=4)
    assert face.roll == pytest.approx(alone.roll, abs=3)


def test_people_who_look_ahead_are_seen_from_neither_above_nor_below(
    real_faces: RealFaces,
) -> None:
    heads = [
        head
        for one in real_faces.photographs.values()
        if one.portrait and one.faces[0].view == "front"
        if (head := find_head(real_faces.model, one.image)) is not None
    ]
    pitches = np.array([head.pitch for head in heads])
    assert len(pitches) > 20 and abs(np.mean(pitches)) < 3
    limit = Thresholds().min_pitch
    assert np.mean(pitches <= -limit) <= 0.15 and np.mean(pitches >= limit) <= 0.15


def test_a_mirrored_or_sepia_picture_looks_the_other_or_the_same_way(
    real_faces: RealFaces,
) -> None:
    image = real_faces.photographs["man_at_45"].image
    sepia = image.mean(-1, keepdim=True) * torch.tensor([1.0, 0.85, 0.66])
    yaws = []
    for one in (image, image.flip(1), sepia):
        face = find_face(real_faces.model, one)
        assert face is not None
        yaws.append(face.yaw)
    assert yaws[1] == pytest.approx(-yaws[0], abs=6) and yaws[2] == pytest.approx(yaws[0], abs=6)
