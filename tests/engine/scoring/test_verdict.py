"""The rules by which a LoRA is chosen, and what is said of it."""

from dataclasses import replace

import pytest

from facet.engine.scoring.calibrate import Interval, share
from facet.engine.scoring.condition import Diversity
from facet.engine.scoring.verdict import COPY_RATE, choose
from facet.engine.vision.clothes import Garment


def figure(value: float, count: int = 12) -> Interval:
    return Interval(value, value - 0.1, value + 0.1, count)


@pytest.fixture
def card(make_evaluation):
    return make_evaluation(count=12).card


def tried(card, *rows: tuple[int, float, float, float]):
    """Conditions by step, strength, identity and rate of copies."""
    return [
        replace(
            card.best,
            label=f"step {step} at strength {strength:g}",
            step=step,
            strength=strength,
            identity=figure(identity),
            copies=share([n < copies * 20 for n in range(20)]),
        )
        for step, strength, identity, copies in rows
    ]


def test_the_most_alike_is_chosen_unless_it_copies(card):
    rows = tried(card, (100, 1.0, 0.7, 0.0), (200, 1.0, 0.9, 0.0), (300, 1.0, 0.98, 0.5))
    assert choose(rows) == 1
    assert choose(tried(card, (100, 1.0, 0.7, 0.5), (200, 1.0, 0.9, 0.5))) == 1


def test_of_two_as_good_ones_the_natural_strength_and_the_earlier_step_are_taken(card):
    rows = tried(card, (200, 1.5, 0.91, 0.0), (200, 1.0, 0.9, 0.0), (100, 1.0, 0.88, 0.0))
    assert choose(rows) == 2


def test_more_than_the_character_is_no_better_than_the_character(card):
    assert choose(tried(card, (100, 1.0, 0.97, 0.0), (200, 1.5, 1.2, 0.0))) == 0


def test_where_nothing_can_be_judged_the_last_stands_in(make_evaluation):
    card = make_evaluation(on=0.5, off=0.5, own=0.5).card
    assert choose(card.tried) == len(card.tried) - 1


def test_a_weak_view_is_named_with_what_to_add(card):
    by_view = {"front": figure(0.9, 4), "profile_left": figure(0.31, 3)}
    weak = replace(card, best=replace(card.best, identity=figure(0.85), by_view=by_view))
    assert "Add shots in the left profile: at yaw \N{MINUS SIGN}90° it scores 0.31." in weak.verdict
    even = {"front": figure(0.9, 4), "profile_left": figure(0.7, 3)}
    assert "Add shots" not in replace(weak, best=replace(weak.best, by_view=even)).verdict


def test_the_shot_that_is_copied_is_named(card):
    shot = card.best.samples[0].nearest.shot
    samples = tuple(
        replace(one, nearest=replace(one.nearest, copied=number < 3))
        for number, one in enumerate(card.best.samples)
    )
    copies = share([one.nearest.copied for one in samples])
    copying = replace(
        card,
        best=replace(card.best, samples=samples, copies=copies),
        shots={shot: "close-up, front view"},
    )
    assert "(most often: close-up, front view): use an earlier step" in copying.verdict


def test_more_steps_are_no_advice_where_a_later_step_was_no_better(card):
    rows = tried(card, (100, 1.0, 0.6, 0.0), (200, 1.0, 0.6, 0.0))
    early = replace(card, tried=tuple(rows), best=rows[0])
    assert early.verdict.startswith(
        "Close to the character, not yet the same: use step 100 at strength 1."
    )
    late = replace(card, tried=tuple(rows), best=rows[1])
    assert "use step 200 at strength 1, or train longer." in late.verdict


def test_one_picture_over_again_may_be_chance(card):
    once = share([True] + [False] * 11)
    assert once.value > COPY_RATE
    one = replace(card, best=replace(card.best, copies=once, figures=once))
    assert "repeat" not in one.verdict
    two = share([True] * 2 + [False] * 10)
    told = replace(card, best=replace(card.best, copies=two)).verdict
    assert "But 2 of 12 pictures repeat a training picture" in told


def test_a_figure_over_again_is_told_where_no_whole_picture_is(card):
    repeats = replace(card, best=replace(card.best, figures=share([True] * 3 + [False] * 9)))
    assert "But 3 of 12 pictures repeat the figure of a training picture" in repeats.verdict
    both = replace(repeats, best=replace(repeats.best, copies=share([True] * 6 + [False] * 6)))
    assert "But 6 of 12 pictures repeat a training picture" in both.verdict
    assert "the figure" not in both.verdict


@pytest.mark.parametrize(("what", "name"), [("framings", "framing"), ("expressions", "expression")])
def test_what_is_no_longer_obeyed_is_told_where_the_model_itself_obeys(card, what, name):
    stiff = replace(card, best=replace(card.best, **{what: figure(0.4)}))
    told = f"It shows the {name} asked for in 40% of pictures, and in 90% without the LoRA"
    obeys = replace(stiff, off=replace(stiff.off, **{what: figure(0.9)}))
    assert told in obeys.verdict and "lower the strength" in obeys.verdict
    deaf = replace(stiff, off=replace(stiff.off, **{what: figure(0.45)}))
    assert name not in deaf.verdict


def test_a_leak_is_told_when_it_is_the_loras_doing(card):
    worn = Garment((50.0, 60.0, 40.0), "red hoodie", 0.9)
    leaking = replace(
        card, garment=worn, best=replace(card.best, leaks=share([True, True, True, False]))
    )
    assert "In 3 of 4 pictures it wears red hoodie, which nobody asked for" in leaking.verdict
    without = replace(leaking, off=replace(card.off, leaks=share([True] * 4)))
    assert "nobody asked for" not in without.verdict
    assert "nobody asked for" not in replace(leaking, garment=None).verdict


def test_pictures_gone_bad_are_counted(card):
    burnt = replace(card, best=replace(card.best, unspoiled=share([False] * 5 + [True] * 7)))
    assert "5 of 12 pictures are blurred, noisy, burnt or faded" in burnt.verdict


def test_the_same_look_every_time_is_said(card):
    stiff = replace(
        card,
        best=replace(card.best, diversity=Diversity(3.0, 0.1, 8)),
        off=replace(card.off, diversity=Diversity(20.0, 0.6, 8)),
    )
    assert "By its trigger alone it always looks the same way" in stiff.verdict
    one_thing = replace(stiff, best=replace(card.best, diversity=Diversity(3.0, 0.5, 8)))
    assert "same way" not in one_thing.verdict


def test_a_curve_that_still_rises_says_how_much_longer_to_train(card):
    rows = tried(card, (100, 1.0, 0.3, 0.0), (200, 1.0, 0.5, 0.0))
    assert "train 100 steps more" in replace(card, tried=tuple(rows), best=rows[1]).verdict
    flat = tried(card, (100, 1.0, 0.49, 0.0), (200, 1.0, 0.5, 0.0))
    assert "steps more" not in replace(card, tried=tuple(flat), best=flat[1]).verdict


@pytest.mark.parametrize(
    ("strengths", "said"),
    [((0.5, 1.0, 1.5), "highest strength that was tried"), ((1.5, 1.2, 0.5), "lowest strength")],
)
def test_a_best_strength_at_the_end_of_those_tried_is_said(card, strengths, said):
    identities = (0.4, 0.5, 0.6)
    rows = tried(card, *((100, s, i, 0.0) for s, i in zip(strengths, identities, strict=True)))
    assert said in replace(card, tried=tuple(rows), best=rows[2]).verdict
