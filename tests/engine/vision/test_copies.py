import pytest
import torch

from facet.engine.core.character import Provenance, Shot
from facet.engine.vision.copies import CopyFinder
from facet.engine.vision.crops import without_background

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
