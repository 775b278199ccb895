import random

import pytest
import torch
from skimage import data

from facet.engine.core.character import Provenance, Shot
from facet.engine.vision.copies import CopyFinder
from facet.engine.vision.crops import without_background
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.scene import Scene
from harness.faces import drawn_picture

SIDE = 96


def person(x: int, colour: tuple[float, float, float], place: tuple[float, float, float]):
    """A figure on a plain background, in the simplest form that can be copied."""
    image = torch.tensor(place).expand(SIDE, SIDE, 3).clone()
    image[20:44, x : x + 24] = torch.tensor([0.9, 0.7, 0.6])
    image[26:30, x + 5 : x + 9] = 0.1
    image[44:96, x - 8 : x + 32] = torch.tensor(colour)
    return image


RED, BLUE, GREEN, GREY = (0.9, 0.2, 0.2), (0.2, 0.3, 0.9), (0.2, 0.8, 0.3), (0.6, 0.6, 0.6)
DATASET = [person(14, RED, GREY), person(36, BLUE, GREY), person(52, GREEN, (0.8, 0.9, 1.0))]


@pytest.fixture
def finder() -> CopyFinder:
    shots = [Shot(image, Provenance("generated")) for image in DATASET]
    return CopyFinder(shots, torch.eye(3))


@pytest.mark.parametrize("change", ["none", "noise", "brighter", "smaller", "shifted"])
def test_a_training_picture_over_again_is_a_copy(finder, change):
    image = DATASET[1].clone()
    if change == "noise":
        image = (image + 0.05 * torch.randn(image.shape)).clamp(0, 1)
    elif change == "brighter":
        image = image * 0.9 + 0.05
    elif change == "smaller":
        image = image[::2, ::2]
    elif change == "shifted":
        image = image.roll(1, 1)
    nearest = finder.nearest(image, torch.eye(3)[1])
    assert nearest.copied
    assert nearest.shot == finder.shots[1].hash
    assert nearest.cosine == pytest.approx(1)


def test_the_same_person_elsewhere_in_other_clothes_is_none(finder):
    new = person(30, (0.9, 0.8, 0.2), (0.1, 0.1, 0.3))
    assert not finder.nearest(new, torch.eye(3)[0]).copied


def test_a_plain_background_alone_makes_no_copy(finder):
    small_figure = torch.tensor(GREY).expand(SIDE, SIDE, 3).clone()
    small_figure[40:60, 44:52] = torch.tensor([0.8, 0.3, 0.7])
    assert not finder.nearest(small_figure, torch.eye(3)[0]).copied


def test_a_dataset_of_one_picture_is_enough_to_find_its_copy():
    finder = CopyFinder([Shot(DATASET[0], Provenance("original"))], torch.ones(1, 1))
    assert finder.nearest(DATASET[0], torch.ones(1)).copied
    assert not finder.nearest(DATASET[2], torch.ones(1)).copied
    assert finder.usual_cosine is None


def test_a_picture_that_is_in_the_dataset_twice_does_not_hide_copies():
    shots = [Shot(DATASET[0] * scale, Provenance("generated")) for scale in (1.0, 0.99, 0.98)]
    assert CopyFinder(shots, torch.eye(3)).nearest(DATASET[0], torch.eye(3)[0]).copied


def alone(x: int, colour: tuple[float, float, float], place: tuple[float, float, float]):
    """The figure of ``person`` as a mask cuts it out."""
    image = person(x, colour, place)
    mask = (image - torch.tensor(place)).abs().amax(dim=-1) > 0.02
    return without_background(image, mask.float(), torch.full((3,), 0.5))


@pytest.fixture
def figures() -> CopyFinder:
    shots = [Shot(image, Provenance("generated")) for image in DATASET]
    cut = [alone(14, RED, GREY), None, alone(52, GREEN, (0.8, 0.9, 1.0))]
    return CopyFinder(shots, torch.eye(3), figures=cut)


def test_the_figure_of_a_training_picture_in_another_place_is_a_copy_of_the_figure(figures):
    place = (0.1, 0.5, 0.2)
    moved = person(50, RED, place)
    nearest = figures.nearest(moved, torch.eye(3)[0], figure=alone(50, RED, place))
    assert not nearest.copied
    assert nearest.figure.copied and nearest.figure.shot == figures.shots[0].hash


def test_other_clothes_are_another_figure_and_who_cannot_be_cut_out_is_none(figures):
    place = (0.1, 0.5, 0.2)
    dressed = figures.nearest(DATASET[1], torch.eye(3)[0], figure=alone(14, BLUE, place))
    assert dressed.figure is not None and not dressed.figure.copied
    assert figures.nearest(DATASET[0], torch.eye(3)[0]).figure is None


def cropped(image: torch.Tensor, left: float, top: float, right: float, bottom: float):
    """``image`` (H, W, 3) without those shares of it at its sides."""
    height, width, _ = image.shape
    across = slice(round(left * width), width - round(right * width))
    return image[round(top * height) : height - round(bottom * height), across]


@pytest.fixture(scope="module")
def photographs() -> CopyFinder:
    names = ("astronaut", "chelsea", "coffee", "rocket")
    images = [torch.from_numpy(getattr(data, name)()).float() / 255 for name in names]
    return CopyFinder([Shot(one, Provenance("imported")) for one in images], torch.eye(4))


@pytest.mark.parametrize(
    "sides",
    [(0.05,) * 4, (0.1,) * 4, (0.05, 0, 0, 0), (0, 0.1, 0, 0), (0.03, 0.09, 0, 0.06)],
    ids=str,
)
def test_a_cropped_training_photograph_is_a_copy(photographs, sides):
    for number, shot in enumerate(photographs.shots):
        nearest = photographs.nearest(cropped(shot.image, *sides), torch.eye(4)[number])
        assert nearest.copied and nearest.shot == shot.hash
        assert nearest.psnr > 30 and nearest.ssim > 0.95


def test_a_crop_that_is_small_or_dim_is_found_too(photographs):
    image = cropped(photographs.shots[0].image, *(0.05,) * 4)[::3, ::3] * 0.9
    noisy = (image + 0.03 * torch.randn(image.shape, generator=torch.manual_seed(0))).clamp(0, 1)
    assert photographs.nearest(noisy, torch.eye(4)[0]).copied


def test_another_part_of_a_photograph_is_another_picture(photographs):
    half = cropped(photographs.shots[0].image, 0.3, 0.0, 0.0, 0.3)
    assert not photographs.nearest(half, torch.eye(4)[0]).copied


def test_other_pictures_of_a_person_are_no_copies_however_they_are_cut():
    """Thirty true pictures of somebody of the demo world, against fifteen that were trained on."""
    identity, rng = Identity.from_seed(FIRST), random.Random(3)
    drawn = [drawn_picture(identity, Scene.sample(rng)) for _ in range(45)]
    finder = CopyFinder([Shot(one, Provenance("imported")) for one in drawn[:15]], torch.eye(15))
    found = [finder.nearest(one, torch.eye(15)[0]) for one in drawn[15:]]
    assert not any(one.copied for one in found)
    again = [finder.nearest(cropped(one, *(0.05,) * 4), torch.eye(15)[0]) for one in drawn[:15]]
    assert all(one.copied for one in again)
