import pytest

from facet.engine.captions.asking import (
    AXES,
    heard,
    parse_axes,
    question,
    unknown_axes,
    with_answer,
)
from facet.engine.captions.reading import read
from facet.engine.captions.words import language
from facet.engine.core.character import Tags
from facet.engine.core.vocabulary import VOCABULARY

ENGLISH = language("en")


def answered(tags: Tags, axis: str, answer: str, code: str = "en") -> Tags:
    return with_answer(tags, axis, answer, language(code), ("zqx",), identity=False)


def test_axes_are_read_in_caption_order():
    assert parse_axes(" lighting, Background ;details") == ("background", "lighting", "details")
    assert parse_axes("") == ()
    with pytest.raises(ValueError, match="'fill' has 'hair', which is no part of a caption"):
        parse_axes("background, hair")


def test_only_what_nobody_knows_and_the_picture_shows_is_asked():
    assert unknown_axes(Tags(background="in a park"), ("background", "lighting")) == ["lighting"]
    assert unknown_axes(Tags(view="back"), ("expression",)) == []
    assert unknown_axes(Tags(framing="close_up"), ("pose", "details")) == ["details"]


@pytest.mark.parametrize("axis", AXES)
def test_every_axis_has_a_question_that_names_its_values(axis):
    asked = question(axis, "robot", ENGLISH)
    assert "robot" in asked or axis == "lighting"
    assert "{" not in asked
    assert all(phrase in asked for phrase in VOCABULARY.get(axis, {}).values())


def test_free_text_is_asked_for_in_the_language_of_the_captions():
    assert question("background", "person", language("it")).endswith("Answer in Italian.")
    assert question("expression", "person", language("it")) == question(
        "expression", "person", ENGLISH
    )


@pytest.mark.parametrize("axis", [axis for axis, values in VOCABULARY.items() if values])
def test_each_phrase_of_the_vocabulary_is_heard_as_itself(axis):
    for value, phrase in VOCABULARY[axis].items():
        assert heard(axis, f"{phrase.capitalize()}.") == value


@pytest.mark.parametrize(
    ("axis", "answer", "value"),
    [
        ("expression", "She is smiling.", "smile"),
        ("expression", "not smiling, neutral", "neutral"),
        ("expression", "smiling or sad", ""),
        ("expression", "blissful", ""),
        ("view", "three-quarter view, left", "three_quarter_left"),
        ("view", "in front of a wall", ""),
        ("pose", "hands on her hips", "hands_on_hips"),
        ("lighting", "dim lighting", "low"),
    ],
)
def test_answers_are_heard_in_the_vocabulary_or_not_at_all(axis, answer, value):
    assert heard(axis, answer) == value


def test_views_and_expressions_are_tagged_only_in_the_vocabulary():
    assert answered(Tags(), "expression", "Smiling.").expression == "smile"
    assert answered(Tags(), "expression", "blissful") == Tags()
    assert answered(Tags(), "view", "from the side") == Tags()


def test_free_text_becomes_a_tag_that_any_form_and_language_can_say():
    assert answered(Tags(), "background", "The background is grey.").background == (
        "plain grey background"
    )
    assert answered(Tags(), "outfit", "a red coat, zqx style").outfit == "a red coat, style"
    assert answered(Tags(), "lighting", "Warm light.").lighting == "warm"
    assert answered(Tags(), "lighting", "neon signs").lighting == "neon signs"
    assert answered(Tags(), "pose", "leaning on a wall").pose == "leaning on a wall"
    assert answered(Tags(), "background", "in un bosco", "it").background == "in un bosco"


def test_details_are_a_list_of_three_at_most():
    tags = answered(Tags(), "details", "- glasses\n- a bag\n- glasses\n- a hat\n- a ring")
    assert tags.details == ("glasses", "a bag", "a hat")
    assert answered(Tags(), "details", "none").details == ()


FLORENCE = (
    "The image shows a young woman with long red hair wearing a black leather jacket and blue "
    "jeans, standing in front of a brick wall. She is smiling. In the background, there are some "
    "trees. Soft natural light."
)


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        (
            FLORENCE,
            {
                "expression": "smile",
                "pose": "standing",
                "outfit": "a black leather jacket and blue jeans",
                "background": "some trees",
                "lighting": "natural",
                "view": "",
            },
        ),
        (
            "a woman in a red dress sitting on a bench in a park",
            {"pose": "sitting", "outfit": "a red dress", "background": "in a park", "lighting": ""},
        ),
        (
            "a cartoon girl with brown hair and a blue shirt on a grey background",
            {"outfit": "a blue shirt", "background": "plain grey background", "expression": ""},
        ),
        (
            "The image is a portrait of a man wearing a white shirt and a tie. The background is "
            "plain white and he is looking at the camera.",
            {"outfit": "a white shirt and a tie", "background": "plain white background"},
        ),
        ("a dog", dict.fromkeys(VOCABULARY, "")),
    ],
)
def test_whole_captions_are_read_for_each_axis(caption, said):
    tags = Tags()
    for axis in said:
        tags = answered(tags, axis, read(caption, axis))
    assert {axis: getattr(tags, axis) for axis in said} == said
