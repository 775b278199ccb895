"""Who is found in photographs, and that nobody is where nobody is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facet.engine.vision.faces import find_faces
from facet.real_faces.models import RealFaces
from facet.real_faces.photographs import Photograph

NOBODY = ("brick.png", "chelsea.png", "coffee.png", "color.png", "grass.png", "rocket.jpg")
"""Pictures of scikit-image without anybody in them."""


def of_scikit_image(file: str) -> torch.Tensor:
    found = importlib.util.find_spec("skimage")
    assert found is not None and found.origin is not None
    with Image.open(Path(found.origin).parent / "data" / file) as opened:
        return torch.from_numpy(np.asarray(opened.convert("RGB"), dtype=np.float32) / 255)


def found_and_false(real_faces: RealFaces, one: Photograph) -> tuple[int, int]:
    """How many of the faces in ``one`` are found, and how many finds are none of them."""
    middles = [face.middle for face in find_faces(real_faces.model, one.image)]
    found = sum(any(face.holds(*at) for at in middles) for face in one.faces)
    return found, sum(not any(face.holds(*at) for face in one.faces) for at in middles)


def test_nine_of_ten_people_in_groups_are_found_and_nobody_else(real_faces: RealFaces) -> None:
    groups = [one for one in real_faces.photographs.values() if len(one.faces) > 1]
    counts = [found_and_false(real_faces, one) for one in groups]
    assert sum(found for found, _ in counts) >= 0.9 * sum(len(one.faces) for one in groups)
    assert sum(false for _, false in counts) == 0


def test_a_person_alone_is_one_person(real_faces: RealFaces) -> None:
    for one in real_faces.photographs.values():
        if len(one.faces) == 1:
            assert found_and_false(real_faces, one) == (1, 0), one.name


@pytest.mark.parametrize("file", NOBODY)
def test_nobody_is_found_where_nobody_is(real_faces: RealFaces, file: str) -> None:
    assert find_faces(real_faces.model, of_scikit_image(file)) == []


def test_one_face_twice_on_a_screen_is_two(real_faces: RealFaces) -> None:
    face = real_faces.photographs["kim_crop"].image
    screen = torch.full((600, 900, 3), 0.9)
    for left in (60, 520):
        screen[120 : 120 + face.shape[0], left : left + face.shape[1]] = face
    assert len(find_faces(real_faces.model, screen)) == 2


@pytest.mark.parametrize("side", [40, 8000])
def test_pictures_of_any_size(real_faces: RealFaces, side: int) -> None:
    image = real_faces.photographs["astronaut"].image.movedim(-1, 0)[None]
    size = (side, side * 3 // 4)
    image = torch.nn.functional.interpolate(image, size, mode="nearest")[0].movedim(0, -1)
    faces = find_faces(real_faces.model, image)
    assert len(faces) == (side > 100)
    for face in faces:
        assert face.height == pytest.approx(0.2 * side, rel=0.15)


def test_of_two_finds_of_one_face_the_sure_one_counts(real_faces: RealFaces) -> None:
    """The far-range detector, unsure, takes a face that fills the picture for a smaller one; the
    mesh is certain all the same, and finds a mouth without a smile above the true one."""
    one = real_faces.photographs["norris_crop"]
    (face,) = find_faces(real_faces.model, one.image)
    assert face.height == pytest.approx(one.faces[0].box[3], rel=0.1)
    assert face.blendshapes["mouthSmileLeft"] > 0.4
