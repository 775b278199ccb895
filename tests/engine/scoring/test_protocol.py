from dataclasses import replace

from facet.engine.core.character import Tags
from facet.engine.scoring.protocol import BOTTOMS, COLOURS, PLACES, TOPS, prompt_suite


def test_the_suite_is_the_same_each_time(character):
    assert prompt_suite(character, 12, 7) == prompt_suite(character, 12, 7)
    assert prompt_suite(character, 12, 7) != prompt_suite(character, 12, 8)


def test_no_garment_or_place_of_the_dataset_is_asked_for(character):
    for prompt in prompt_suite(character, 60, 1):
        text = prompt.text("zqx person")
        for known in ("orange sweater", "blue trousers", "teal hoodie", "red shorts"):
            assert known not in text
        assert "on a beach" not in text and "in a park" not in text


def test_a_dataset_that_has_worn_everything_still_gets_prompts(character):
    worn = " ".join(f"{colour} {thing}," for colour in COLOURS for thing in (*TOPS, *BOTTOMS))
    everywhere = ", ".join([*PLACES, *(f"plain {colour} background" for colour in COLOURS)])
    shot = replace(character.shots[0], caption=f"{worn} {everywhere}")
    prompts = prompt_suite(replace(character, shots=(shot,)), 12, 0)
    assert len(prompts) == 12 and all(prompt.tags.outfit for prompt in prompts)


def test_views_and_framings_are_mixed_and_nobody_is_asked_for_from_behind(character):
    prompts = prompt_suite(character, 12, 0)
    views = {prompt.tags.view for prompt in prompts}
    assert {"front", "three_quarter_left", "profile_left", "profile_right"} <= views
    assert "back" not in views
    assert {prompt.tags.framing for prompt in prompts} == {"close_up", "medium", "full"}
    assert len({prompt.tags.yaw for prompt in prompts[:4]}) > 2


def test_every_prompt_has_its_own_seed_and_starts_with_the_trigger(character):
    prompts = prompt_suite(character, 12, 2**64 - 3)
    assert len({prompt.seed for prompt in prompts}) == 12
    assert all(0 <= prompt.seed < 2**64 for prompt in prompts)
    assert prompts[0].text("zqx person").startswith("zqx person, close-up, front view")


def test_a_character_without_tags_is_no_obstacle(character):
    bare = replace(character, shots=(), source=replace(character.source, tags=Tags()))
    assert len(prompt_suite(bare, 3, 0)) == 3
