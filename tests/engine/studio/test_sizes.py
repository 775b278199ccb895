"""Sizes that models work at, and the way back to the pixels of the original."""

from __future__ import annotations

import pytest
import torch

from facet.engine.studio.sizes import MEGAPIXEL, canvas_for, fit, fitting

ODD = [(517, 733), (733, 517), (20, 20), (33, 20), (8000, 6000), (1, 300)]


def marked(width: int, height: int, points: torch.Tensor, spread: float) -> torch.Tensor:
    """A dark picture (H, W, 3) with a round light at each point; its third is each light's own."""
    x, y = torch.arange(width), torch.arange(height)
    image = torch.zeros(height, width, 3)
    for channel, (left, top) in enumerate(points.tolist()):
        row = torch.exp(-((x - left) ** 2) / (2 * spread**2))
        column = torch.exp(-((y - top) ** 2) / (2 * spread**2))
        image[..., channel] = column[:, None] * row
    return image


def centres(image: torch.Tensor) -> torch.Tensor:
    """The centre of light of each channel, (3, 2) in pixels, x first."""
    # Far from a mark, rounding errors and ringing weigh more than the mark itself.
    light = (image - 0.1).clamp_min(0).double()
    total = light.sum((0, 1))
    x = (light.sum(0) * torch.arange(image.shape[1])[:, None]).sum(0) / total
    y = (light.sum(1) * torch.arange(image.shape[0])[:, None]).sum(0) / total
    return torch.stack((x, y), 1)


@pytest.mark.parametrize("size", ODD)
def test_a_canvas_is_made_of_sixteens_near_the_area_asked_for(size):
    width, height = canvas_for(*size)
    assert width % 16 == height % 16 == 0
    if max(size) / min(size) < 4:
        assert abs(width * height / MEGAPIXEL - 1) <= 0.1
        box = fitting(size, (width, height)).box
        assert box[2] * box[3] / (width * height) > 0.98


def test_a_picture_of_the_right_shape_has_no_border():
    assert canvas_for(1024, 1024) == (1024, 1024)
    assert fitting((500, 500), canvas_for(500, 500)).box == (0, 0, 1024, 1024)


@pytest.mark.parametrize("size", [(1024, 1024), (528, 752), (512, 496)])
def test_sixteens_come_back_as_they_were(size):
    image = torch.rand(size[1], size[0], 3)
    laid = fitting(size, size)
    assert torch.equal(laid.undo(laid.apply(image)), image)


@pytest.mark.parametrize("size", [(517, 733), (100, 37)])
def test_a_picture_that_only_gets_a_border_comes_back_to_the_bit(size):
    image = torch.rand(size[1], size[0], 3)
    canvas = tuple(-(-side // 16) * 16 for side in size)
    laid = fitting(size, canvas)
    assert laid.box[2:] == size or min(canvas[0] / size[0], canvas[1] / size[1]) > 1
    small = fitting(size, (size[0] + 5, size[1]))
    assert torch.equal(small.undo(small.apply(image)), image)
    assert torch.equal(small.content(small.apply(image)), image)


@pytest.mark.parametrize("size", [(517, 733), (20, 20), (8000, 600)])
def test_marks_land_where_they_are_said_to_and_come_back(size):
    width, height = size
    spread = max(1.5, min(size) / 40)
    edge = 4 * spread
    points = torch.tensor(
        [[edge, edge], [width - 1 - edge, height / 3], [width / 2 + 0.25, height - 1 - edge]]
    )
    image = marked(width, height, points, spread)
    known = centres(image)
    laid = fitting(size, canvas_for(width, height))
    shown = laid.apply(image)
    assert shown.shape == (laid.canvas[1], laid.canvas[0], 3)
    left, top, wide, tall = laid.box
    scale = torch.tensor((wide / width, tall / height))
    # A pixel's centre is at its whole number, so that (0, 0) is the middle of the first.
    expected = (known + 0.5) * scale - 0.5 + torch.tensor((left, top))
    assert (centres(shown) - expected).abs().max() < 0.5
    back = laid.undo(shown)
    assert back.shape == image.shape
    assert (centres(back) - known).abs().max() < 0.5


def test_a_picture_of_another_size_is_named():
    laid = fitting((517, 733), (832, 1184))
    with pytest.raises(ValueError, match="64 by 64 pixels was given where 832 by 1184"):
        laid.undo(torch.zeros(64, 64, 3))


@pytest.mark.parametrize("size", [(30, 90), (90, 30), (200, 120), (20, 8000)])
def test_fitting_keeps_the_whole_picture_in_the_middle(size):
    image = torch.zeros(*size, 3)
    image[size[0] // 2 - 2 : size[0] // 2 + 2, size[1] // 2 - 2 : size[1] // 2 + 2] = 1
    fitted = fit(image, 64, 64)
    assert fitted.shape == (64, 64, 3)
    if max(size) < 1000:
        bright = fitted[..., 0].nonzero().to(torch.float32)
        assert (bright.mean(0) - 31.5).abs().max() < 1.5


def test_a_picture_of_the_right_size_is_left_as_it_is():
    image = torch.rand(64, 96, 3)
    assert torch.equal(fit(image, 96, 64), image)
