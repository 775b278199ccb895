from collections import Counter

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.core.vocabulary import VOCABULARY
from facet.engine.generate.shots.plan import ShotPlan, ShotRequest, from_lines
from facet.engine.generate.shots.presets import LARGE_SET, PRESETS, portrait, turnaround


@pytest.mark.parametrize("count", [16, 25, 40])
def test_a_portrait_plan_keeps_the_guides_proportions(count):
    coverage = portrait(count).coverage()
    assert sum(coverage["view"].values()) == count
    for framing, share in (("close_up", 0.4), ("medium", 0.3), ("full", 0.3)):
        assert abs(coverage["framing"][framing] - share * count) < 1
    plain = sum(n for value, n in coverage["background"].items() if value.startswith("plain"))
    assert abs(plain - 0.3 * count) < 1
    assert len(coverage["outfit"]) == 4
    left, right = coverage["view"]["profile_left"], coverage["view"]["profile_right"]
    assert abs(left - right) <= 1 and min(left, right) > 0


@pytest.mark.parametrize("count", [25, 40, 50])
def test_a_large_plan_reaches_every_view_light_and_expression(count):
    coverage = portrait(count, shares=LARGE_SET).coverage()
    for axis in ("view", "lighting", "expression", "framing"):
        assert set(coverage[axis]) == set(VOCABULARY[axis])


def test_presets_keep_their_names_and_numbers():
    sizes = {name: len(preset((), ()).requests) for name, preset in PRESETS.items()}
    assert all(name.endswith(f"({count})") for name, count in sizes.items())
    assert list(sizes)[:5] == [
        "turnaround (6)",
        "face close-ups (5)",
        "compact LoRA (16)",
        "portrait LoRA (25)",
        "full character (40)",
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_own_outfits_and_places_take_the_place_of_the_presets(name):
    requests = PRESETS[name](("a red dress", "a suit"), ("on a boat",)).requests
    assert {request.tags.outfit for request in requests} <= {"a red dress", "a suit"}
    where = {request.tags.background for request in requests}
    assert {place for place in where if not place.startswith("plain ")} <= {"on a boat"}


def test_the_same_seed_plans_the_same_shots_and_another_seed_others():
    assert portrait(16, 3) == portrait(16, 3)
    assert portrait(16, 3) != portrait(16, 4)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_speak_the_controlled_words(name):
    for request in PRESETS[name]((), ()).requests:
        for axis, values in VOCABULARY.items():
            value = getattr(request.tags, axis)
            assert not value or not values or value in values


def test_own_lines_are_understood():
    (request,) = from_lines(
        "# a comment\n\nclose-up, Left Profile, smiling, wearing a red dress, in a park, with a cat"
    ).requests
    assert request.tags == Tags(
        framing="close_up",
        view="profile_left",
        expression="smile",
        outfit="a red dress",
        background="in a park",
        details=("with a cat",),
    )


def test_a_line_that_contradicts_itself_is_named():
    with pytest.raises(ValueError, match=r"Line 2 .* two views"):
        from_lines("front view\nfront view, back view")


def test_what_the_character_has_is_not_asked_again():
    plan = turnaround()
    have = plan.requests[1].tags

    def shot(tags: Tags, seed: int, include: bool) -> Shot:
        image = torch.rand(8, 8, 3, generator=torch.Generator().manual_seed(seed))
        return Shot(image, Provenance("generated"), tags=tags, include=include)

    ada = Character(
        "Ada",
        "zqx",
        "person",
        shot(Tags(), 0, True),
        (shot(have, 1, True), shot(plan.requests[2].tags, 2, False)),
    )
    left = plan.missing_from(ada)
    assert Counter(left.requests) == Counter(plan.requests) - Counter([ShotRequest(have)])
    twice = ShotPlan((ShotRequest(have), ShotRequest(have)))
    assert len(twice.missing_from(ada).requests) == 1


def test_a_shot_that_shows_more_covers_a_line_and_one_that_shows_less_does_not():
    plan = from_lines("front view, smiling\nfront view\nback view, in a park")
    pictures = [
        (Tags(view="front", details=("with a cat",)), Provenance("generated")),
        (Tags(view="front", expression="smile", framing="full"), Provenance("generated")),
        (Tags(view="back"), Provenance("generated")),
    ]
    assert plan.covered_by(pictures) == [True, True, False]


def test_one_shot_covers_one_line_and_as_many_are_covered_as_can_be():
    plan = from_lines("front view\nfront view, smiling\nfront view, smiling, in a park")
    smiling = Tags(view="front", expression="smile")
    in_park = Tags(view="front", expression="smile", background="in a park")
    generated = Provenance("generated")
    assert sum(plan.covered_by([(in_park, generated)])) == 1
    assert sum(plan.covered_by([(in_park, generated), (smiling, generated)])) == 2
    three = [(in_park, generated), (smiling, generated), (Tags(view="front"), generated)]
    assert plan.covered_by(three) == [True, True, True]
