import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facet.engine.generate.expression.table import TEMPLATE as AVERAGE
from facet.engine.vision.alignment import SIDE, TEMPLATE, aligned, five_points, similarity
from harness.faces import astronaut, drawn_face, face_at, larger, mirrored, positions, rolled

ASTRONAUT_POINTS = [(203.2, 101.1), (246.8, 103.5), (224.5, 126.5), (202.4, 139.2), (245.9, 139.7)]
"""Pupils, tip of the nose and corners of the mouth in scikit-image's astronaut, read off the
enlarged picture by hand, apart from the landmarks."""


def turned(image: torch.Tensor, degrees: float, about: tuple[float, float]) -> torch.Tensor:
    """``image`` turned clockwise around a point in px, as `rolled` turns a face."""
    height, width = image.shape[:2]
    turn = math.radians(degrees)
    places = positions(height, width)[..., :2] * torch.tensor([width, height])
    back = torch.tensor([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    source = (places - torch.tensor(about)) @ back.T + torch.tensor(about)
    grid = source / torch.tensor([width, height]) * 2 - 1
    picture = image.movedim(-1, 0)[None]
    return F.grid_sample(picture, grid[None], align_corners=False)[0].movedim(0, -1)


def resized(image: torch.Tensor, by: float) -> torch.Tensor:
    size = [round(extent * by) for extent in image.shape[:2]]
    picture = F.interpolate(image.movedim(-1, 0)[None], size=size, mode="bilinear", antialias=True)
    return picture[0].movedim(0, -1)


def difference(first: torch.Tensor, second: torch.Tensor) -> float:
    """Mean difference of two crops, in 0..1."""
    assert first.shape == second.shape == (SIDE, SIDE, 3)
    return float((first - second).abs().mean())


def test_five_points_of_a_photograph_are_where_a_person_sees_them():
    _, face = astronaut()
    apart = np.linalg.norm(five_points(face) - ASTRONAUT_POINTS, axis=1)
    assert apart.max() < 2


def test_an_average_face_stands_where_arcface_has_it():
    points = five_points(face_at(AVERAGE[:, :2]))
    matrix = similarity(points, TEMPLATE)
    placed = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(placed - TEMPLATE, axis=1).max() < 2


def test_a_similarity_is_found_again_whatever_it_is():
    rng = np.random.default_rng(0)
    for _ in range(20):
        angle, scale, shift = rng.uniform(-3, 3), rng.uniform(0.1, 9), rng.uniform(-99, 99, 2)
        linear = scale * np.array(
            [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        )
        points = rng.uniform(0, 500, (5, 2))
        found = similarity(points, points @ linear.T + shift)
        assert np.allclose(found, np.column_stack([linear, shift]), atol=1e-6)


def test_a_similarity_never_mirrors():
    points = np.array(TEMPLATE)
    found = similarity(points * (-1, 1), points)
    assert np.linalg.det(found[:, :2]) > 0


def test_a_pixel_of_the_crop_is_the_pixel_of_the_picture_that_it_says():
    _, face = astronaut()
    points = five_points(face)
    crop = aligned(positions(512, 512), face).double().numpy()[..., :2] * 512
    matrix = similarity(points, TEMPLATE)  # to whole numbers in the middles of pixels
    back = np.linalg.inv(matrix[:, :2])
    for x, y in ((38, 52), (74, 52), (56, 72), (42, 92), (100, 10)):
        assert crop[y, x] == pytest.approx(back @ (np.array([x, y]) - matrix[:, 2]), abs=0.15)


@pytest.mark.parametrize("degrees", [-40, -15, 15, 40, 120])
def test_a_leaning_head_is_set_upright(degrees):
    image, face = astronaut()
    about = (225.0, 120.0)
    leaning = aligned(turned(image, degrees, about), rolled(face, degrees, about))
    assert difference(leaning, aligned(image, face)) < 0.01


@pytest.mark.parametrize("by", [0.5, 2, 4])
def test_a_face_is_the_same_in_a_picture_of_another_size(by):
    image, face = astronaut()
    crop = aligned(resized(image, by), larger(face, by))
    # At half the size the face has 60 px, and is less sharp in a crop of 112.
    assert difference(crop, aligned(image, face)) < (0.015 if by < 1 else 0.006)


def test_a_mirrored_picture_gives_the_mirrored_crop():
    image, face = astronaut()
    crop = aligned(image.flip(1), mirrored(face, 512)).flip(1)
    # ArcFace's template stands half a pixel to the right of the middle and leans a little.
    shifted = torch.cat([crop[:, :1], crop[:, :-1]], dim=1)
    assert difference(shifted, aligned(image, face)) < 0.015


def test_every_pixel_of_a_large_face_counts():
    image, face = drawn_face(3, size=1024)
    dots = torch.zeros_like(image)
    dots[::2, ::2] = 1
    crop = aligned(dots, face)
    assert crop.std() < 0.03 and crop.mean() == pytest.approx(0.25, abs=0.01)


def test_what_lies_outside_of_the_picture_is_black_or_the_colour_asked_for():
    image, face = astronaut()
    cut, moved = torch.ones_like(image[110:]), replace(face, landmarks=face.landmarks - (0, 110))
    black = aligned(cut, moved)
    assert black[0].max() == 0 and black[-1].min() > 0.999
    colour = torch.tensor([0.2, 0.4, 0.6])
    filled = aligned(cut, moved, fill=colour)
    assert torch.allclose(filled[0], colour.expand(SIDE, 3), atol=1e-5)
    assert torch.allclose(filled[-1], black[-1], atol=1e-5)


def test_a_margin_shows_more_around_the_same_face():
    image, face = astronaut()
    wide = aligned(image, face, size=2 * SIDE, margin=0.5)
    assert wide.shape == (2 * SIDE, 2 * SIDE, 3)
    middle = wide[SIDE // 2 : -SIDE // 2, SIDE // 2 : -SIDE // 2]
    assert difference(middle, aligned(image, face)) < 0.01


@pytest.mark.parametrize("landmarks", [np.full((478, 2), 9.0), np.full((478, 2), np.nan)])
def test_landmarks_that_are_no_face_give_no_crop(landmarks):
    image, face = astronaut()
    assert aligned(image, replace(face, landmarks=landmarks)) is None
