import json

import pytest
import torch

from facet.engine.captions import words
from facet.engine.captions.policy import CaptionPolicy, PolicyKind
from facet.engine.captions.words import as_tags, form_of, language
from facet.engine.core import words as core_words
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.core.vocabulary import PEOPLE, VOCABULARY
from facet.engine.core.words import languages
from facet.engine.families.family import Form
from facet.engine.generate.shots.presets import MORE_PLACES, OUTFITS, PLAIN_BACKGROUNDS
from harness.families import FLUX_DEV, SD15, load_family

TAGS = Tags("close_up", "front", "smile", "waving", "a red coat", "in a park", "warm")
FULL = Tags("full", "back", "sad", "sitting", "grey t-shirt and brown trousers", "in a room", "low")


def caption(tags: Tags, **policy) -> str:
    shot = Shot(torch.full((16, 16, 3), 0.5), Provenance("generated"), tags=tags)
    return CaptionPolicy(**policy).caption(Character("Ada", "zqx", "person", shot), shot)


def test_english_phrases_are_the_vocabulary_that_the_models_know():
    assert language("en").words == {axis: dict(said) for axis, said in VOCABULARY.items()}
    for tags in (TAGS, FULL, Tags(), Tags(pose="leaning on a wall", details=("a bag",))):
        assert caption(tags) == ", ".join(["zqx person", *tags.phrases()])


def test_there_are_the_languages_that_people_asked_for():
    assert languages() == ["en", "de", "es", "fr", "it", "ja", "pt-BR", "zh"]


@pytest.mark.parametrize("code", languages()[1:])
def test_every_language_says_all_that_the_presets_hold_in_its_own_words(code):
    said = language(code)
    for axis, values in VOCABULARY.items():
        translated = [said.words[axis][value] for value in values]
        assert len(set(translated)) == len(translated), axis
        assert "" not in translated
    for free in (*OUTFITS, *PLAIN_BACKGROUNDS, *MORE_PLACES, *filter(None, PEOPLE)):
        assert said.free[free] not in ("", free)
    assert set(said.starts) == set(VOCABULARY["framing"])


def test_a_caption_in_italian():
    assert caption(TAGS, language="it") == (
        "zqx person, primo piano, vista frontale, sorridente, con indosso a red coat, in un parco, "
        "luce calda"
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "en",
            "A full-body shot of zqx person, seen from behind, sitting, wearing grey t-shirt and "
            "brown trousers, in a room, in low light.",
        ),
        (
            "de",
            "Ganzkörperaufnahme von zqx person, von hinten gesehen, sitzend, Kleidung: graues "
            "T-Shirt und braune Hose, in einem Zimmer, bei schwachem Licht.",
        ),
        (
            "zh",
            "zqx person的全身像\uff0c背面视角\uff0c坐着\uff0c穿着灰色T恤和棕色长裤\uff0c"
            "在房间里\uff0c弱光。",
        ),
    ],
)
def test_sentences(code, said):
    assert caption(FULL, form=Form.SENTENCES, language=code) == said


def test_a_sentence_about_nothing_known_is_who_it_is():
    assert caption(Tags(), form=Form.SENTENCES) == "zqx person."
    only = {"kind": PolicyKind.TRIGGER_ONLY, "form": Form.SENTENCES}
    assert caption(TAGS, **only) == "zqx person."


def test_a_sentence_has_the_description_after_who_it_is():
    policy = {"kind": PolicyKind.DESCRIBE_IDENTITY, "description": "a woman with red hair"}
    said = caption(TAGS, form=Form.SENTENCES, **policy)
    assert said.startswith("A close-up of zqx person, a woman with red hair, seen from the front")


def test_tags_are_words_that_pictures_are_tagged_with():
    assert caption(FULL, form=Form.TAGS) == (
        "zqx, person, full body, from behind, sitting, grey t-shirt, brown trousers, indoors, dark"
    )
    assert caption(TAGS, form=Form.TAGS, language="it") == caption(TAGS, form=Form.TAGS)


def test_every_tag_table_entry_is_a_value_that_exists():
    table = json.loads((words.HERE / "tags.json").read_text("utf-8"))
    for axis, values in VOCABULARY.items():
        assert set(values) <= set(table.get(axis, values))
    assert as_tags("background", "on the old bridge") == "old bridge"


def test_auto_goes_by_the_model_and_says_phrases_without_one():
    assert form_of(Form.AUTO, None) is Form.PHRASES
    assert form_of(Form.AUTO, load_family(SD15, narrow=True)) is Form.PHRASES
    flux = load_family(FLUX_DEV, narrow=True)
    assert form_of(Form.AUTO, flux) is Form.SENTENCES
    assert form_of(Form.TAGS, flux) is Form.TAGS


def test_a_language_that_cannot_be_used_says_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(core_words, "FOLDER", tmp_path)
    path = tmp_path / "xx.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"xx\.json cannot be used .*mend that file"):
        language("xx")
    with pytest.raises(ValueError, match="There is no language 'la'; take one of"):
        language("la")


BOTH = ("abc person",)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "zqx person, front view"),
        ("zqx person, old", "zqx person, front view"),
        ("abc person, old", "abc person, front view"),
        ("zqx person and abc person, old", "zqx person and abc person, front view"),
    ],
)
def test_a_picture_keeps_the_triggers_of_those_who_are_in_it(before, after):
    shot = Shot(
        torch.zeros(16, 16, 3), Provenance("generated"), caption=before, tags=Tags(view="front")
    )
    both = Character("Two", "zqx", "person", shot, companions=BOTH)
    assert CaptionPolicy().caption(both, shot) == after


WILD = "Zqx and zqx's ZQX friend, zqx"


@pytest.mark.parametrize("form", [Form.PHRASES, Form.SENTENCES, Form.TAGS])
@pytest.mark.parametrize("code", languages())
@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"kind": PolicyKind.TRIGGER_ONLY},
        {"kind": PolicyKind.DESCRIBE_IDENTITY, "description": WILD},
        {"kind": PolicyKind.TEMPLATE, "template": "zqx, {tags} of ZQX {trigger} {name} {details}"},
    ],
)
def test_the_trigger_is_there_once_whatever_the_texts_say(form, code, policy):
    tags = Tags("medium", "front", outfit=WILD, background="a zqx wall", details=("zqx", WILD))
    said = caption(tags, form=form, language=code, **policy)
    assert said.lower().count("zqx") == 1 and said.count("zqx") == 1
    assert "\n" not in said and ", ," not in said
