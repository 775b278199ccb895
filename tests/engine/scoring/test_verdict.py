"""What is said of the LoRA that was chosen."""

from dataclasses import replace

import pytest

from facet.engine.scoring.adherence import Shown
from facet.engine.scoring.calibrate import Interval, Scales, share
from facet.engine.scoring.choice import choose
from facet.engine.scoring.metrics import COPIES
from facet.engine.scoring.variant import Diversity, variant
from facet.engine.vision.clothes import Garment
from harness.variants import changed, tried


def figure(value: float, count: int = 12) -> Interval:
    return Interval(value, value - 0.1, value + 0.1, count)


@pytest.fixture
def card(make_evaluation):
    return make_evaluation(count=12).card


def rows_of(card, *rows: tuple[int, float, float]):
    """Variants by step, strength and how like each of their scenes is."""
    return [tried(card.best, step, strength, [like] * 12) for step, strength, like in rows]


def chosen(card, number: int, *rows, off=None):
    """The card where the variant of that number among ``rows`` was chosen."""
    return replace(card, tried=tuple(rows), best=rows[number], off=off or card.off)


def test_a_weak_view_is_named_with_what_to_add(card):
    by_view = {"front": figure(0.9, 4), "profile_left": figure(0.31, 3)}
    weak = replace(card, best=changed(card.best, identity=figure(0.85), by_view=by_view))
    assert (
        "Add shots in the left profile: at yaw \N{MINUS SIGN}90° similarity is 0.31."
        in weak.verdict
    )
    even = {"front": figure(0.9, 4), "profile_left": figure(0.7, 3)}
    assert "Add shots" not in replace(weak, best=changed(weak.best, by_view=even)).verdict


def test_the_shot_that_is_copied_is_named(card):
    shot = card.best.samples[0].nearest.shot
    samples = tuple(
        replace(one, nearest=replace(one.nearest, copied=number < 3))
        for number, one in enumerate(card.best.samples)
    )
    copies = share([one.nearest.copied for one in samples])
    copying = replace(
        card,
        best=changed(card.best, samples=samples, copies=copies),
        shots={shot: "close-up, front view"},
    )
    told = "(most often: close-up, front view): "
    assert f"{told}add shots that differ from it." in copying.verdict
    alone = replace(copying, tried=(copying.best,))
    assert f"{told}use an earlier step, or add shots that differ from it." in alone.verdict


def test_more_steps_are_no_advice_where_a_later_step_was_no_better(card):
    rows = rows_of(card, (100, 1.0, 0.6), (200, 1.0, 0.6))
    early = replace(card, tried=tuple(rows), best=rows[0])
    assert early.verdict.startswith(
        "Close to the character, not yet the same: use step 100 at strength 1."
    )
    late = replace(card, tried=tuple(rows), best=rows[1])
    assert "use step 200 at strength 1, or train longer." in late.verdict


def test_one_picture_over_again_may_be_chance(card):
    once = share([True] + [False] * 11)
    assert once.value > COPIES.rule.bar
    one = replace(card, best=changed(card.best, copies=once, figures=once))
    assert "reproduce" not in one.verdict
    two = share([True] * 2 + [False] * 10)
    told = replace(card, best=changed(card.best, copies=two)).verdict
    assert "But 2 of 12 images reproduce a training image" in told


def test_a_figure_over_again_is_told_where_no_whole_picture_is(card):
    repeats = replace(card, best=changed(card.best, figures=share([True] * 3 + [False] * 9)))
    assert "But 3 of 12 images reproduce the pose and outfit of a training image" in repeats.verdict
    both = replace(repeats, best=changed(repeats.best, copies=share([True] * 6 + [False] * 6)))
    assert "But 6 of 12 images reproduce a training image" in both.verdict
    assert "the pose" not in both.verdict


