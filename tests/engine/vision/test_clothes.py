import random

import pytest
import torch

from facet.engine.core.character import Provenance, Shot, Tags
from facet.engine.demo.face import DemoFaceModel
from facet.engine.vision.clothes import Garment, clothes_colour, own_garment
from facet.engine.vision.faces import find_face
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import Scene

PERSON = Identity.from_seed(HELD_OUT_FROM + 77)


def seen(face: DemoFaceModel, **fixed: str) -> tuple[Shot, tuple[float, float, float] | None]:
    """A picture from the demo world, and the colour of the clothes that are seen in it."""
    scene = Scene.sample(random.Random(repr(fixed)), framing="medium", **fixed)
    image = torch.from_numpy(render(PERSON, scene, 128).image.copy()).to(torch.float32) / 255
    tags = Tags(outfit=scene.outfit)
    shot = Shot(image, Provenance("generated"), tags=tags)
    return shot, clothes_colour(image, find_face(face, image))


def wardrobe(face: DemoFaceModel, colours: list[str]) -> Garment | None:
    views = ("front", "three_quarter_left", "three_quarter_right")
    pairs = [
        seen(
            face,
            view=views[n % 3],
            top="hoodie",
            top_colour=colour,
            lighting="natural",
            place=place,
        )
        for n, (colour, place) in enumerate(zip(colours, ["park", "room", "beach", "city"] * 3))
    ]
    return own_garment([shot for shot, _ in pairs], [colour for _, colour in pairs])


@torch.inference_mode()
def test_the_garment_that_nearly_every_picture_shows_is_the_datasets_own(demo_models):
    garment = wardrobe(demo_models.face, ["red", "red", "red", "blue", "red", "red"])
    assert garment is not None
    assert "red hoodie" in garment.name
    assert garment.share > 0.6
    _, red = seen(
        demo_models.face, view="front", top="sweater", top_colour="red", lighting="natural"
    )
    _, green = seen(
        demo_models.face, view="front", top="hoodie", top_colour="green", lighting="natural"
    )
    assert garment.worn(red) is True
    assert garment.worn(green) is False
    assert garment.worn(None) is None


@torch.inference_mode()
def test_a_dataset_in_many_clothes_has_none_of_its_own(demo_models):
    assert (
        wardrobe(demo_models.face, ["red", "blue", "green", "yellow", "black", "white", "purple"])
        is None
    )


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_pictures_are_too_few_to_say(count):
    shots = [Shot(torch.zeros(8, 8, 3), Provenance("generated"))] * count
    assert own_garment(shots, [(50.0, 60.0, 40.0)] * count) is None


def test_without_a_face_no_clothes_are_looked_for():
    assert clothes_colour(torch.rand(32, 32, 3), None) is None
