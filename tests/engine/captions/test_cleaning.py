import random

import pytest

from facet.engine.captions.asking import AXES
from facet.engine.captions.cleaning import LETTERS, WORDS, cleaned
from facet.engine.captions.reading import read
from facet.engine.core.words import languages


@pytest.mark.parametrize(
    ("axis", "answer", "said"),
    [
        ("background", "The image shows a young woman standing in a park.", "in a park"),
        ("background", "In the background, there are tall trees.", "tall trees"),
        ("background", "Sure! Here is the answer:\n\nin a busy street", "in a busy street"),
        ("background", "**Answer:** plain grey background.", "plain grey background"),
        ("background", "The background is white.", "plain white background"),
        ("background", "This picture was taken in a kitchen", "in a kitchen"),
        ("background", '"a beach at sunset"', "a beach at sunset"),
        (
            "background",
            "In this image, there is a brick wall behind her.",
            "a brick wall behind her",
        ),
        ("lighting", "The lighting is soft daylight.", "soft daylight"),
        ("lighting", "<think>\nIt is warm\n</think>\n\nWarm light", "warm light"),
        ("lighting", "<think>never ends", ""),
        (
            "outfit",
            "She is wearing a green hoodie and black trousers.",
            "a green hoodie and black trousers",
        ),
        ("outfit", "The person wears a blue T-shirt<|im_end|>", "a blue T-shirt"),
        ("pose", "The woman is leaning against a wall.", "leaning against a wall"),
        ("details", "- round glasses\n- a leather bag", "round glasses, a leather bag"),
        ("details", "None.", ""),
        ("background", "I cannot tell from the image.", ""),
        ("background", "Not visible", ""),
        ("background", "", ""),
    ],
)
def test_answers_become_parts_of_captions(axis, answer, said):
    assert cleaned(answer, axis) == said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("a red coat and long blonde hair", "a red coat"),
        ("a green hoodie, black trousers, and has brown hair", "a green hoodie, black trousers"),
        ("long red hair, a blue dress", "a blue dress"),
        ("freckles and green eyes", ""),
        ("a 25-year-old with a white shirt", "a white shirt"),
        ("black hairband", "black hairband"),
    ],
)
def test_who_it_is_is_left_to_the_trigger(answer, said):
    assert cleaned(answer, "outfit") == said


def test_who_it_is_stays_where_it_is_to_be_said():
    assert cleaned("a red coat and blonde hair", "outfit", identity=True) == (
        "a red coat and blonde hair"
    )


@pytest.mark.parametrize(
    ("language", "answer", "said"),
    [
        ("it", "L'immagine mostra un cappotto rosso e capelli lunghi.", "un cappotto rosso"),
        ("de", "Das Bild zeigt ein rotes Kleid und blonde Haare", "ein rotes Kleid"),
        ("fr", "une robe bleue et des yeux verts", "une robe bleue"),
        ("zh", "背景是公园", "公园"),
        ("zh", "红色外套\uff0c黑色头发", "红色外套"),
        ("ja", "この画像には公園", "公園"),
    ],
)
def test_other_languages_are_cleaned_of_their_own_words(language, answer, said):
    axis = "background" if "公" in said else "outfit"
    assert cleaned(answer, axis, language=language) == said


def test_no_answer_gets_long():
    for answer in ("very " * 200 + "street", "x" * 5000, ", ".join(["a wall"] * 60)):
        said = cleaned(answer, "background")
        assert len(said) <= LETTERS and len(said.split()) <= WORDS


def test_a_cut_does_not_end_in_the_middle_of_a_thought():
    said = cleaned("a long street where people walk past shops full of light and the sea", "pose")
    assert said.split()[-1] not in ("and", "the", "of")


def test_words_that_may_not_be_said_are_gone():
    assert cleaned("ZQX stands before a zqx wall", "pose", words=("zqx",)) == "stands before a wall"


PIECES = [
    *(
        "zqx",
        "ZQX",
        "The image shows",
        "a woman",
        "with",
        "and",
        "red",
        "hair",
        "in a",
        "background",
    ),
    *(
        ", ",
        "\n",
        ". ",
        "<think>",
        "</think>",
        "- ",
        "1) ",
        "**",
        '"',
        "{trigger}",
        "../",
        ":",
        "(((",
    ),
    *("\0", "\u200b", "\U0001f600", "公园", "\uff0c", "\\", "é", "x" * 300),
]


@pytest.mark.parametrize("language", languages())
def test_whatever_a_model_says_becomes_one_short_line_without_the_trigger(language):
    rng = random.Random(language)
    for _ in range(60):
        answer = rng.choice(["", " "]).join(rng.choices(PIECES, k=rng.randint(0, 400)))
        axis = rng.choice(AXES)
        for said in (answer, read(answer, axis)):
            text = cleaned(said, axis, words=("zqx",), language=language)
            assert len(text) <= LETTERS + len("plain  background")
            assert "\n" not in text
            assert not {"zqx", "ZQX"} & set(text.split())
