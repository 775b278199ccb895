import json
from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags, shot_record
from facet.engine.dataset.curation import (
    Choice,
    Curation,
    curated,
    following,
    parse_curation,
    set_hash,
)
from facet.engine.dataset.curation_file import FILE, keep_choices, kept_choices, settle
from facet.engine.store.captions_by_hand import captions_by_hand, keep_by_hand


def key(shot: Shot) -> str:
    return shot.hash[:16]


def widget(**choices: object) -> str:
    return json.dumps({"shots": choices})


def named(character: Character, choices: dict[int, dict]) -> str:
    """The widget's text with choices by the pictures' numbers."""
    return widget(**{key(character.pictures[number]): one for number, one in choices.items()})


def test_each_decision_holds_for_its_picture_and_no_other(character):
    text = named(
        character,
        {
            0: {"include": False},
            1: {"weight": 2.5, "tags": {"view": "front", "details": ["a scar"]}},
            3: {"include": True, "caption": "  zqx person by hand "},
        },
    )
    after = curated(character, parse_curation(text))
    assert [shot.include for shot in after.pictures] == [False, True, True, True]
    assert [shot.weight for shot in after.pictures] == [1.0, 2.5, 2.0, 1.0]
    assert after.shots[0].tags == Tags(view="front", details=("a scar",))
    assert (after.shots[2].caption, after.shots[2].by_hand) == ("zqx person by hand", True)
    assert shot_record(after.shots[1]) == shot_record(character.shots[1])
    assert character.shots[0].weight == 1.0


def test_no_decision_changes_nothing(character):
    for text in ("", "{}", widget(), widget(**{"f" * 16: {"include": False}})):
        after = curated(character, parse_curation(text))
        assert after.hash == character.hash
        assert list(map(shot_record, after.pictures)) == list(map(shot_record, character.pictures))


def test_decisions_outlive_another_order_another_name_and_pictures_gone(character):
    text = named(character, {2: {"include": False}, 3: {"weight": 3}})
    other = replace(character, name="Bea", shots=tuple(reversed(character.shots[1:])))
    after = {shot.hash: shot for shot in curated(other, parse_curation(text)).pictures}
    assert after[character.shots[1].hash].include is False
    assert after[character.shots[2].hash].weight == 3.0


def test_a_caption_follows_its_tags_unless_a_person_wrote_it():
    before = Tags(view="front", expression="smile", outfit="red coat", background="a café")
    caption = "zqx person, front view, smiling, wearing red coat, a café"
    turned = replace(before, view="profile_left", outfit="blue coat", background="")
    said = "zqx person, left profile, smiling, wearing blue coat"
    assert following(caption, before, turned) == said
    assert following("zqx person in front view", before, turned) == "zqx person in front view"
    assert following("", before, turned) == ""

    shot = Shot(torch.zeros(8, 8, 3), Provenance("imported"), caption=caption, tags=before)
    choice = Choice(tags={"view": "profile_left"})
    assert "left profile" in choice.applied(shot).caption
    assert choice.applied(replace(shot, by_hand=True)).caption == caption


def test_a_set_is_its_pictures_whatever_is_decided_about_them(character):
    turned = replace(character, shots=tuple(reversed(character.shots)))
    excluded = curated(character, parse_curation(named(character, {1: {"include": False}})))
    fewer = replace(character, shots=character.shots[1:])
    assert set_hash(turned) == set_hash(excluded) == set_hash(character) != set_hash(fewer)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"shots": {"aaaaaaaaaaaaaaaa": {"weight": ' + "1" * 400 + "}}}", "400 digits"),
        ("[]", "has to be an object"),
        ('{"shots": []}', "has to be an object"),
        ('{"approved": 3}', "approved is 3"),
        (widget(short={}), "'short' is no image's hash"),
        (widget(**{"../../../../etc/x": {}}), "no image's hash"),
        (widget(**{"a" * 16: []}), "needs an object"),
        (widget(**{"a" * 16: {"include": "yes"}}), "include of a"),
        (widget(**{"a" * 16: {"weight": 0}}), "the weight of a"),
        (widget(**{"a" * 16: {"weight": True}}), "the weight of a"),
        ('{"shots": {"aaaaaaaaaaaaaaaa": {"weight": NaN}}}', "NaN is no number"),
        (widget(**{"a" * 16: {"weight": 1e9}}), "the weight of a"),
        (widget(**{"a" * 16: {"caption": 1}}), "the caption of a"),
        (widget(**{"a" * 16: {"tags": []}}), "the tags of a"),
        (widget(**{"a" * 16: {"tags": {"hair": "red"}}}), "has a tag 'hair'"),
        (widget(**{"a" * 16: {"tags": {"view": 1}}}), "write a text"),
        (widget(**{"a" * 16: {"tags": {"details": "x"}}}), "write a list of texts"),
    ],
)
def test_anything_else_is_one_sentence_that_says_what_to_write(text, said):
    with pytest.raises(ValueError, match=said) as error:
        parse_curation(text)
    assert str(error.value).endswith(".")


