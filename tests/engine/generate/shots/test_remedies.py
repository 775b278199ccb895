"""The next attempt: each cause of failure has its own remedy."""

from __future__ import annotations

from dataclasses import replace

from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.attempts import Attempt
from facet.engine.generate.shots.remedies import (
    RetryRules,
    added_to_negative,
    more_like_the_original,
    next_attempt,
    stronger_axes,
)

RULES = RetryRules()
FIRST = Attempt(2**63 - 1, "plain", "ugly", 3.0, 0.8)
LATENTS = ReferenceMode.REFERENCE_LATENTS


def following(*failures: list[str], rules: RetryRules = RULES) -> Attempt:
    """The attempt after ``failures``, with the axes in stronger words as its prompt."""
    return next_attempt(
        FIRST, failures, rules, LATENTS, lambda stronger: " ".join(stronger) or "plain"
    )


def test_the_first_try_is_plain():
    assert following() == FIRST


def test_every_try_has_a_seed_of_its_own_and_says_what_it_changes():
    assert following(["view"]) == replace(FIRST, seed=0, reason="new seed")
    assert following(["sharpness", "framing"], ["identity"]) == Attempt(
        1,
        "framing",
        "ugly, blurry, out of focus",
        3.0,
        0.8,
        blind_negative=True,
        reason="new seed, stronger words for the framing, additions to the negative prompt, more "
        "of the original",
    )


def test_a_wrong_view_gets_a_new_seed_first_and_stronger_words_then():
    assert stronger_axes([["view"]], RULES) == ()
    assert stronger_axes([["view"], ["view"]], RULES) == ("view",)
    assert stronger_axes([["view"], ["identity"]], RULES) == ()


def test_a_wrong_framing_gets_stronger_words_at_once():
    assert stronger_axes([["framing"]], RULES) == ("framing",)


def test_blur_and_a_second_person_go_into_the_negative_and_a_duplicate_gets_a_seed():
    assert added_to_negative([["sharpness", "persons"]], RULES) == (
        "blurry, out of focus",
        "two people, several people, split picture",
    )
    assert following(["duplicate"]) == replace(FIRST, seed=0, reason="new seed")


def test_somebody_else_strengthens_the_likeness_each_time():
    cfgs = [following(*[["identity"]] * times).cfg for times in range(3)]
    assert cfgs == [3.0, 3.0, 3.0 * RULES.more_cfg]
    assert [following(*[["identity"]] * times).blind_negative for times in range(3)] == [
        False,
        True,
        True,
    ]


def test_every_remedy_can_be_switched_off():
    rules = RetryRules(stronger_words=False, stronger_likeness=False, negative_words=False)
    everything = [["view", "framing", "persons", "identity", "sharpness"]] * 2
    assert following(*everything, rules=rules) == replace(FIRST, seed=1, reason="new seed")


def test_img2img_starts_nearer_to_the_original():
    twice = more_like_the_original(FIRST, 2, ReferenceMode.IMG2IMG, RULES)
    assert twice == replace(FIRST, denoise=0.8 * RULES.less_denoise**2)


def test_a_model_that_sees_the_original_takes_it_out_of_the_negative_then_raises_cfg():
    blind = replace(FIRST, blind_negative=True)
    assert more_like_the_original(FIRST, 0, LATENTS, RULES) == FIRST
    assert more_like_the_original(FIRST, 1, LATENTS, RULES) == blind
    assert more_like_the_original(FIRST, 2, LATENTS, RULES) == replace(
        blind, cfg=3.0 * RULES.more_cfg
    )


def test_what_cannot_be_strengthened_gets_a_new_seed_only():
    distilled, patched = replace(FIRST, cfg=1.0), replace(FIRST, cfg=7.0)
    assert more_like_the_original(distilled, 2, LATENTS, RULES) == distilled
    assert more_like_the_original(patched, 2, ReferenceMode.PATCHED_MODEL, RULES) == patched
