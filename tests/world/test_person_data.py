"""What the background-removal model is trained on: pictures and masks that stay together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from facet.world.dataset import SIZE, render_people
from facet.world.train_person import BATCH, batch_of, loss_of


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    folder: Path = tmp_path_factory.mktemp("people")
    pictures = render_people(folder / "person.npy", 0, 8, 1, masks=True)
    bare = render_people(folder / "train.npy", 0, 8, 1)
    assert np.array_equal(pictures[..., :3], bare)
    return pictures.reshape(-1, SIZE, SIZE, 4)


def test_the_fourth_channel_is_the_person(people: np.ndarray) -> None:
    assert set(np.unique(people[..., 3])) == {0, 255}
    assert 0.1 < (people[..., 3] > 0).mean() < 0.8


def test_what_moves_takes_its_mask_along(people: np.ndarray) -> None:
    white = people.copy()
    white[..., :3] = white[..., 3:]
    rng = np.random.default_rng(3)
    for _ in range(3):
        x, mask = batch_of(white, rng)
        assert x.shape == (BATCH, 3, SIZE, SIZE) and mask.shape == (BATCH, 1, SIZE, SIZE)
        # The first people stand before other backgrounds, so only the others are white on black.
        shown, truth = x[BATCH // 4 :].mean(1) > 0.3, mask[BATCH // 4 :, 0] > 0.5
        agree = (shown & truth).sum((1, 2)) / (shown | truth).sum((1, 2))
        assert agree.mean() > 0.95


def test_a_perfect_mask_loses_nothing() -> None:
    mask = (torch.rand(2, 16, 16) > 0.5).float()
    assert loss_of((mask * 2 - 1) * 30, mask) < 1e-3 < loss_of(torch.zeros(2, 16, 16), mask)
