"""The sizes that pictures are trained at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from facet.engine.core.character import Shot
from facet.engine.training.data.buckets import (
    common_resolution,
    fitted_size,
    shared_sizes,
    size_multiple,
    smaller_pictures,
    views,
)
from facet.engine.training.settings import TrainingSettings
from harness.small_models import SmallModels


@pytest.mark.parametrize(
    ("size", "resolution", "fitted"),
    [
        ((128, 128), 128, (128, 128)),
        ((1024, 1536), 1024, (832, 1248)),
        ((6000, 4000), 1024, (1248, 832)),
        ((500, 333), 1024, (496, 336)),
        ((8, 8), 512, (64, 64)),
        ((3000, 30), 512, (128, 64)),
    ],
)
def test_pictures_keep_their_shape_and_are_not_enlarged(
    size: tuple[int, int], resolution: int, fitted: tuple[int, int]
) -> None:
    assert fitted_size(*size, resolution) == fitted


def test_one_large_photograph_among_small_shots_does_not_decide(
    picture: Callable[..., Shot],
) -> None:
    assert common_resolution([picture(0, 900, 900), picture(1), picture(2)]) == 64


def test_several_resolutions_of_each_picture_weigh_what_it_does(
    picture: Callable[..., Shot],
) -> None:
    shots = [picture(0, 300, 300, weight=2.0), picture(1, 100, 100), picture(2, 150, 150)]
    made = views(shots, TrainingSettings(resolutions="96, 128, 256"), 16)
    sizes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    weights: dict[str, float] = defaultdict(float)
    for view in made:
        sizes[view.shot.hash].append(view.size)
        weights[view.shot.hash] += view.share * view.shot.weight
    assert [sizes[shot.hash] for shot in shots] == [
        [(96, 96), (128, 128), (256, 256)],
        [(96, 96)],
        [(96, 96), (128, 128), (144, 144)],
    ]
    assert [weights[shot.hash] for shot in shots] == pytest.approx([2.0, 1.0, 1.0])


def test_flips_double_the_views_and_not_their_weight(picture: Callable[..., Shot]) -> None:
    made = views([picture(0), picture(1)], TrainingSettings(flip=True), 16)
    assert [view.mirrored for view in made] == [False, True, False, True]
    assert [view.share for view in made] == [0.5] * 4


def test_by_default_each_picture_is_seen_once_at_its_own_size(
    picture: Callable[..., Shot],
) -> None:
    shots = [picture(0), picture(1, 96, 64), picture(2, 100, 64)]
    made = views(shots, TrainingSettings(), 16)
    assert [(view.shot, view.share, view.mirrored) for view in made] == [
        (shot, 1.0, False) for shot in shots
    ]


def test_pictures_of_almost_one_shape_share_a_size_in_batches() -> None:
    pictures = [(1500, 1000), (1500, 1000), (1420, 1000), (1560, 1000), (1000, 1000)]
    fitted = [fitted_size(*picture, 512) for picture in pictures]
    assert len(set(fitted)) == 4
    shared = shared_sizes(pictures, fitted, 4)
    assert len(set(shared[:4])) == 1
    assert shared[4] == fitted[4]


def test_no_picture_loses_much_or_is_enlarged_to_share_a_size() -> None:
    pictures = [(w, h) for w in range(300, 1500, 170) for h in range(300, 1500, 130)]
    fitted = [fitted_size(*picture, 512) for picture in pictures]
    shared = shared_sizes(pictures, fitted, 4)
    for (width, height), own, size in zip(pictures, fitted, shared, strict=True):
        scale = max(size[0] / width, size[1] / height)
        assert size[0] * size[1] / (scale**2 * width * height) >= 7 / 8 or size == own
        assert scale <= max(1, own[0] / width, own[1] / height)
        assert size[0] % 16 == size[1] % 16 == 0
    assert len(set(shared)) < len(set(fitted)) / 2


def test_a_size_that_fills_a_batch_is_left_alone() -> None:
    pictures = [(1500, 1000)] * 5 + [(1420, 1000)] * 4
    fitted = [fitted_size(*picture, 512) for picture in pictures]
    assert len(set(fitted)) == 2
    assert shared_sizes(pictures, fitted, 4) == fitted


@pytest.mark.parametrize(
    ("patch", "factor", "multiple"),
    [(2, 8, 16), (1, 16, 32), ((1, 2, 2), 8, 16), (16, 1, 16), (None, 8, 16)],
)
def test_sides_are_multiples_of_what_vae_and_model_need(
    patch: Any, factor: int, multiple: int
) -> None:
    network = SimpleNamespace() if patch is None else SimpleNamespace(patch_size=patch)
    vae = SimpleNamespace(spacial_compression_encode=lambda: factor)
    assert size_multiple(SimpleNamespace(diffusion_model=network), vae) == multiple


def test_flux_needs_multiples_of_16(models: SmallModels) -> None:
    assert size_multiple(models.model.model, models.vae) == 16


def test_pictures_smaller_than_asked_are_named(picture: Callable[..., Shot]) -> None:
    shots = [picture(0), picture(1, 128, 128)]
    assert smaller_pictures(shots, TrainingSettings(resolutions="64 96")).startswith(
        "1 of 2 images are smaller than 96 by 96 pixels"
    )
    assert smaller_pictures(shots, TrainingSettings(resolution=64)) == ""
    assert smaller_pictures(shots, TrainingSettings()) == ""
