"""The demo's face model stands in for core's, and core's own nodes take it as it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facet.engine.demo.models import load_face
from facet.engine.demo.people import COUNT, demo_picture
from facet.engine.vision.faces import find_faces
from facet.world.dataset import scene_of
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.landmarks import BLENDSHAPES
from facet.world.render import Picture, render
from facet.world.scene import Scene

PEOPLE = [Identity.from_seed(HELD_OUT_FROM + i) for i in range(24)]


@pytest.fixture(scope="module")
def face_model():  # type: ignore[no-untyped-def]
    return load_face()


def detect(face_model: object, pictures: list[Picture]) -> dict:
    from comfy_extras.nodes_mediapipe import MediaPipeFaceLandmarker

    image = torch.from_numpy(np.stack([p.image for p in pictures])).float() / 255
    out = MediaPipeFaceLandmarker.execute(face_model, image, "short", 1, 0.5, "empty")
    return out.result[0]


def yaw_of(matrix: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(matrix[0, 2], matrix[2, 2])))


def test_cores_node_gives_landmarks(face_model: object) -> None:
    found = detect(face_model, [render(PEOPLE[0], Scene(framing="close_up"))])
    (face,) = found["frames"][0]
    assert face["landmarks_xy"].shape == (478, 2) and face["landmarks_3d"].shape == (478, 3)
    assert tuple(face["blendshapes"]) == BLENDSHAPES
    assert face["transformation_matrix"].shape == (4, 4)
    assert {"face_oval", "lips", "left_eye", "irises", "nose", "tesselation", "all"} <= set(
        found["connection_sets"]
    )


def test_core_draws_and_masks_the_face(face_model: object) -> None:
    from comfy_extras.nodes_mediapipe import MediaPipeFaceMask

    picture = render(PEOPLE[1], Scene(framing="close_up"))
    mask = MediaPipeFaceMask.execute(detect(face_model, [picture]), {"regions": "all"}).result[0]
    assert 0.1 < mask.mean() < 0.7
    assert picture.mask[mask[0].numpy() > 0].mean() > 0.9


@pytest.mark.parametrize("yaw", [-90.0, -45.0, 0.0, 45.0, 90.0])
def test_the_measured_yaw_is_the_drawn_one(face_model: object, yaw: float) -> None:
    pictures = [
        render(p, Scene(framing="close_up", jitter=i), yaw=yaw) for i, p in enumerate(PEOPLE)
    ]
    frames = detect(face_model, pictures)["frames"]
    measured = [yaw_of(f[0]["transformation_matrix"]) for f in frames if f]
    assert len(measured) >= 0.9 * len(pictures)
    assert abs(np.median(measured) - yaw) <= 12


def test_no_face_from_behind(face_model: object) -> None:
    pictures = [render(p, Scene(view="back", jitter=i)) for i, p in enumerate(PEOPLE)]
    found = sum(bool(f) for f in detect(face_model, pictures)["frames"])
    assert found <= 2


def test_landmarks_lie_where_they_were_drawn(face_model: object) -> None:
    errors = []
    for person in PEOPLE:
        picture = render(person, scene_of(person.seed, 0))
        found = face_model.detect_batch([picture.image])[0]  # type: ignore[attr-defined]
        assert picture.face is not None
        if found:
            drawn = picture.face.landmarks_xy
            eyes = np.linalg.norm(drawn[33] - drawn[263])
            away = np.linalg.norm(found[0]["landmarks_xy"] - drawn, axis=1)
            errors.append(away.mean() / eyes)
    assert len(errors) >= 0.9 * len(PEOPLE) and np.median(errors) < 0.06


@pytest.mark.parametrize("shape", [(128, 128), (300, 200), (64, 96)])
def test_pictures_of_any_shape(face_model: object, shape: tuple[int, int]) -> None:
    picture = render(PEOPLE[2], Scene(framing="close_up"), min(shape))
    canvas = np.full((*shape, 3), 200, np.uint8)
    canvas[: picture.image.shape[0], : picture.image.shape[1]] = picture.image
    (faces,) = face_model.detect_batch([canvas])  # type: ignore[attr-defined]
    if shape == (128, 128):
        assert faces
    for face in faces:
        x, y = face["landmarks_xy"].mean(0)
        assert 0 <= x < shape[1] and 0 <= y < shape[0]


def test_every_demo_person_has_one_face_that_looks_to_the_front(face_model) -> None:
    for index in range(COUNT):
        (face,) = find_faces(face_model, demo_picture(index))
        assert abs(face.yaw) < 15 and face.eye_distance > 25, index
