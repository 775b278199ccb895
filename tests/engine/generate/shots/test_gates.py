"""The gates, on true pictures of held-out people: they let the right ones pass and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facet.engine.core.character import Provenance, Score, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.generate.shots.gates import GATES, Gates, Seen, Thresholds, look, persons, view
from facet.engine.generate.shots.make import JudgedShot
from facet.engine.generate.shots.reading import Reading
from facet.engine.vision.measures import measures_of
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import FRAMINGS, VIEWS, Scene

PEOPLE = range(HELD_OUT_FROM + 7000, HELD_OUT_FROM + 7012)
ANYTHING = Tags()
FACES = tuple(view for view in VIEWS if view != "back")


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.copy()).to(torch.float32) / 255


def drawn(person: int, size: int = 128, **scene: str) -> torch.Tensor:
    return tensor(render(Identity.from_seed(person), Scene(jitter=person, **scene), size).image)


def two(person: int, other: int, side_by_side: bool, **scene: str) -> torch.Tensor:
    """Two people in one picture: in one place, or in two pictures beside each other."""
    first, second = (
        render(Identity.from_seed(one), Scene(jitter=one, **scene), 128) for one in (person, other)
    )
    if side_by_side:
        return tensor(np.concatenate([first.image, second.image], axis=1))
    image = np.full_like(first.image, 150)
    for picture, shift in ((first, -34), (second, 34)):
        mask = np.roll(picture.mask, shift, axis=1)
        mask[:, (slice(shift, None) if shift < 0 else slice(0, shift))] = False
        image[mask] = np.roll(picture.image, shift, axis=1)[mask]
    return tensor(image)


def blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    reach = round(4 * sigma)
    at = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-(at**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    padded = F.pad(image.movedim(-1, 0)[None], [reach] * 4, mode="replicate")
    across = F.conv2d(padded, kernel[:, :, None, :], groups=3)
    return F.conv2d(across, kernel[:, :, :, None], groups=3)[0].movedim(0, -1)


@pytest.fixture(
    params=[
        pytest.param(4, id="few people"),
        pytest.param(len(PEOPLE), id="many people", marks=pytest.mark.nightly),
    ]
)
def people(request: pytest.FixtureRequest) -> range:
    """Those whose shares are counted."""
    return PEOPLE[: request.param]


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


def gates(person: int, models: Any, **thresholds: Any) -> Gates:
    source = drawn(person, framing="close_up")
    return Gates(source, Thresholds(**thresholds), models.face, models.clip_vision)


def verdicts(judge: Gates, image: torch.Tensor, tags: Tags = ANYTHING) -> dict[str, Score]:
    return {score.gate: score for score in judge.measure(image, tags)}


def share(found: list[bool | None]) -> float:
    return sum(one is True for one in found) / len(found)


def test_the_right_view_and_framing_pass_and_others_fail(models, people):
    right_view, opposite, right_framing, other_framing = [], [], [], []
    mirrored = {"three_quarter_left": "three_quarter_right", "profile_left": "profile_right"}
    for number, person in enumerate(people):
        judge = gates(person, models)
        for asked, other in mirrored.items():
            for framing in FRAMINGS:
                image = drawn(person, view=asked, framing=framing, top_colour="green")
                reading = judge.read(image)
                wrong = FRAMINGS[(FRAMINGS.index(framing) + 1 + number % 2) % 3]
                true, false = (
                    {score.gate: score.passed for score in judge.judge(reading, tags)}
                    for tags in (Tags(framing, asked), Tags(wrong, other))
                )
                right_view.append(true["view"])
                opposite.append(false["view"])
                right_framing.append(true["framing"])
                other_framing.append(false["framing"])
    assert share(right_view) >= 0.9
    assert share(opposite) == 0
    assert share(right_framing) >= 0.9
    assert share(other_framing) <= 0.1


def test_seen_from_behind_there_is_no_face(models):
    judge, back = gates(PEOPLE[0], models), Tags(view="back")
    pictures = [drawn(person, view="back") for person in PEOPLE]
    assert share([verdicts(judge, picture, back)["view"].passed for picture in pictures]) >= 0.9
    face = verdicts(judge, drawn(PEOPLE[0]), back)["view"]
    assert face.passed is False
    assert face.note == "a face shows in a back view"


def test_the_same_person_passes_at_every_yaw_and_strangers_fail(models, people):
    same, strangers = [], []
    for person in people:
        judge = gates(person, models)
        for asked in VIEWS:
            tags = Tags(view=asked)
            image = drawn(person, view=asked, top="hoodie")
            same.append(verdicts(judge, image, tags)["identity"].passed)
            other = PEOPLE[(person - PEOPLE[0] + 1 + len(strangers) % 5) % len(PEOPLE)]
            image = drawn(other, view=asked, top="hoodie")
            strangers.append(verdicts(judge, image, tags)["identity"].passed)
    assert share(same) >= 0.9
    assert share(strangers) <= 0.1


def test_one_person_passes_and_two_in_one_picture_fail(models, people):
    alone, together = [], []
    for number, person in enumerate(people):
        judge, other = gates(person, models), PEOPLE[(number + 5) % len(PEOPLE)]
        for framing, beside in (("full", False), ("medium", True), ("close_up", True)):
            scene = {"view": FACES[number % len(FACES)], "framing": framing}
            alone.append(verdicts(judge, drawn(person, **scene))["persons"].passed)
            together.append(verdicts(judge, two(person, other, beside, **scene))["persons"].passed)
    assert share(alone) >= 0.9
    assert share(together) <= 0.1


def test_sharp_pictures_pass_at_any_size_and_blurred_ones_fail(people):
    sharp, soft = [], []
    for number, person in enumerate(people):
        judge = Gates(drawn(person, framing="close_up"), Thresholds())
        place = ("plain", "park", "night")[number % 3]
        for framing in FRAMINGS:
            image = drawn(person, framing=framing, place=place)
            sharp.append(verdicts(judge, image)["sharpness"].passed)
            soft.append(verdicts(judge, blurred(image, 1.25))["sharpness"].passed)
        large = drawn(person, 256, framing="medium", place=place)
        sharp.append(verdicts(judge, large)["sharpness"].passed)
    assert share(sharp) >= 0.9
    assert share(soft) <= 0.1


def test_the_same_picture_again_is_a_duplicate_and_another_expression_is_not(models, people):
    again, other = [], []
    for person in people:
        judge = gates(person, models)

        def seen(image: torch.Tensor, name: str, judge: Gates = judge) -> Any:
            reading = judge.read(image)
            return reading, look(image, reading, name)

        first = drawn(person, framing="close_up", expression="neutral")
        noise = torch.randn(first.shape, generator=torch.Generator().manual_seed(person))
        _, before = seen(first, "first")
        for image, found in (
            ((first + 0.01 * noise).clamp(0, 1), again),
            (drawn(person, framing="close_up", expression="surprised"), other),
            (drawn(person, framing="close_up", top_colour="red"), other),
        ):
            reading, this = seen(image, "this")
            found.append(judge.judge(reading, Tags(), this, [before])[-1].passed)
    assert share(again) <= 0.1
    assert share(other) >= 0.9


def test_a_shot_is_no_duplicate_of_itself(models):
    judge = gates(PEOPLE[0], models)
    image = drawn(PEOPLE[0])
    reading = judge.read(image)
    this = look(image, reading, "same")
    assert judge.judge(reading, Tags(), this, [this])[-1].passed is None


@pytest.mark.parametrize(
    ("asked", "pitch", "passed"),
    [("top", -25, True), ("top", 4, False), ("low", 25, True), ("low", -25, False)],
)
def test_views_from_above_and_below_are_told_by_the_pitch(asked, pitch, passed):
    reading = Reading(face_model="some", faces=1, yaw=0.0, pitch=float(pitch), face_height=0.3)
    assert view(Seen(reading, Tags(view=asked), Thresholds())).passed is passed


def test_a_nose_that_shows_from_behind_fails_where_poses_are_measured():
    unseen = (0.0,) * 51
    for score, passed in ((0.9, False), (0.1, True)):
        reading = Reading(face_model="faces", pose_model="poses", pose=(0.5, 0.2, score, *unseen))
        assert view(Seen(reading, Tags(view="back"), Thresholds())).passed is passed


NOBODY = Reading(face_model="faces", person_model="people")
SOMEBODY = replace(NOBODY, people=1)
UNKNOWN = Reading(face_model="faces")


@pytest.mark.parametrize(
    ("asked", "reading", "passed"),
    [
        ("back", NOBODY, False),
        ("back", SOMEBODY, None),
        ("back", UNKNOWN, None),
        ("profile_left", NOBODY, False),
        ("profile_left", SOMEBODY, None),
        ("profile_left", UNKNOWN, False),
        ("three_quarter_left", SOMEBODY, False),
    ],
)
def test_where_no_face_is_found_a_person_may_be_turned_away(asked, reading, passed):
    assert view(Seen(reading, Tags(view=asked), Thresholds())).passed is passed


def test_a_model_that_sees_everybody_tells_a_back_view_by_its_lack_of_a_face(models):
    seen = Seen(UNKNOWN, Tags(view="back"), Thresholds(), measures=measures_of(models.face))
    assert view(seen).passed is True
    assert view(replace(seen, reading=NOBODY)).passed is False


def test_nobody_is_no_one_person():
    assert persons(Seen(NOBODY, ANYTHING, Thresholds())).passed is None
    assert persons(Seen(SOMEBODY, ANYTHING, Thresholds())).passed is True


def test_the_more_a_shot_is_turned_the_less_alike_it_has_to_be():
    limits = [Thresholds().identity(yaw) for yaw in (0, -45, 90, 180)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] == Thresholds().min_identity


def test_a_gate_without_its_model_is_skipped_and_says_so():
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1))
    scores = verdicts(Gates(image, Thresholds()), image, Tags("medium", "front"))
    for gate in ("view", "framing", "persons", "identity"):
        assert scores[gate].passed is None
        assert scores[gate].note.startswith("skipped: no ")
    assert scores["sharpness"].passed is True


def test_a_gate_that_is_switched_off_says_so_and_fails_nothing(models):
    judge = gates(PEOPLE[0], models, off=frozenset(GATES))
    scores = judge.measure(drawn(PEOPLE[1], view="back"), Tags("close_up", "front"))
    assert {(score.passed, score.note) for score in scores} == {(None, "switched off")}


def test_the_better_of_two_tries_fails_fewer_gates_then_is_more_alike(models):
    judge = gates(PEOPLE[0], models)

    def tried(image: torch.Tensor) -> Shot:
        tags = Tags(view="front")
        return Shot(image, Provenance("generated"), tags=tags, scores=judge.measure(image, tags))

    same, stranger = tried(drawn(PEOPLE[0], top="dress")), tried(drawn(PEOPLE[1], top="dress"))
    assert JudgedShot(same, Reading()).rank > JudgedShot(stranger, Reading()).rank
