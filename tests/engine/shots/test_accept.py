"""The gates, on true pictures of held-out people: they let the right ones pass and no others."""

from __future__ import annotations

import pytest
import torch

from facet.engine.character import Provenance, Shot, Tags
from facet.engine.demo.models import load_models
from facet.engine.shots.accept import Gates, Thresholds, better
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import VIEWS, Scene

PEOPLE = range(HELD_OUT_FROM + 7000, HELD_OUT_FROM + 7012)


def drawn(person: int, **scene: str) -> torch.Tensor:
    picture = render(Identity.from_seed(person), Scene(jitter=person, **scene), 128)
    return torch.from_numpy(picture.image.copy()).to(torch.float32) / 255


@pytest.fixture(scope="module")
def models():
    return load_models()


def gates(person: int, models, **thresholds: float) -> Gates:
    source = drawn(person, framing="close_up")
    return Gates(source, Thresholds(**thresholds), models.face, models.clip_vision)


def test_the_right_view_passes_and_the_opposite_one_fails(models):
    right = opposite = 0
    mirrored = {"three_quarter_left": "three_quarter_right", "profile_left": "profile_right"}
    for person in PEOPLE:
        judge = gates(person, models)
        for asked, other in mirrored.items():
            picture = drawn(person, view=asked, top_colour="green")
            right += judge.view(picture, Tags(view=asked)).passed is True
            opposite += judge.view(picture, Tags(view=other)).passed is True
    assert right >= 0.9 * 2 * len(PEOPLE)
    assert opposite == 0


def test_seen_from_behind_there_is_no_face(models):
    passed = [
        gates(person, models).view(drawn(person, view="back"), Tags(view="back")).passed
        for person in PEOPLE
    ]
    assert sum(passed) >= 0.9 * len(PEOPLE)
    face = gates(PEOPLE[0], models).view(drawn(PEOPLE[0]), Tags(view="back"))
    assert face.passed is False
    assert face.note == "a face shows in a back view"


def test_the_same_person_passes_and_strangers_fail(models):
    same, strangers = [], []
    for person in PEOPLE:
        judge = gates(person, models)
        same += [judge.identity(drawn(person, view=view, top="hoodie")).passed for view in VIEWS]
        others = [other for other in PEOPLE if other != person][:3]
        strangers += [judge.identity(drawn(other, top="hoodie")).passed for other in others]
    assert sum(same) >= 0.9 * len(same)
    assert sum(strangers) <= 0.1 * len(strangers)


def test_a_gate_without_its_model_is_skipped_and_says_so():
    scores = Gates(torch.zeros(64, 64, 3), Thresholds()).measure(
        torch.zeros(64, 64, 3), Tags(view="front")
    )
    assert [score.passed for score in scores] == [None, None]
    assert all("skipped" in score.note for score in scores)


def test_the_better_of_two_tries_fails_fewer_gates_then_is_more_alike(models):
    judge = gates(PEOPLE[0], models)

    def tried(image: torch.Tensor) -> Shot:
        shot = Shot(image, Provenance("generated"), tags=Tags(view="front"))
        return Shot(
            shot.image, shot.provenance, tags=shot.tags, scores=judge.measure(image, shot.tags)
        )

    same, stranger = tried(drawn(PEOPLE[0], top="dress")), tried(drawn(PEOPLE[1], top="dress"))
    assert better(same, None)
    assert better(same, stranger)
    assert not better(stranger, same)
