"""A closing lid slides over the eye, which stays as it is behind it, and leaves no slit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.draw import polygon2mask

from facet.engine.generate.expression.edit import edit
from facet.engine.generate.expression.lids import closing_eyes, closing_lid
from facet.engine.generate.expression.measured import faces_in
from facet.engine.generate.expression.rig import displaced, frame_of, with_rows
from facet.engine.generate.expression.table import EYES, GROUPS
from facet.engine.vision.faces import Face
from facet.real_faces.models import RealFaces
from harness.faces import astronaut, drawn_face, face_at, positions, rolled

CLOSED = {"blink_r": 1.0, "blink_l": 1.0}
CASES = [
    astronaut(),
    drawn_face(3, 256),
    drawn_face(8, 256, yaw=30.0),
    (torch.zeros(512, 512, 3), rolled(astronaut()[1], 70.0, (225.0, 125.0))),
]


def eye_of(face: Face, number: int, size: tuple[int, ...], share: float = 1.0) -> np.ndarray:
    """The pixels of what is seen of an eye, or of the middle ``share`` of it: (H, W) bool."""
    left, upper, lower, right, _ = EYES[number]
    rim = [left, *GROUPS[upper].points, right, *reversed(GROUPS[lower].points)]
    points = face.landmarks[rim]
    points = points[np.argsort(np.arctan2(*(points - points.mean(0)).T))]
    middle = points.mean(0)
    return polygon2mask(size, (middle + share * (points - middle))[:, ::-1])


def sources(image: torch.Tensor, face: Face, sliders: dict[str, float]) -> np.ndarray:
    """Where each pixel is taken from: (H, W, 2) px, x and y."""
    taken = edit(positions(*image.shape[:2]), face, sliders).image[..., :2]
    return (taken * torch.tensor(image.shape[1::-1])).numpy()


def share_of_eye(image: torch.Tensor, face: Face, number: int) -> float:
    """How much of a closed eye is taken from what was seen of it open."""
    size = image.shape[:2]
    open_eye = eye_of(face, number, size, share=0.8)
    x, y = sources(image, face, CLOSED)[eye_of(face, number, size)].T.astype(int)
    inside = (x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])
    return float(open_eye[y[inside], x[inside]].mean())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("number", [0, 1])
def test_nothing_of_an_open_eye_is_seen_in_a_closed_one(case, number):
    assert share_of_eye(*case, number) < 0.03


@pytest.mark.parametrize("case", CASES)
def test_what_is_under_a_lid_that_comes_half_way_stays_as_it_is(case):
    image, face = case
    size = image.shape[:2]
    taken = sources(image, face, {"blink_r": 0.4})
    still = positions(*size)[..., :2].numpy() * size[::-1]
    away = np.linalg.norm(taken - still, axis=-1)
    frame = frame_of(face.landmarks.astype(np.float64), face.yaw)
    ys, xs = np.nonzero(eye_of(face, 0, size, share=0.9))
    iris = frame.inside(face.landmarks[[468]])[0]
    below = frame.inside(np.stack([xs + 0.5, ys + 0.5], axis=1))[:, 1] > iris[1] + 0.02
    assert below.sum() > 3
    assert away[ys[below], xs[below]].max() < 0.03 * face.eye_distance


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("blink", [0.2, 0.6, 1.0])
def test_the_skin_of_a_lid_never_folds(case, blink):
    face = with_rows(case[1])
    landmarks = torch.from_numpy(face.landmarks)
    frame = frame_of(face.landmarks.astype(np.float64), face.yaw)
    start = frame.inside(face.landmarks)
    goal = frame.inside(displaced(landmarks, {"blink_l": blink}, face.yaw).numpy())
    assert closing_eyes(start, goal) == [1]
    lid = closing_lid(1, start, goal, lambda places: places)
    low, high = lid.box
    least = []
    for across in np.linspace(low[0], high[0], 41):
        down = np.linspace(low[1] - 0.05, high[1] + 0.05, 400)
        taken = lid.taken(np.stack([np.full(400, across), down], axis=1))
        assert np.array_equal(taken[:, 0], np.full(400, across))
        least.append((np.diff(taken[:, 1]) / np.diff(down)).min())
    assert min(least) > 0
    assert lid.least_jacobian == pytest.approx(min(least), abs=0.05)


def test_skin_that_is_stretched_much_is_said_where_nothing_paints():
    image, face = astronaut()
    lower = face.landmarks.copy()
    for number, brow in enumerate(((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))):
        lid = list(GROUPS[EYES[number][1]].points[1:-1])
        lower[list(brow)] = lower[lid] - (0, 3)
    frowning = face_at(lower)
    said = "There is little skin to close the eyes with, and it is stretched; connect a studio"
    assert any(said in note for note in edit(image, frowning, CLOSED).notes)
    assert not any(said in note for note in edit(image, frowning, CLOSED, paints=True).notes)
    assert not any(said in note for note in edit(image, face, CLOSED).notes)


@pytest.mark.parametrize(
    ("name", "which"),
    [("biden", 0), ("connery", 0), ("group_4", 0), ("group_6", 2), ("walter_crop", 0)]
    + [(name, 0) for name in ("obama", "audrey", "franck_01829", "joconde", "kim_crop")],
)
def test_on_photographs_eyes_close_and_the_detector_sees_it(
    real_faces: RealFaces, name: str, which: int
):
    image = real_faces.photographs[name].image
    face = faces_in(real_faces.model, image)[which]
    for number in (0, 1):
        assert share_of_eye(image, face, number) < 0.03
