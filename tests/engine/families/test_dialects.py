"""The words in which each family of models is asked for a shot."""

from __future__ import annotations

import json
from itertools import product

import pytest

from facet.engine.core.character import Tags
from facet.engine.core.vocabulary import VOCABULARY
from facet.engine.families import dialects
from facet.engine.families.dialects import Dialect, dialect_for, load, names
from harness.families import KLEIN, QWEN_IMAGE, SD15, SDXL, load_family

WISHES = Tags(
    framing="full",
    view="profile_left",
    expression="smile",
    pose="waving",
    outfit="a red dress",
    background="in a park",
    lighting="warm",
    details=("tattoo on the left arm",),
)


@pytest.fixture(params=names())
def dialect(request) -> Dialect:
    return load(request.param)


def test_the_plain_words_come_first_and_every_family_has_some():
    assert names()[0] == "plain"
    assert set(names()) == {
        "plain",
        "kontext",
        "qwen_image_edit",
        "qwen_image_edit_angles",
        "qwen_image_edit_2511_angles",
        "flux2",
        "sdxl",
        "sd15",
    }


def test_plain_words_are_those_that_the_demo_models_learned():
    plain = load("plain")
    for tags in (WISHES, Tags("close_up", "back", "smile", "waving"), Tags()):
        asked = ", ".join(["same character", *tags.phrases()])
        assert plain.prompt(tags, "person", shown=True) == asked
        told = ", ".join(["person", *tags.phrases()])
        assert plain.prompt(tags, "person", shown=False) == told
    assert plain.negative(WISHES, " blurry ") == "blurry"
    turned = plain.prompt(Tags("medium", "profile_left"), "person", True, stronger={"view"})
    assert turned == "same character, medium shot, left profile, face turned left"


def test_every_wish_is_said(dialect: Dialect):
    for shown in (True, False):
        prompt = dialect.prompt(WISHES, "woman", shown)
        for words in ("woman", "a red dress", "in a park", "tattoo on the left arm"):
            # A model that sees the character need not be told what it is.
            assert words in prompt or (shown and words == "woman"), (dialect.name, prompt)
        assert "{" not in prompt


def test_every_value_has_words_that_tell_it_from_the_others(dialect: Dialect):
    for axis, values in VOCABULARY.items():
        said = [dialect.prompt(Tags(**{axis: value}), "person", True) for value in values]
        assert len(set(said)) == len(values), (dialect.name, axis)


def test_a_retry_uses_other_words_for_each_view(dialect: Dialect):
    for view in ("three_quarter_left", "three_quarter_right", "profile_left", "profile_right"):
        tags = Tags("medium", view, "smile")
        first = dialect.prompt(tags, "person", True)
        assert dialect.prompt(tags, "person", True, stronger={"view"}) != first
        assert dialect.prompt(tags, "person", True, stronger={"pose"}) == first


def test_left_and_right_are_never_confused(dialect: Dialect):
    for stronger, shown in product(((), ("view",)), (True, False)):
        for view in ("three_quarter", "profile"):
            left, right = (
                dialect.prompt(Tags(view=f"{view}_{side}"), "person", shown, "", stronger)
                for side in ("left", "right")
            )
            swapped = left.translate(str.maketrans("左右", "右左"))
            swapped = swapped.replace("left", "\0").replace("right", "left").replace("\0", "right")
            assert swapped == right


def test_what_a_shot_hides_is_not_asked_for(dialect: Dialect):
    behind = Tags(view="back", expression="smile")
    assert dialect.prompt(behind, "x", True) == dialect.prompt(Tags(view="back"), "x", True)
    close = Tags(framing="close_up", pose="waving")
    assert dialect.prompt(close, "x", True) == dialect.prompt(Tags(framing="close_up"), "x", True)


def test_an_instruction_is_said_once_and_whole(dialect: Dialect):
    for shown in (True, False):
        prompt = dialect.prompt(Tags(), "person", shown, "remove the hat.")
        assert prompt.lower().count("remove the hat") == 1
        assert ".." not in prompt and ", ." not in prompt and " ," not in prompt
        night = "at night in the rain"
        prompt = dialect.prompt(Tags(background=night), "person", shown, night)
        assert prompt.lower().count(night) == 1


def test_edit_models_are_told_what_to_do_first_and_what_to_keep():
    for name in ("kontext", "flux2", "qwen_image_edit"):
        prompt = load(name).prompt(Tags(), "person", True, "remove the hat")
        assert prompt.startswith("Remove the hat. ")
        assert "same" in prompt or "unchanged" in prompt


@pytest.mark.parametrize("name", ["sdxl", "sd15"])
def test_tag_models_are_told_what_the_view_is_not(name):
    tags = load(name)
    assert "face" in tags.negative(Tags(view="back")).split(", ")
    assert "from behind" in tags.negative(Tags(view="front"))
    assert tags.negative(Tags(), "hats").startswith("hats, multiple people")


def test_auto_takes_the_words_of_the_family_where_the_class_says_which(demo_models):
    found = {
        family.name: dialect_for("auto", load_family(family, narrow=True), "img2img").name
        for family in (SDXL, SD15, KLEIN, QWEN_IMAGE)
    }
    assert found == {"SDXL": "sdxl", "SD15": "sd15", "Flux2": "flux2", "QwenImage": "plain"}
    qwen = load_family(QWEN_IMAGE, narrow=True)
    assert dialect_for("auto", qwen, "qwen_edit").name == "qwen_image_edit"
    assert dialect_for("kontext", qwen, "img2img").name == "kontext"
    demo = demo_models.model
    assert dialect_for("auto", demo, "reference_latents").name == "plain"


def table(**changes) -> str:
    known = json.loads((dialects.FOLDER / "plain.json").read_text("utf-8"))
    return json.dumps(known | changes)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "cannot be used"),
        (table(hats="yes"), "hats, which means nothing"),
        (table(words={"hat": {"*": "x"}}), "'hat' is no axis"),
        (table(prompt={}), "shown"),
        (table(prompt=dict.fromkeys(dialects.PROMPTS, "{words} {who}")), "{who} stands for"),
        (table(prompt=dict.fromkeys(dialects.PROMPTS, "a picture")), "no {words}"),
        (table(order=["view"]), "leaves out 'framing'"),
        (table(pixels=5), "5 pixels"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path, text, problem):
    (tmp_path / "mine.json").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"mine\.json") as error:
        load("mine", tmp_path)
    assert problem in str(error.value)


def test_a_name_that_is_no_table_is_refused_and_never_a_path():
    for name in ("mine", "../dialects/plain", ""):
        with pytest.raises(ValueError, match="There is no prompt style"):
            load(name)


def test_a_changed_table_is_another(tmp_path):
    (tmp_path / "mine.json").write_text(table(), "utf-8")
    before = load("mine", tmp_path).digest
    (tmp_path / "mine.json").write_text(table(title="other"), "utf-8")
    assert load("mine", tmp_path).digest != before
