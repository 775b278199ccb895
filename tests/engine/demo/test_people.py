"""Pictures of the demo people."""

from __future__ import annotations

import pytest
import torch

from facet.engine.demo.people import COUNT, demo_picture
from facet.world.demo_people import FIRST, demo_scene
from facet.world.identity import Identity
from facet.world.render import render


def test_all_people_are_there() -> None:
    pictures = torch.stack([demo_picture(i) for i in range(COUNT)])
    assert pictures.shape == (48, 128, 128, 3) and pictures.dtype == torch.float32
    assert pictures.min() >= 0 and pictures.max() <= 1


def test_they_are_the_worlds_held_out_people() -> None:
    drawn = render(Identity.from_seed(FIRST + 7), demo_scene(7)).image
    assert torch.equal((demo_picture(7) * 255).round().byte(), torch.from_numpy(drawn))


@pytest.mark.parametrize("index", [-1, 48])
def test_nobody_else(index: int) -> None:
    with pytest.raises(ValueError, match="there is no person"):
        demo_picture(index)
