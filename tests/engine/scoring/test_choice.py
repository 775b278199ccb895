"""Which of the LoRAs that were tried is used."""

from dataclasses import replace

import pytest

from facet.engine.scoring.calibrate import share
from facet.engine.scoring.choice import as_like, behind, choose
from harness.variants import tried

TWELVE = (0.7, 1.3, 0.9, 1.1, 0.8, 1.2, 0.75, 1.25, 0.95, 1.05, 0.85, 1.15)
"""Scenes that differ more among themselves than LoRAs do."""


def over(score: float, count: int = 12) -> list[float]:
    return [score] * count


def part(right: int, count: int = 12):
    return share([number < right for number in range(count)])


@pytest.fixture
def one(make_evaluation):
    """A variant to make others of; it obeys in all and copies nothing."""
    return make_evaluation(count=12).card.best


def test_the_most_alike_is_chosen_unless_it_copies(one):
    copying = part(6)
    rows = [tried(one, 100, 1.0, over(0.7)), tried(one, 200, 1.0, over(0.9))]
    assert choose([*rows, tried(one, 300, 1.0, over(0.98), copies=copying)], 1.2) == 1
    copies = [
        tried(one, 100 * n, 1.0, over(like), copies=copying) for n, like in ((1, 0.7), (2, 0.9))
    ]
    assert choose(copies, 1.2) == 1


def test_of_two_as_good_ones_the_natural_strength_and_the_earlier_step_are_taken(one):
    rows = [(200, 1.5, 0.91), (200, 1.0, 0.9), (100, 1.0, 0.88)]
    assert choose([tried(one, step, at, over(like)) for step, at, like in rows], 1.2) == 2


def test_more_than_the_likest_shot_is_no_better_than_it(one):
    rows = [tried(one, 100, 1.0, over(1.16)), tried(one, 200, 1.5, over(1.4))]
    assert choose(rows, 1.2) == 0
    assert choose(rows, 1.4) == 1


def test_where_nothing_can_be_judged_the_last_stands_in(make_evaluation):
    card = make_evaluation(on=0.5, off=0.5, own=0.5).card
    assert choose(card.tried, 1.2) == len(card.tried) - 1


def test_of_those_as_like_the_one_that_obeys_best_is_taken(one):
    """What was seen on a true run: the likeliest had lost its expressions."""
    likest = tried(one, 100, 1.0, over(0.98), views=part(10), expressions=part(5))
    obedient = tried(one, 200, 0.75, over(0.97), views=part(12), expressions=part(9))
    assert choose([likest, obedient], 1.2) == 1
    assert choose([obedient, likest], 1.2) == 0


def test_what_is_less_like_is_not_taken_however_well_it_obeys(one):
    freer = tried(one, 100, 0.5, over(0.8), expressions=part(12))
    assert choose([freer, tried(one, 200, 1.0, over(0.95), expressions=part(2))], 1.2) == 1


def test_of_those_that_obey_alike_the_one_that_copies_least_is_taken(one):
    copying = tried(one, 200, 1.0, over(0.95), figures=part(2))
    assert choose([copying, tried(one, 200, 0.75, over(0.95))], 1.2) == 1


def test_a_difference_is_told_scene_by_scene_however_much_scenes_differ(one):
    best = tried(one, 200, 1.0, TWELVE)
    less = tried(one, 100, 1.0, [like - 0.09 for like in TWELVE])
    assert behind(less, best, 1.5) == pytest.approx(0.09)
    assert best.identity.low < less.identity.value  # each lies in the other's interval
    assert as_like([best, less], 1.5) == [0]
    near = tried(one, 100, 1.0, [like - 0.04 for like in TWELVE])
    assert as_like([best, near], 1.5) == [0, 1]


def test_a_scene_with_a_stranger_does_not_decide(one):
    lost = tried(one, 200, 1.0, [0.0, *TWELVE[1:]])
    assert behind(lost, tried(one, 100, 1.0, TWELVE), 1.5) == 0
    assert behind(tried(one, 100, 1.0, [like - 0.09 for like in TWELVE]), lost, 1.5) > 0.08


@pytest.mark.parametrize(
    ("count", "apart", "told"),
    [
        (4, 0.14, False),
        (4, 0.16, True),
        (8, 0.07, False),
        (8, 0.08, True),
        (12, 0.06, True),
        (24, 0.06, True),
    ],
)
def test_the_fewer_scenes_the_less_is_told_apart(make_evaluation, count, apart, told):
    one = make_evaluation(count=24).card.best
    best = tried(one, 200, 1.0, over(0.95, count))
    assert (as_like([best, tried(one, 100, 1.0, over(0.95 - apart, count))], 1.2) == [0]) is told


@pytest.mark.parametrize("count", [4, 12])
def test_where_the_best_is_the_same_character_the_others_are_it_too(one, count):
    """Chosen once: the median 0.73 beside 0.86, as most scenes were equal."""
    best = tried(one, 200, 1.0, over(0.78, count))
    assert as_like([best, tried(one, 100, 1.0, over(0.74, count))], 1.2) == [0]
    assert as_like([best, tried(one, 100, 1.0, over(0.76, count))], 1.2) == [0, 1]
    close = tried(one, 200, 1.0, over(0.7, count))
    assert as_like([close, tried(one, 100, 1.0, over(0.66, count))], 1.2) == [0, 1]


def test_medians_that_lie_apart_are_told_however_many_scenes_are_equal(one):
    best = tried(one, 200, 1.0, [0.76] * 5 + [1.0] * 7)
    lower = tried(one, 100, 1.0, [0.76] * 5 + [0.88] * 2 + [1.0] * 5)
    assert behind(lower, best, 1.2) < 0.05
    assert as_like([best, lower], 1.2) == [0]


def test_the_best_is_one_of_those_with_the_most_scenes(one):
    seen, glimpsed = tried(one, 200, 1.0, over(0.9)), tried(one, 100, 1.0, over(1.0, 4))
    assert as_like([glimpsed, seen], 1.2) == [1, 0]
    lost = tried(one, 100, 1.0, over(0.5, 4))
    assert as_like([lost, seen], 1.2) == [1]


def test_a_single_copy_may_be_chance(one):
    once = tried(one, 200, 1.0, over(0.95), copies=part(1))
    assert choose([once, tried(one, 100, 1.0, over(0.8))], 1.2) == 0
    twice = replace(once, metrics={**once.metrics, "copies": part(2)})
    assert choose([twice, tried(one, 100, 1.0, over(0.8))], 1.2) == 1
