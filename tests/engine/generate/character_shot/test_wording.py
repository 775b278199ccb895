import random
import re

import pytest

from facet.engine.core.character import VOCABULARY
from facet.engine.demo.models import load_clip
from facet.engine.generate.character_shot.wording import (
    Emphasis,
    Writer,
    asked_view,
    understands_weights,
    words,
)
from facet.engine.generate.comfyui.lora import Calls
from harness.small_models import small_clip

ADA = Calls("zqx", "person")
PROMPTS = (
    "smiling, in a park",
    "zqx person, close-up, left profile",
    "ZQX in a park",
    "zqx, smiling",
    "a portrait of a person in a park",
    "zqx person smiling, portrait of zqx person in a park",
    "zqx person, zqx person, smiling",
    "(zqx:1.3), smiling",
    "(zqx person:1.3) in a park, (zqx:1.1)",
    "[trigger] [class] on a beach, [trigger] smiling",
    "zqxy in a park",
    "same character, zqx person, left profile.",
    "un personaggio in un parco",
    "一个女孩在公园里",
    "(((zqx))), 🌞",
    "zqx-person, zqx_person",
    "\\(zqx\\) on paper",
)


def plain(negative: str = "", calls: Calls = ADA, guided: bool = True) -> Writer:
    return Writer(calls, False, guided, negative)


def clip_like(calls: Calls = ADA) -> Writer:
    return Writer(calls, True, True)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("emphasis", [Emphasis(), Emphasis(2, True, True)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_trigger_and_each_anchor_stand_in_it_exactly_once(prompt, emphasis, weighted):
    text = Writer(ADA, weighted, True).write(prompt, emphasis).positive
    assert re.findall(r"(?<![\w-])zqx(?![\w-])", text, re.IGNORECASE) == ["zqx"]
    for anchor in words()["anchors"]:
        assert text.count(anchor) == 1
    assert text.count("(") == text.count(")") and ", ," not in text and ",," not in text
    # Once more changes nothing but what a person would then have written.
    assert plain().write(plain().write(prompt).positive).positive == plain().write(prompt).positive


def test_words_go_where_a_person_would_put_them():
    assert plain().write("smiling, in a park").positive == (
        "zqx person, same character, consistent appearance, smiling, in a park"
    )
    assert plain().write("a portrait of a person in a park.").positive == (
        "a portrait of a zqx person in a park, same character, consistent appearance"
    )
    assert plain().write("zqx in a park, zqx smiling").positive == (
        "zqx person in a park, smiling, same character, consistent appearance"
    )


def test_weights_grow_with_every_picture_of_somebody_else():
    texts = [clip_like().write("in a park", Emphasis(times)).positive for times in range(4)]
    assert [re.findall(r"\(zqx person:([\d.]+)\)", text) for text in texts] == [
        ["1.1"],
        ["1.2"],
        ["1.3"],
        ["1.3"],
    ]
    assert "identical face" not in texts[0] and texts[1].count("identical face") == 1


def test_a_persons_own_weights_stay_where_they_are_understood_and_go_where_not():
    own = "(zqx person:1.4), (red hat:1.3), :) (in brackets)"
    assert clip_like().write(own).positive.startswith("(zqx person:1.4), same character")
    assert "(red hat:1.3)" in clip_like().write(own).positive
    assert plain().write(own).positive == (
        "zqx person, same character, consistent appearance, red hat, :) (in brackets)"
    )


def test_drift_words_stand_in_a_negative_that_is_heard():
    assert plain("blurry").write("x").negative == (
        "blurry, different person, character change, inconsistent face"
    )
    assert plain("Different Person").write("x").negative.lower().count("different person") == 1
    assert plain("blurry", guided=False).write("x").negative == "blurry"


def test_something_that_is_no_person_has_no_face_to_keep():
    dragon = plain(calls=Calls("zqx", "dragon")).write("flying", Emphasis(1)).positive
    assert "face" not in dragon and "identical shape" in dragon


def test_without_a_trigger_the_prompt_is_as_it_was_written():
    nobody = plain("blurry", Calls()).write("a cat in a park")
    assert (nobody.positive, nobody.negative) == ("a cat in a park", "blurry")


def test_a_view_that_was_missed_is_said_in_stronger_words():
    first = plain().write("left profile, in a park")
    again = plain().write("left profile, in a park", Emphasis(view=True))
    assert first.view == again.view == "profile_left"
    assert "seen from the side" not in first.positive and "seen from the side" in again.positive
    assert "face clearly visible" in plain().write("in a park", Emphasis(face=True)).positive


@pytest.mark.parametrize("view", [view for view in VOCABULARY["view"] if view in words()["views"]])
def test_the_vocabularys_views_are_known_in_a_prompt(view):
    assert asked_view(f"close-up, {VOCABULARY['view'][view]}, smiling") == view


def test_a_prompt_without_a_view_asks_for_none():
    assert asked_view("smiling, in a park") == ""


def test_weights_are_understood_by_clip_alone():
    assert understands_weights(small_clip())
    assert understands_weights(load_clip())


@pytest.mark.parametrize("streams", [("l", "t5xxl"), ("qwen3_4b",), ("t5xxl",)])
def test_t5_and_language_models_read_brackets_as_text(streams):
    class Encoder:
        """Tokens as such encoders of ComfyUI give them, all with the weight that was read."""

        def tokenize(self, text):
            return {name: [[(1, 1.5)]] for name in streams}

    assert not understands_weights(Encoder())


def test_a_tokenizer_that_leaves_weights_unread_is_not_weighted():
    clip = small_clip()
    for part in vars(clip.tokenizer).values():
        if hasattr(part, "disable_weights"):
            part.disable_weights = True
    assert not understands_weights(clip)


def test_whatever_is_written_calls_the_character_exactly_once():
    rng = random.Random(0)
    parts = ["zqx", "person", "ZQX", "(zqx:1.3)", "zqx person", "same character", ":1.2", "hair"]
    parts += ["[trigger]", "[class]", "\\(", *"().-_ é🌞\n", ", "]
    for number in range(2000):
        prompt = "".join(rng.choice(parts) for _ in range(rng.randint(1, 14)))
        writer = Writer(ADA, number % 2 == 0, True)
        text = writer.write(prompt, Emphasis(number % 3, number % 5 == 0)).positive
        assert len(re.findall(r"(?<![\w-])zqx(?![\w-])", text, re.IGNORECASE)) == 1, prompt
        assert "same character" in text


def test_a_prompt_of_64_kilobytes_is_written_at_once():
    for part in ("zqx ", "(zqx:1.2)", "(", "a:", ", "):
        text = plain().write(part * (65536 // len(part))).positive
        assert len(re.findall(r"(?<![\w-])zqx(?![\w-])", text)) == 1
