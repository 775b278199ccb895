"""The next try: each cause of failure has its own remedy."""

from __future__ import annotations

from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.shots.remedies import Likeness, Remedy, RetryRules, remedy

RULES = RetryRules()


def test_the_first_try_is_plain():
    assert remedy([], RULES) == Remedy()


def test_a_wrong_view_gets_a_new_seed_first_and_stronger_words_then():
    assert remedy([["view"]], RULES) == Remedy()
    assert remedy([["view"], ["view"]], RULES) == Remedy(stronger=("view",))
    assert remedy([["view"], ["identity"]], RULES).stronger == ()


def test_a_wrong_framing_gets_stronger_words_at_once():
    assert remedy([["framing"]], RULES) == Remedy(stronger=("framing",))


def test_blur_and_a_second_person_go_into_the_negative_and_a_duplicate_gets_a_seed():
    assert remedy([["sharpness", "persons"]], RULES).avoid == (
        "blurry, out of focus",
        "two people, several people, split picture",
    )
    assert remedy([["duplicate"]], RULES) == Remedy()


def test_somebody_else_strengthens_the_likeness_each_time():
    assert [remedy([["identity"]] * times, RULES).likeness for times in range(3)] == [0, 1, 2]


def test_every_remedy_can_be_switched_off():
    rules = RetryRules(stronger_words=False, stronger_likeness=False, negative_words=False)
    everything = [["view", "framing", "persons", "identity", "sharpness"]] * 2
    assert remedy(everything, rules) == Remedy()


def test_img2img_starts_nearer_to_the_original():
    first = Likeness(False, 3.0, 0.8)
    twice = first.strengthened(2, ReferenceMode.IMG2IMG, RULES)
    assert twice == Likeness(False, 3.0, 0.8 * RULES.less_denoise**2)


def test_a_model_that_sees_the_original_takes_it_out_of_the_negative_then_raises_cfg():
    first = Likeness(False, 3.0, 1.0)
    mode = ReferenceMode.REFERENCE_LATENTS
    assert first.strengthened(0, mode, RULES) == first
    assert first.strengthened(1, mode, RULES) == Likeness(True, 3.0, 1.0)
    assert first.strengthened(2, mode, RULES) == Likeness(True, 3.0 * RULES.more_cfg, 1.0)


def test_what_cannot_be_strengthened_gets_a_new_seed_only():
    distilled, patched = Likeness(False, 1.0, 1.0), Likeness(False, 7.0, 1.0)
    assert distilled.strengthened(2, ReferenceMode.REFERENCE_LATENTS, RULES) == distilled
    assert patched.strengthened(2, ReferenceMode.PATCHED_MODEL, RULES) == patched
