import pytest

from facet.engine.generate.character_shot.judge import COPY, NO_FACE, UNLIKE, VIEW, Verdict
from facet.engine.generate.character_shot.remedies import MOST, plan, seed_of
from facet.engine.generate.character_shot.wording import Emphasis


def said(*causes: str) -> Verdict:
    return Verdict(0.4, None, 0.5, 0.0, causes)


@pytest.mark.parametrize(
    ("before", "strength", "emphasis"),
    [
        ([], 1.0, Emphasis()),
        ([(UNLIKE,)], 1.25, Emphasis(1)),
        ([(UNLIKE,), (UNLIKE,)], 1.5, Emphasis(2)),
        ([(COPY,)], 0.8, Emphasis()),
        ([(COPY, UNLIKE)], 0.8, Emphasis()),
        ([(UNLIKE,), (COPY,)], 1.05, Emphasis(1)),
        ([(VIEW,)], 1.0, Emphasis(view=True)),
        ([(VIEW,), (VIEW,)], 0.9, Emphasis(view=True)),
        ([(UNLIKE, VIEW)], 1.25, Emphasis(1, view=True)),
        ([(NO_FACE,)], 1.0, Emphasis(face=True)),
    ],
)
def test_each_cause_has_its_remedy(before, strength, emphasis):
    planned = plan(1.0, [said(*causes) for causes in before], True)
    assert planned.strength == pytest.approx(strength)
    assert planned.emphasis == emphasis
    assert bool(planned.why) == bool(before)


def test_the_strength_stays_within_bounds_that_a_person_may_pass():
    assert plan(1.0, [said(UNLIKE)] * 9, True).strength == MOST
    assert plan(2.0, [said(UNLIKE)], True).strength == 2.0
    assert plan(2.0, [said(COPY)], True).strength == pytest.approx(1.8)
    assert plan(0.2, [said(COPY)] * 9, True).strength == pytest.approx(0.1)
    assert plan(0.05, [said(COPY)] * 9, True).strength == pytest.approx(0.05)


def test_a_lora_in_the_model_keeps_its_strength():
    planned = plan(1.0, [said(UNLIKE)], False)
    assert planned.strength == 1.0 and planned.emphasis.likeness == 1
    assert "LoRA at" not in planned.why


def test_the_first_try_has_the_seed_and_no_two_tries_share_one():
    seed = 2**64 - 2
    assert seed_of(seed, 0, 1) == seed
    seeds = {seed_of(seed, number, attempt) for number in range(50) for attempt in range(1, 11)}
    assert len(seeds) == 500 and all(0 <= one < 2**64 for one in seeds)
