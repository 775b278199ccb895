import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.lint import lint
from facet.engine.dataset.lint.captions import caption_findings
from facet.engine.dataset.lint.phrases import common_phrases
from facet.engine.dataset.lint.words import (
    boilerplate_spans,
    identity_spans,
    without,
)


def said(*captions: str, tags: Tags | None = None) -> Character:
    shots = [
        Shot(
            torch.full((16, 16, 3), number / 255),
            Provenance("imported"),
            caption=caption,
            tags=tags or Tags(),
        )
        for number, caption in enumerate(captions)
    ]
    return Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))


def identity_words(text: str) -> list[str]:
    """What of ``text`` says who somebody is, in its own words."""
    return [text[start:end] for start, end in identity_spans(text)]


def kinds(character: Character, policy: str | None = None) -> list[str]:
    return [finding.kind for finding in caption_findings(character, policy)]


@pytest.mark.parametrize(
    ("caption", "words", "better"),
    [
        (
            "zqx person, pale skin, short brown hair, blue eyes, close-up",
            ["pale skin", "short brown hair", "blue eyes"],
            "zqx person, close-up",
        ),
        (
            "a 23-year-old zqx woman with long, wavy red hair and green eyes, in a park",
            ["23-year-old", "long, wavy red hair", "green eyes"],
            "zqx woman, in a park",
        ),
        ("zqx, a young woman in an old town", ["young"], "zqx, woman in an old town"),
        (
            "zqx, una donna con capelli rossi lunghi e occhi verdi, sorride",
            ["capelli rossi lunghi", "occhi verdi"],
            "zqx, una donna, sorride",
        ),
        (
            "zqx Frau mit langen blonden Haaren, Sommersprossen, im Park",
            ["langen blonden Haaren", "Sommersprossen"],
            "zqx Frau, im Park",
        ),
        ("zqx mulher, olhos castanhos, sorrindo", ["olhos castanhos"], "zqx mulher, sorrindo"),
        ("zqx mujer con el pelo rubio, de pie", ["pelo rubio"], "zqx mujer, de pie"),
        ("zqx femme aux yeux verts, souriante", ["yeux verts"], "zqx femme, souriante"),
        ("zqx 女人, 红色头发, 微笑", ["红色头发"], "zqx 女人, 微笑"),
        ("zqx 人物, 青い目, 笑顔", ["青い目"], "zqx 人物, 笑顔"),
    ],
)
def test_words_that_say_who_she_is_are_found_and_taken_out(caption, words, better):
    assert identity_words(caption) == words
    assert without(caption, identity_spans(caption)) == better


@pytest.mark.parametrize(
    "caption",
    [
        "zqx person, close-up, eyes closed, hair in the wind",
        "zqx person, wearing a tan coat, a red scarf and round glasses",
        "zqx person, full face, in front of an old house with young trees",
        "zqx person, wearing black, hair tied up",
        "zqx person, wide eyes, dark background, light blue shirt, body turned left",
    ],
)
def test_what_may_change_is_not_taken_for_identity(caption):
    assert identity_words(caption) == []


def test_identity_words_are_wanted_when_the_policy_describes_her():
    who = said("zqx person, red hair, smiling", "zqx person, red hair, sad")
    assert kinds(who).count("identity_words") == 2
    assert "identity_words" not in kinds(who, "describe_identity")


@pytest.mark.parametrize(
    ("caption", "better"),
    [
        ("The image shows a zqx person waving", "a zqx person waving"),
        ("zqx person. In this image, trees", "zqx person., trees"),
        ("L\u2019immagine mostra zqx persona", "zqx persona"),
    ],
)
def test_boilerplate_is_found_in_any_spelling(caption, better):
    assert boilerplate_spans(caption)
    assert without(caption, boilerplate_spans(caption)) == better


def test_a_missing_caption_gets_the_one_that_the_tags_write():
    who = said("zqx person", "", tags=Tags("close_up", "front", "smile"))
    (finding,) = [one for one in caption_findings(who) if one.kind == "caption_missing"]
    assert finding.fix.value == "zqx person, close-up, front view, smiling"


def test_pictures_that_share_a_caption_are_one_finding():
    who = said("zqx person, smiling", "zqx person,  Smiling", "zqx person, sad")
    (finding,) = [one for one in caption_findings(who) if one.kind == "caption_duplicate"]
    assert finding.shots == (who.source.hash, who.shots[0].hash)


def test_captions_of_the_trigger_alone_are_a_policy_and_no_fault():
    who = said(*["zqx person"] * 6)
    assert kinds(who) == []
    assert "caption_duplicate" in kinds(who, "bind_to_trigger")


def test_the_longest_phrase_in_most_captions_is_named_once():
    captions = [f"zqx person, wearing a red coat, in street {number}" for number in range(9)]
    found = common_phrases(said(*captions, "zqx person, at home"))
    assert {phrase: len(shots) for phrase, shots in found.items()} == {
        "wearing a red coat": 9,
        "in street": 9,
    }


def test_eight_of_ten_is_not_yet_most():
    captions = [f"zqx person, red coat, {number}" for number in range(8)]
    assert common_phrases(said(*captions, "zqx person", "zqx person, blue")) == {}


def test_the_words_that_every_default_caption_has_are_no_phrase():
    views = ("front view", "back view", "three-quarter view left", "left profile")
    captions = [
        f"zqx person, {view}, {light} light, wearing a {colour} shirt"
        for view in views
        for light, colour in (("natural", "red"), ("warm", "blue"), ("low", "green"))
    ]
    assert list(common_phrases(said(*captions))) == ["shirt"]


def test_one_number_falls_with_every_fault():
    good = [f"zqx person, smiling at {number}" for number in ("noon", "night", "dawn", "dusk")]
    number = lint(said(*good)).number
    worse = lint(said(*good[:3], "The image shows a zqx person")).number
    worst = lint(said(*good[:3], "nobody")).number
    assert number > worse > worst


@pytest.mark.parametrize(
    "caption",
    ["zqx " + "red hair and " * 5000, "red " * 16000, "with a " * 9000, "," * 65536, "({[" * 9999],
)
def test_captions_of_any_length_are_read(caption):
    lint(said(caption, *["zqx person"] * 5))
