import pytest

from facet.engine.generate.attempts import Attempt
from facet.engine.generate.character_shot.judge import COPY, NO_FACE, UNLIKE, VIEW, Verdict
from facet.engine.generate.character_shot.remedies import (
    MOST,
    emphasis_after,
    next_attempt,
    strength_after,
)
from facet.engine.generate.character_shot.wording import Emphasis, Wording


def said(*causes: str) -> Verdict:
    return Verdict(0.4, None, 0.5, 0.0, causes)


def following(
    strength: float, *before: tuple[str, ...], adjustable: bool = True, seed: int = 0
) -> Attempt:
    """The attempt after those with the causes ``before``, its emphasis in its prompt."""
    return next_attempt(
        Attempt(seed, "smiling", lora_strength=strength),
        [said(*causes) for causes in before],
        adjustable,
        lambda emphasis: Wording(f"smiling {emphasis}", "", ""),
    )


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
    attempt = following(1.0, *before)
    assert attempt.lora_strength == pytest.approx(strength)
    assert emphasis_after([said(*causes) for causes in before]) == emphasis
    assert attempt.prompt == f"smiling {emphasis}"
    assert bool(attempt.reason) == bool(before)


def test_the_strength_stays_within_bounds_that_a_person_may_pass():
    assert strength_after(1.0, [said(UNLIKE)] * 9) == MOST
    assert strength_after(2.0, [said(UNLIKE)]) == 2.0
    assert strength_after(2.0, [said(COPY)]) == pytest.approx(1.8)
    assert strength_after(0.2, [said(COPY)] * 9) == pytest.approx(0.1)
    assert strength_after(0.05, [said(COPY)] * 9) == pytest.approx(0.05)


def test_a_lora_in_the_model_keeps_its_strength():
    attempt = following(1.0, (UNLIKE,), adjustable=False)
    assert attempt.lora_strength == 1.0 and attempt.prompt == f"smiling {Emphasis(1)}"
    assert "LoRA at" not in attempt.reason


def test_the_first_try_has_the_seed_and_no_two_tries_share_one():
    seed = 2**64 - 2
    assert following(1.0, seed=seed).seed == seed
    seeds = {
        following(1.0, *[(VIEW,)] * tries, seed=(seed + number) % 2**64).seed
        for number in range(50)
        for tries in range(10)
    }
    assert len(seeds) == 500 and all(0 <= one < 2**64 for one in seeds)
