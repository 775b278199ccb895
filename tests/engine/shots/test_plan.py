from collections import Counter

import pytest
import torch

from facet.engine.character import VOCABULARY, Character, Provenance, Shot, Tags
from facet.engine.shots.plan import PRESETS, ShotPlan, ShotRequest, from_lines, portrait, turnaround


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


def test_the_same_seed_plans_the_same_shots_and_another_seed_others():
    assert portrait(16, 3) == portrait(16, 3)
    assert portrait(16, 3) != portrait(16, 4)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_speak_the_controlled_words(name):
    for request in PRESETS[name]().requests:
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
