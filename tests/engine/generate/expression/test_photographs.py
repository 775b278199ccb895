"""The editor on photographs, seen by real networks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch

from facet.engine.generate.expression.edit import edit
from facet.engine.generate.expression.measured import faces_in
from facet.engine.generate.expression.presets import PRESETS
from facet.engine.generate.expression.run import copied_expression
from facet.engine.vision.faces import Face
from facet.real_faces.models import RealFaces
from harness.faces import between_the_eyes, brows_of, positions

FACES = {
    "turned": ("group_4", 0),
    "tilted": ("group_1", 0),
    "bearded": ("connery_crop", 0),
    "laughing": ("franck_04117", 0),
    "in glasses": ("walter_crop", 0),
    "a painting": ("joconde", 0),
    "small": ("astronaut", 0),
    "speaking": ("obama2", 0),
}
SMILES = ("astronaut", "obama", "queen_crop", "rihanna_crop", "franck_03909", "franck_04117")
AT_REST = ("audrey", "bieber", "cage", "connery", "joconde")


FaceOf = Callable[..., tuple[torch.Tensor, Face]]


@pytest.fixture(scope="module")
def face_of(real_faces: RealFaces) -> FaceOf:
    """A photograph by its name, and one of its faces, counted from the largest."""

    @cache
    def found(name: str, which: int = 0) -> tuple[torch.Tensor, Face]:
        image = real_faces.photographs[name].image
        return image, faces_in(real_faces.model, image)[which]

    return found


def brows_move(image: torch.Tensor, face: Face, sliders: dict[str, float]) -> float:
    """How far any pixel of the brows is taken from elsewhere, in distances between the eyes."""
    places = positions(*image.shape[:2])
    away = (edit(places, face, sliders).image - places)[..., :2] * torch.tensor(image.shape[1::-1])
    brows = brows_of(face, image.shape[:2])
    return float(away.norm(dim=-1)[brows].max()) / between_the_eyes(face)


@pytest.mark.parametrize("kind", FACES)
def test_a_blink_leaves_the_brow_where_it_is(face_of: FaceOf, kind: str):
    image, face = face_of(*FACES[kind])
    assert brows_move(image, face, PRESETS["closed"]) < 0.005


@pytest.mark.parametrize("smile", SMILES)
def test_a_copied_smile_raises_the_corners_of_the_mouth_and_no_brow(
    real_faces: RealFaces, face_of: FaceOf, smile: str
):
    sliders = copied_expression(real_faces.photographs[smile].image, real_faces.model)
    for name in AT_REST:
        image, face = face_of(name)
        assert brows_move(image, face, sliders) < 0.02, name
        done = edit(image, face, sliders)
        up = (face.landmarks - done.landmarks)[[61, 291], 1]
        assert up.min() > 0.02 * between_the_eyes(face), name


@pytest.mark.parametrize("name", [*AT_REST, "biden", "walter_crop", "kim_crop"])
def test_a_face_at_rest_stays_as_it_is_when_it_is_neutralised(face_of: FaceOf, name: str):
    image, face = face_of(name)
    done = edit(image, face, {}, neutralise=True)
    away = np.linalg.norm(done.landmarks - face.landmarks, axis=1)
    assert away.max() < 0.09 * between_the_eyes(face)


@pytest.mark.parametrize("name", ["obama", "franck_04117"])
def test_a_laugh_is_neutralised(real_faces: RealFaces, face_of: FaceOf, name: str):
    image, face = face_of(name)
    done = edit(image, face, {}, neutralise=True)
    again = faces_in(real_faces.model, done.image)[0]
    for side in ("Left", "Right"):
        smile = f"mouthSmile{side}"
        assert again.blendshapes[smile] < 0.7 * face.blendshapes[smile]


@pytest.mark.parametrize(
    ("name", "preset"), product(["audrey", "bieber", "joconde"], ["smile", "surprised", "kiss"])
)
def test_calibrating_strengthens_what_is_heard_and_names_few(
    real_faces: RealFaces, face_of: FaceOf, name: str, preset: str
):
    image, face = face_of(name)
    asked = PRESETS[preset]
    done = edit(image, face, asked, face_model=real_faces.model)
    assert max(map(abs, done.sliders.values())) <= 1.2
    changed = {key for key, value in asked.items() if done.sliders.get(key) != value}
    heard = {key.removesuffix("_r").removesuffix("_l") for key in changed}
    assert heard <= {"smile", "pucker", "brow_inner", "brow_outer", "squint", "blink"}
    [*missed] = [note for note in done.notes if "still misses" in note]
    assert sum(note.count(" by ") for note in missed) <= 4


def test_a_smile_is_calibrated_until_the_detector_sees_it(real_faces: RealFaces, face_of: FaceOf):
    image, face = face_of("bieber")
    done = edit(image, face, PRESETS["smile"], face_model=real_faces.model)
    seen = faces_in(real_faces.model, done.image)[0].blendshapes
    plain = faces_in(real_faces.model, edit(image, face, PRESETS["smile"]).image)[0].blendshapes
    assert plain["mouthSmileLeft"] < seen["mouthSmileLeft"] and seen["mouthSmileLeft"] > 0.7
    assert not any("still misses" in note for note in done.notes)