@pytest.mark.parametrize(("what", "name"), [("framings", "framing"), ("expressions", "expression")])
def test_what_is_no_longer_obeyed_is_told_where_the_model_itself_obeys(card, what, name):
    best = changed(card.best, **{what: figure(0.4)})
    stiff = replace(card, best=best, tried=(best,))
    told = f"The {name} asked for appears in 40% of images, and in 90% without LoRA"
    obeys = replace(stiff, off=changed(stiff.off, **{what: figure(0.9)}))
    assert told in obeys.verdict
    assert (
        "lower the strength below 1, use an earlier step, or add shots with more varied"
        in obeys.verdict
    )
    deaf = replace(stiff, off=changed(stiff.off, **{what: figure(0.45)}))
    assert name not in deaf.verdict


def test_a_leak_is_told_when_it_is_the_loras_doing(card):
    worn = Garment((50.0, 60.0, 40.0), "red hoodie", 0.9)
    leaking = replace(
        card, garment=worn, best=changed(card.best, leaks=share([True, True, True, False]))
    )
    assert "3 of 4 images show red hoodie although the prompt names no clothes" in leaking.verdict
    without = replace(leaking, off=changed(card.off, leaks=share([True] * 4)))
    assert "the prompt names no clothes" not in without.verdict
    assert "the prompt names no clothes" not in replace(leaking, garment=None).verdict


def test_pictures_gone_bad_are_counted(card):
    burnt = replace(card, best=changed(card.best, unspoiled=share([False] * 5 + [True] * 7)))
    assert "5 of 12 images are blurred, noisy, burnt or faded" in burnt.verdict


def test_the_same_look_every_time_is_said(card):
    stiff = replace(
        card,
        best=changed(card.best, diversity=Diversity(3.0, 0.1, 8)),
        off=changed(card.off, diversity=Diversity(20.0, 0.6, 8)),
    )
    assert "Prompted with the trigger only, every image has the same pose" in stiff.verdict
    one_thing = replace(stiff, best=changed(card.best, diversity=Diversity(3.0, 0.5, 8)))
    assert "same pose" not in one_thing.verdict


def test_a_curve_that_still_rises_says_how_much_longer_to_train(card):
    rows = rows_of(card, (100, 1.0, 0.3), (200, 1.0, 0.5))
    assert "train 100 steps more" in replace(card, tried=tuple(rows), best=rows[1]).verdict
    flat = rows_of(card, (100, 1.0, 0.49), (200, 1.0, 0.5))
    assert "steps more" not in replace(card, tried=tuple(flat), best=flat[1]).verdict


@pytest.mark.parametrize(
    ("strengths", "said"),
    [
        ((0.5, 1.0, 1.5), "The highest strength that was tried"),
        ((1.5, 1.2, 0.5), "The lowest strength"),
    ],
)
def test_a_best_strength_at_the_end_of_those_tried_is_said(card, strengths, said):
    identities = (0.4, 0.5, 0.6)
    rows = rows_of(card, *((100, s, i) for s, i in zip(strengths, identities, strict=True)))
    assert said in replace(card, tried=tuple(rows), best=rows[2]).verdict


HALF = {"views": share([True] * 10 + [False] * 2), "expressions": share([True] * 5 + [False] * 7)}
WELL = {"views": share([True] * 12), "expressions": share([True] * 9 + [False] * 3)}


def test_what_was_gained_over_the_likest_is_said_with_both_numbers(card):
    likest = tried(card.best, 100, 1.0, [0.98] * 12, **HALF)
    obedient = tried(card.best, 200, 0.75, [0.97] * 12, **WELL)
    assert choose([likest, obedient], 1.2) == 1
    assert (
        "use step 200 at strength 0.75. Chosen over step 100 at strength 1, which is as similar on "
        "the same 12 scenes (0.98, this one 0.97): right views 100 % instead of 83 %, right "
        "expressions 75 % instead of 42 %."
    ) in chosen(card, 1, likest, obedient).verdict


def test_what_was_lost_to_it_is_said_too(card):
    likest = tried(card.best, 100, 1.0, [0.98] * 12, **{**HALF, "framings": share([True] * 12)})
    framed = share([True] * 11 + [False])
    obedient = tried(card.best, 200, 0.75, [0.97] * 12, **{**WELL, "framings": framed})
    told = chosen(card, 1, likest, obedient).verdict
    assert "instead of 42 %, but right framings 92 % instead of 100 %." in told


