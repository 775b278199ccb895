from dataclasses import replace

import pytest

from facet.engine.scoring.probes import (
    attribute_prompts,
    leak_prompts,
    own_prompts,
    trigger_prompts,
)
from facet.engine.scoring.protocol import ATTRIBUTE, LEAK, SCENE, TRIGGER, prompt_suite

WHO = "zqx person"


def test_the_trigger_alone_is_nothing_but_the_trigger():
    prompts = trigger_prompts(8, 3)
    assert {prompt.text(WHO) for prompt in prompts} == {WHO}
    assert {prompt.kind for prompt in prompts} == {TRIGGER}


def test_leak_probes_name_no_garment():
    for prompt in leak_prompts(5, 3):
        assert prompt.kind == LEAK
        assert not prompt.tags.outfit and "wearing" not in prompt.text(WHO)


def test_attributes_that_the_dataset_knows_are_not_asked_for(character):
    glasses = replace(character.shots[0], caption="zqx person, wearing glasses")
    prompts = attribute_prompts(replace(character, shots=(glasses,)), 6, 3)
    texts = [prompt.text(WHO) for prompt in prompts]
    assert {prompt.kind for prompt in prompts} == {ATTRIBUTE}
    assert not any("glasses" in text for text in texts)
    assert any("ponytail" in text for text in texts)


def test_no_two_prompts_begin_with_the_same_noise(character):
    prompts = [
        *prompt_suite(character, 20, 3),
        *attribute_prompts(character, 20, 3),
        *trigger_prompts(20, 3),
        *leak_prompts(20, 3),
    ]
    assert len({prompt.seed for prompt in prompts}) == len(prompts)


def test_a_persons_own_prompts_keep_their_words_and_say_what_can_be_measured():
    first, second = own_prompts("reading a letter, left profile\n\n Leak: in a kitchen", 1)
    assert first.text(WHO) == "zqx person, reading a letter, left profile"
    assert (first.kind, first.tags.view, first.tags.yaw) == (SCENE, "profile_left", -90)
    assert second.text(WHO) == "zqx person, in a kitchen"
    assert second.kind == LEAK


@pytest.mark.parametrize("text", ["", "  \n\t\n"])
def test_no_text_is_no_prompt(text):
    assert own_prompts(text, 1) == ()