def test_what_is_written_down_is_read_back(character, tmp_path):
    choices = dict(
        parse_curation(
            named(
                character,
                {
                    1: {"include": False, "weight": 0.5, "caption": "ünï"},
                    2: {"tags": {"details": ["a", "b"], "outfit": "coat"}},
                },
            )
        ).choices
    )
    keep_choices(tmp_path, choices, [])
    assert kept_choices(tmp_path) == choices
    # What was decided about other pictures stays; what is no decision any more goes.
    first, second = key(character.shots[0]), key(character.shots[1])
    keep_choices(tmp_path, {first: Choice()}, [character.shots[0].hash])
    assert kept_choices(tmp_path).keys() == {second}


def test_a_new_node_takes_up_what_is_kept_and_a_workflow_of_its_own_wins(character, tmp_path):
    settle(tmp_path, character, named(character, {1: {"include": False}}))
    assert settle(tmp_path, character, "").outcome.shots[0].include is False
    other = settle(tmp_path, character, named(character, {2: {"include": False}})).outcome
    assert [shot.include for shot in other.shots] == [True, False, False]
    assert settle(tmp_path, character, "").outcome.hash == other.hash


def test_a_caption_goes_to_those_by_hand_and_a_later_one_there_wins(character, tmp_path):
    shot = character.shots[0]
    text = named(character, {1: {"caption": "zqx person as I say"}})
    assert settle(tmp_path, character, text).outcome.shots[0].caption == "zqx person as I say"
    assert captions_by_hand(tmp_path) == {shot.hash: "zqx person as I say"}

    keep_by_hand(tmp_path, {shot.hash: "zqx person as I said in the file"})
    for _ in range(2):
        later = settle(tmp_path, character, text)
        assert later.outcome.shots[0].caption == "zqx person as I said in the file"
        assert later.outdated == {shot.hash: "zqx person as I say"}
    assert later.came.shots[0].caption == "zqx person as I said in the file"

    newest = named(character, {1: {"caption": "zqx person after all"}})
    assert settle(tmp_path, character, newest).outcome.shots[0].caption == "zqx person after all"
    assert captions_by_hand(tmp_path) == {shot.hash: "zqx person after all"}


def test_captions_by_hand_hold_without_a_decision(character, tmp_path):
    keep_by_hand(tmp_path, {shot.hash: "mine" for shot in character.shots[:2]})
    edited = character.captioned({character.shots[1].hash: "the file's"}, by_hand=True)
    after = settle(tmp_path, edited, "").outcome
    assert [shot.caption for shot in after.shots[:2]] == ["mine", "the file's"]
    assert all(shot.by_hand for shot in after.shots[:2])


def test_a_broken_file_is_named_and_left_alone(character, tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ValueError, match=r"curation\.json cannot be read .* holds your decisions"):
        settle(tmp_path, character, widget())
    assert (tmp_path / FILE).read_text() == "{"


def test_two_thousand_pictures_are_settled_in_one_pass(tmp_path):
    image = torch.zeros(8, 8, 3)
    shots = []
    for number in range(2000):
        picture = image.clone()
        picture.view(-1)[:2] = torch.tensor([number % 256, number // 256]) / 255
        shots.append(Shot(picture, Provenance("imported"), caption="zqx person"))
    many = Character("Many", "zqx", "person", shots[0], tuple(shots[1:]))
    choices = {key(shot): {"include": False} for shot in shots[::2]}
    settled = settle(tmp_path, many, widget(**choices))
    assert len(settled.outcome.dataset) == 1000
    assert isinstance(settled.curation, Curation)
