import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.core.words import OPPOSE, subjects, tables, values_for
from facet.engine.generate.character_shot.conflicts import (
    conflicts,
    feature_values,
    features,
    mentions,
    said_of,
)

CONTRADICTIONS = [
    ("zqx person with long hair, in a park", "short red hair", "hair length"),
    ("blonde hair, smiling", "a woman with short red hair and glasses", "hair colour"),
    ("waist-length hair", "short-haired", "hair length"),
    ("a bald man", "long brown hair", "hair length"),
    ("curly hair", "straight hair", "hair texture"),
    ("blue-eyed woman", "green eyes", "eye colour"),
    ("with a beard", "clean-shaven", "beard"),
    ("without a beard", "a bearded man", "beard"),
    ("an old woman in a park", "a young woman", "age"),
    ("capelli lunghi", "capelli corti e rossi", "hair length"),
    ("cabelo loiro", "cabelo preto", "hair colour"),
    ("pelo corto", "pelo largo y negro", "hair length"),
    ("长发女孩", "短发", "hair length"),
    ("brown twintails", "black twintails", "hair colour"),
    ("a red ponytail", "short black hair", "hair colour"),
    ("short spiky hair", "long hair", "hair length"),
    ("bald", "spiky black hair", "hair colour"),
    ("bald", "long black hair", "hair length"),
    ("red hair", "a bald man", "hair colour"),
    ("green skin", "pale skin", "skin"),
    ("tan skin", "blue skin", "skin"),
    ("stocky build", "slim build", "build"),
]
HARMLESS = [
    ("red dress and long hair", "long hair"),
    ("red coat, hair in a bun", "black hair"),
    ("wearing a long coat", "short hair"),
    ("with glasses, a ponytail and a red hat", "short black hair, blue eyes"),
    ("close-up, front view, smiling, wearing blue t-shirt", "red hair"),
    ("long red hair", "red hair"),
    ("blue sky, green trees", "blue eyes"),
    ("short hair or long hair", "long hair"),
    ("anything at all", ""),
    ("long hair", "wearing a long dress"),
    ("a shortcut through the park", "long hair"),
    ("a slimy wall", "overweight"),
    ("a red hair ribbon and a blue hairband", "black hair"),
    ("a black skin-tight suit", "pale skin"),
    ("a bun with black sesame", "red hair"),
    ("round glasses and a white bow", "short black hair, pale skin"),
]


@pytest.mark.parametrize(("prompt", "said", "feature"), CONTRADICTIONS)
def test_a_prompt_that_contradicts_the_character_is_named(prompt, said, feature):
    assert [one.feature for one in conflicts(prompt, mentions([said]))] == [feature]


@pytest.mark.parametrize(("prompt", "said"), HARMLESS)
def test_a_prompt_that_adds_something_is_not(prompt, said):
    assert conflicts(prompt, mentions([said])) == []


def test_most_captions_decide_and_a_split_opinion_does_not():
    captions = ["short hair"] * 9 + ["long hair"]
    [found] = conflicts("long hair", mentions(captions))
    assert found.text == ("asks for long hair, and the character has short hair (9 of 10 mentions)")
    assert conflicts("long hair", mentions(["short hair", "long hair"] * 5)) == []


def test_what_was_said_comes_from_captions_details_and_the_file_unless_a_person_says_it():
    picture = torch.zeros(8, 8, 3)
    shot = Shot(
        picture, Provenance("original"), caption="short hair", tags=Tags(details=("green eyes",))
    )
    character = Character("Ada", "zqx", "person", shot)
    assert said_of(character, "", ["red hair"]) == ["short hair", "green eyes", "red hair"]
    assert said_of(character, " long hair ", ["red hair"]) == ["long hair"]
    assert said_of(None, "", ["red hair"]) == ["red hair"]


def test_no_word_says_two_values_of_one_feature():
    for subject in ("hair", "eyes", "skin"):
        said: dict[str, set[str]] = {}
        for known in tables():
            entry = subjects(known).get(subject, {}).get("words", {})
            for readers in entry:
                if OPPOSE in readers.split():
                    for value, words in entry[readers].items():
                        for word in words:
                            said.setdefault(word, set()).add(value)
        assert {word: values for word, values in said.items() if len(values) > 1} == {}


def test_the_words_that_oppose_say_values_of_the_features():
    known = {value for values in feature_values().values() for value in values}
    said = set()
    for one in tables():
        entries = [entry.get("words", {}) for entry in subjects(one).values()]
        for entry in (*entries, one["identity"]["alone"]):
            said |= set(values_for(OPPOSE, entry).values())
    assert said == known


def test_every_value_is_known_by_its_own_name():
    names = {"youth": "young", "old age": "elderly", "a slim build": "slim"}
    names |= {"a heavy build": "chubby", "a bald head": "bald"}
    for feature, values in feature_values().items():
        for value in values:
            assert features(names.get(value, value)).get(feature) == {value}
