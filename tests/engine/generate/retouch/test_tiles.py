"""Tiles cover a picture, and their seams do not show."""

from __future__ import annotations

import pytest
import torch

from facet.engine.generate.retouch.tiles import Tiles


@pytest.mark.parametrize(
    ("height", "width", "tile", "overlap"),
    [(20, 30, 1024, 128), (1000, 1500, 512, 64), (200, 64, 96, 48), (129, 257, 128, 32)],
)
def test_every_pixel_is_covered_and_neighbours_share_what_they_should(height, width, tile, overlap):
    tiles = Tiles(height, width, tile, overlap)
    covered = torch.zeros(tiles.canvas)
    for top, left in tiles.places:
        covered[top : top + tiles.size[0], left : left + tiles.size[1]] += 1
    assert covered.min() >= 1
    for axis in (0, 1):
        starts = sorted({place[axis] for place in tiles.places})
        assert starts[-1] + tiles.size[axis] == tiles.canvas[axis]
        shared = [starts[at] + tiles.size[axis] - starts[at + 1] for at in range(len(starts) - 1)]
        assert all(one >= overlap for one in shared)


def test_tiles_that_are_left_alone_give_the_picture_back():
    image = torch.rand(200, 150, 3, generator=torch.Generator().manual_seed(0))
    again = Tiles(200, 150, 64, 32).through(image, lambda part, top, left: part)
    assert again.shape == image.shape
    assert torch.allclose(again, image, atol=1e-6)


def test_tiles_that_come_out_brighter_or_darker_fade_into_each_other():
    image = torch.full((96, 160, 3), 0.5)
    tiles = Tiles(96, 160, 96, 32)
    left, right = tiles.places
    shifted = {left: -0.1, right: 0.1}
    made = tiles.through(image, lambda part, top, left: part + shifted[top, left])
    row = made[48, :, 0]
    assert row[0].item() == pytest.approx(0.4) and row[-1].item() == pytest.approx(0.6)
    assert row.diff().min() >= -1e-6
    # Cut hard, the step would be 0.2.
    assert row.diff().max() < 0.02