def test_no_trade_is_told_where_nothing_was_given(card):
    for other in (tried(card.best, 100, 1.0, [0.7] * 12, **HALF), tried(card.best, 50, 1, [0.3])):
        best = tried(card.best, 200, 1.0, [0.97] * 12, **WELL)
        verdict = chosen(card, 1, other, best).verdict
        assert "Chosen over" not in verdict and "instead of" not in verdict


def test_a_likest_that_copies_is_named_with_why_it_is_not_taken(card):
    copying = tried(card.best, 400, 1.0, [1.0] * 12, copies=share([True] * 3 + [False] * 9))
    clean = tried(card.best, 200, 1.0, [0.9] * 12)
    assert choose([clean, copying], 1.2) == 0
    assert (
        "Not step 400 at strength 1: its similarity is 1.00, but it reproduces a training image in "
        "3 of 12 images." in chosen(card, 0, clean, copying).verdict
    )


def test_one_that_obeys_better_and_is_less_like_is_named(card):
    freer = tried(card.best, 100, 0.5, [0.6] * 12, **WELL)
    likest = tried(card.best, 200, 1.0, [0.95] * 12, **HALF)
    assert choose([freer, likest], 1.2) == 1
    assert (
        "More obedient but less similar on the same 12 scenes: step 100 at strength 0.5, with "
        "similarity 0.60 instead of 0.95, right views 100 % instead of 83 %, right expressions "
        "75 % instead of 42 %." in chosen(card, 1, freer, likest).verdict
    )


@pytest.mark.parametrize(
    ("others", "advice"),
    [
        ([], "lower the strength below 1, use an earlier step, or add shots"),
        ([(200, 0.75)], "without LoRA: use an earlier step, or add shots"),
        ([(100, 1.0)], "without LoRA: lower the strength below 1, or add shots"),
        ([(200, 0.75), (100, 1.0)], "without LoRA: add shots with more varied expressions."),
        ([(400, 1.0), (200, 1.5)], "lower the strength below 1, use an earlier step, or add shots"),
    ],
)
def test_only_what_was_not_measured_is_advised(card, others, advice):
    poor = {"expressions": share([True] * 4 + [False] * 8)}
    best = tried(card.best, 200, 1.0, [0.9] * 12, **poor)
    rest = [tried(card.best, *other, [0.5] * 12, **poor) for other in others]
    off = changed(card.off, expressions=share([True] * 12))
    assert advice in chosen(card, 0, best, *rest, off=off).verdict


@pytest.mark.parametrize(
    ("like", "last", "said"),
    [
        (0.3, True, "Only a resemblance: train longer, or with more and better shots."),
        (0.3, False, "Only a resemblance: train with more and better shots."),
        (0.1, True, "not show the character: train longer, or with a higher learning rate."),
        (0.1, False, "not show the character: train with a higher learning rate."),
    ],
)
def test_training_longer_is_advised_where_no_later_step_was_tried(card, like, last, said):
    step = 300 if last else 200
    rows = rows_of(card, (step, 1.0, like), (100 if last else 300, 1.0, like))
    assert said in chosen(card, 0, *rows).verdict


@pytest.mark.parametrize(("right", "told"), [((0, 1, 2, 3, 8), False), ((0, 8, 9, 10, 11), True)])
def test_a_first_look_is_compared_on_the_scenes_of_both(card, right, told):
    """What has made four scenes is held against the chosen one's first four, not all its twelve."""
    scales = Scales(card.calibration, card.calibration, {})

    def made(step, right, down=0.0):
        samples = tuple(
            replace(
                one,
                similarity=one.similarity - down,
                shown=Shown(expression=one.prompt.tags.expression if n in right else "closed"),
            )
            for n, one in enumerate(card.best.scenes)
        )
        return variant(f"step {step} at strength 1", samples, scales, True, step=step, strength=1.0)

    best, second = made(200, right), made(300, right, 0.3)
    freer = card.over(made(100, range(12), 0.1), tried(card.best, 1, 1.0, [1.0] * 4))
    verdict = chosen(card, 0, best, second, freer).verdict
    assert ("on the same 4 scenes: step 100 at strength 1" in verdict) is told
    assert ("right expressions 100 % instead of 25 %." in verdict) is told
