"""What pictures show, measured into tags: only what nobody said, and once by picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.vision import by_picture
from facet.engine.vision.by_picture import ByPicture, heads_in
from facet.engine.vision.faces import Face, find_face
from facet.engine.vision.framing import expression_of
from facet.engine.vision.people import comparable, different_people
from facet.engine.vision.showing import measured
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.scene import Scene
from harness.faces import drawn_picture

IMPORTED = Provenance("imported")
SCENES = {
    "front smiling": Scene(view="front", framing="close_up", expression="smile"),
    "left": Scene(view="three_quarter_left", framing="medium", expression="neutral"),
    "profile": Scene(view="profile_right", framing="medium", expression="neutral"),
    "far": Scene(view="front", framing="full", expression="neutral"),
    "behind": Scene(view="back", framing="medium"),
}
ANGRY = Scene(view="front", framing="close_up", expression="angry")


def drawn(name: str, **changes: Any) -> Shot:
    image = drawn_picture(Identity.from_seed(FIRST), SCENES[name])
    return Shot(image, IMPORTED).changed(**changes)


def character(*shots: Shot, **changes: Any) -> Character:
    return replace(Character("Ada", "zqx", "person", shots[0], tuple(shots[1:])), **changes)


@torch.inference_mode()
def test_view_framing_and_expression_become_tags(demo_models: DemoModels) -> None:
    seen = measured(character(*map(drawn, SCENES)), demo_models.face)
    tags = {name: shot.tags for name, shot in zip(SCENES, seen.character.pictures)}
    assert tags["front smiling"] == Tags("close_up", "front", "smile")
    assert tags["left"] == Tags("medium", "three_quarter_left", "neutral")
    assert tags["profile"].view == "profile_right" and tags["far"].framing == "full"
    assert tags["behind"] == Tags()  # a back view is not what has no face
    assert [shot.hash for shot in seen.faceless] == [drawn("behind").hash]
    assert seen.lines == [
        "Tagged by what the judge sees in 5 images: view 4, framing 4, expression 4."
    ]


@torch.inference_mode()
def test_low_brows_are_not_called_anger(demo_models: DemoModels) -> None:
    shot = Shot(drawn_picture(Identity.from_seed(FIRST), ANGRY), IMPORTED)
    face = find_face(demo_models.face, shot.image)
    assert face is not None and expression_of(face.blendshapes) == "angry"
    assert measured(character(shot), demo_models.face).character.source.tags.expression == ""


@torch.inference_mode()
def test_what_a_person_wrote_stays(demo_models: DemoModels) -> None:
    own = Tags(framing="medium", expression="sad", outfit="a red coat", details=("a hat",))
    shown = measured(character(drawn("front smiling", tags=own)), demo_models.face).character
    assert shown.source.tags == replace(own, view="front")
    behind = Tags(view="back")
    assert measured(
        character(drawn("left", tags=behind)), demo_models.face
    ).character.source.tags == (replace(behind, framing="medium"))


@pytest.mark.parametrize("source", ["generated", "edited", "original"])
@torch.inference_mode()
def test_what_was_made_or_given_with_its_tags_is_not_measured(
    demo_models: DemoModels, source: Any
) -> None:
    made = drawn("left").changed(provenance=Provenance(source))
    seen = measured(character(made), demo_models.face)
    assert seen.character.source is made and seen.looked_at == 0 and seen.lines == []


def test_without_a_face_model_nothing_is_measured() -> None:
    who = character(drawn("left"))
    assert measured(who, None).character is who


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A face model that finds as many faces side by side as the picture is wide in 10 px."""
    asked = []

    class Crowd:
        framing_bands = (0.27, 0.13)

    def find(_model: object, image: torch.Tensor) -> list[Face]:
        asked.append(image)
        boxes = [(10.0 * n, 0.0, 10.0 * n + 8, 8.0) for n in range(image.shape[1] // 10)]
        return [Face(np.zeros((478, 2)), box, 0, 0, 0, 9, 1, {}) for box in boxes]

    monkeypatch.setattr(by_picture, "find_heads", find)
    model = Crowd()
    model.asked = asked
    yield model


@pytest.mark.parametrize(
    ("people", "said"),
    [(1, ()), (2, ("two people",)), (3, ("three people",)), (7, ("a group of people",))],
)
def test_several_people_are_said(crowd: Any, people: int, said: tuple[str, ...]) -> None:
    shot = Shot(torch.rand(32, 10 * people, 3), IMPORTED)
    seen = measured(character(shot), crowd)
    assert seen.character.source.tags.details == said
    assert ("several people 1" in seen.lines[0]) == bool(said)


def test_two_people_are_expected_where_there_are_two_characters(crowd: Any) -> None:
    both = character(Shot(torch.rand(32, 20, 3), IMPORTED), companions=("bob man",))
    assert measured(both, crowd).character.source.tags.details == ()


def test_a_picture_is_looked_at_once(crowd: Any) -> None:
    shots = [Shot(torch.rand(32, 20, 3), IMPORTED) for _ in range(20)]
    who = character(*shots)
    first = measured(who, crowd).character
    assert len(crowd.asked) == 20
    captioned = who.captioned({shot.hash: "zqx person" for shot in shots})
    again = measured(captioned, crowd).character
    assert len(crowd.asked) == 20
    assert [s.tags for s in again.pictures] == [s.tags for s in first.pictures]
    assert len(heads_in(crowd, [*shots, shots[0]])) == 21 and len(crowd.asked) == 20


def test_only_so_many_pictures_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_picture, "MOST", 3)
    known: ByPicture[int] = ByPicture()
    model, asked = torch.nn.Identity(), []

    def look(places: Any) -> list[int]:
        asked.extend(places)
        return [10 * place for place in places]

    assert known.of(model, "abcde", look) == [0, 10, 20, 30, 40]
    assert known.of(model, "cde", look) == [20, 30, 40] and len(asked) == 5
    known.of(model, "a", look)
    assert len(asked) == 6


def test_people_are_told_from_posters_and_from_one_head_found_twice() -> None:
    def face(x: float, side: float) -> Face:
        return Face(np.zeros((478, 2)), (x, 0, x + side, side), 0, 0, 0, 9, 1, {})

    near, beside, again, poster = face(0, 100), face(150, 80), face(5, 90), face(300, 30)
    assert different_people([near, again, beside, poster]) == (near, beside)
    assert comparable([near, beside, poster], 0.35) == 2 and comparable([], 0.35) == 0
