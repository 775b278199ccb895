"""The picture follows its landmarks without a fold, and stays as it is everywhere else."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
import torch

from facet.engine.generate.expression.presets import PRESETS
from facet.engine.generate.expression.rig import displaced
from facet.engine.generate.expression.warp import LEAST_JACOBIAN, Warped, warp
from harness.faces import (
    astronaut,
    drawn_face,
    in_a_mirror,
    larger,
    mirrored,
    positions,
    random_sliders,
    rolled,
)

ASTRONAUT, PERSON = astronaut(), drawn_face(3, 256)


def warped(image: torch.Tensor, face, sliders) -> Warped:
    landmarks = torch.from_numpy(face.landmarks)
    return warp(image, landmarks, displaced(landmarks, sliders, face.yaw), face.yaw)


def enlarged(image: torch.Tensor, by: float) -> torch.Tensor:
    return (
        torch.nn.functional.interpolate(
            image.permute(2, 0, 1)[None], scale_factor=by, mode="bicubic"
        )[0]
        .permute(1, 2, 0)
        .clamp(0, 1)
    )


def test_at_rest_the_very_same_tensor_comes_back():
    image, face = ASTRONAUT
    made = warped(image, face, {"smile_l": 0.0})
    assert made.image is image and made.mask.max() == 0
    assert (made.least_jacobian, made.scale) == (1.0, 1.0)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "neutral"])
@pytest.mark.parametrize("case", [ASTRONAUT, PERSON], ids=["photograph", "drawing"])
def test_no_expression_folds_a_face_and_all_around_it_keeps_its_bytes(case, name):
    image, face = case
    before = image.clone()
    made = warped(image, face, PRESETS[name])
    assert torch.equal(image, before)
    assert made.least_jacobian >= LEAST_JACOBIAN and 0 < made.scale <= 1
    assert torch.isfinite(made.image).all() and 0 <= made.image.min() <= made.image.max() <= 1
    unmoved = made.mask == 0
    assert torch.equal(made.image[unmoved], image[unmoved])
    low, high = face.landmarks.min(0), face.landmarks.max(0)
    low, high = low - 0.45 * (high - low), high + 0.45 * (high - low)
    ys, xs = torch.nonzero(made.mask, as_tuple=True)
    assert low[0] <= xs.min() and xs.max() <= high[0]
    assert low[1] <= ys.min() and ys.max() <= high[1]
    assert float((made.image - image).abs().max()) > 0.02


@pytest.mark.parametrize("seed", range(24))
def test_random_faces_in_random_places_never_fold(seed):
    rng = random.Random(seed)
    size = rng.choice([64, 128, 300])
    image, face = drawn_face(rng.randrange(1000), size, yaw=rng.uniform(-45, 45))
    face = rolled(face, rng.uniform(-180, 180), (size / 2, size / 2))
    face = larger(face, rng.uniform(0.3, 1.6))
    made = warped(image, face, random_sliders(rng, rng.randint(1, 20)))
    assert made.least_jacobian >= LEAST_JACOBIAN
    assert torch.isfinite(made.image).all()
    unmoved = made.mask == 0
    assert torch.equal(made.image[unmoved], image[unmoved])


def test_a_mirrored_picture_gives_the_mirrored_result():
    image, face = PERSON
    sliders = {"smile_l": 0.8, "brow_outer_r": 0.7, "blink_r": 0.5, "head_yaw": 4.0}
    here = warped(image, face, sliders).image.flip(1)
    there = warped(image.flip(1), mirrored(face, 256), in_a_mirror(sliders)).image
    assert float((here - there).abs().max()) < 0.02


def test_a_landmark_shows_what_it_showed_where_it_was():
    image, face = positions(300, 400), astronaut()[1]
    sliders = {"smile_l": 0.8, "brow_outer_r": 1.0, "nose_lift": 1.0}
    landmarks = torch.from_numpy(face.landmarks)
    targets = displaced(landmarks, sliders)
    made = warp(image, landmarks, targets)
    for point in (291, 53, 1, 33, 152):
        x, y = (targets[point] - 0.5).tolist()
        part = made.image[int(y) : int(y) + 2, int(x) : int(x) + 2, :2]
        across, along = x - int(x), y - int(y)
        there = torch.lerp(part[0], part[1], along)
        seen = torch.lerp(there[0], there[1], across) * torch.tensor([400.0, 300.0])
        # The spline smooths a little: a twentieth of the way, or a quarter of a pixel.
        allowed = 0.25 + 0.1 * float((targets[point] - landmarks[point]).norm())
        assert float((seen - landmarks[point]).norm()) < allowed


def test_a_move_that_would_fold_goes_a_part_of_its_way_and_leaves_the_rest_alone():
    image, face = ASTRONAUT
    both = warped(image, face, {"jaw_open": -1.0, "pucker": 1.0, "brow_outer_l": 0.8})
    assert both.scale < 0.9 and both.least_jacobian >= LEAST_JACOBIAN
    assert both.reached[283] > 0.95


@pytest.mark.parametrize("at", [(-40.0, 0.0), (0.0, 60.0), (90.0, -50.0)])
def test_a_face_at_the_pictures_border_is_warped_without_a_seam(at):
    image, face = positions(128, 128), larger(drawn_face(3, 256)[1], 0.5)
    landmarks = torch.from_numpy(face.landmarks) + torch.tensor(at)
    made = warp(image, landmarks, displaced(landmarks, PRESETS["laugh"]))
    assert torch.isfinite(made.image).all()
    steps = made.image[..., 0].diff(dim=1).abs().max(), made.image[..., 1].diff(dim=0).abs().max()
    assert max(steps) < 6 / 128


def test_a_face_that_is_nowhere_in_the_picture_changes_nothing():
    image, face = ASTRONAUT
    landmarks = torch.from_numpy(face.landmarks) + 5000
    made = warp(image, landmarks, displaced(landmarks, PRESETS["laugh"]))
    assert made.image is image and made.mask.max() == 0


def test_places_that_are_no_numbers_are_said():
    image, face = ASTRONAUT
    landmarks = torch.from_numpy(face.landmarks)
    with pytest.raises(ValueError, match="not numbers"):
        warp(image, landmarks, landmarks * np.nan)


def test_four_times_the_pixels_take_about_four_times_as_long():
    def seconds(size: int) -> float:
        image = torch.rand(size, size, 3, generator=torch.Generator().manual_seed(0))
        face = larger(astronaut()[1], size / 300)
        landmarks = torch.from_numpy(face.landmarks) - torch.tensor([0.6, 0.25]) * size * 0.2
        targets = displaced(landmarks, PRESETS["smile"])
        begin = [time.process_time()]
        for _ in range(3):
            warp(image, landmarks, targets)
            begin.append(time.process_time())
        return min(np.diff(begin))

    small, large = seconds(512), seconds(2048)
    assert large < 16 * 1.6 * small
