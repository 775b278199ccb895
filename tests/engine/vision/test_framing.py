import random

import pytest

from facet.engine.demo.models import load_face
from facet.engine.vision.faces import find_face
from facet.engine.vision.framing import bands_of, expression_of, face_share, framing_of, view_of
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.scene import Scene
from harness.faces import drawn_picture

VIEWS = ("front", "three_quarter_left", "profile_right")


@pytest.fixture(scope="module")
def face_model():
    return load_face()


def test_view_framing_and_expression_of_people_nobody_has_seen_are_read(face_model):
    rng = random.Random(4)
    right = {"view": 0, "framing": 0, "expression": 0}
    for number in range(60):
        scene = Scene.sample(rng, view=VIEWS[number % 3])
        image = drawn_picture(Identity.from_seed(FIRST + number % 48), scene)
        face = find_face(face_model, image)
        assert face is not None
        framing = framing_of(face_share(face, image.shape[0]), bands_of(face_model))
        right["view"] += view_of(face.yaw) == scene.view
        right["framing"] += framing == scene.framing
        right["expression"] += expression_of(face.blendshapes) == scene.expression
    assert right["view"] >= 58 and right["framing"] >= 58 and right["expression"] >= 54


@pytest.mark.parametrize(("share", "framing"), [(0.4, "close_up"), (0.2, "medium"), (0.1, "full")])
def test_adults_without_bands_of_their_own(share, framing):
    assert framing_of(share, bands_of(object())) == framing


@pytest.mark.parametrize(
    ("shapes", "expression"),
    [
        ({}, "neutral"),
        ({"mouthSmileLeft": 0.6, "mouthSmileRight": 0.5, "jawOpen": 0.5}, "smile"),
        ({"jawOpen": 0.4, "browInnerUp": 0.5}, "surprised"),
        ({"jawOpen": 0.4}, "neutral"),
        ({"browDownLeft": 0.6, "browDownRight": 0.6}, "angry"),
        ({"mouthFrownLeft": 0.4, "mouthFrownRight": 0.4, "browInnerUp": 0.4}, "sad"),
    ],
)
def test_an_expression_is_what_is_plain_to_see(shapes, expression):
    assert expression_of(shapes) == expression
