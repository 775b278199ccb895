import pytest
import torch

from facet.engine.core.character import (
    Character,
    Provenance,
    Score,
    Shot,
    Tags,
    shot_from_record,
    shot_record,
)
from facet.engine.core.vocabulary import VIEW_YAW, VOCABULARY


def shot(seed: int = 0, **values) -> Shot:
    image = torch.rand(12, 10, 3, generator=torch.Generator().manual_seed(seed))
    return Shot(image, Provenance("generated"), **values)


def character(*shots: Shot, **values) -> Character:
    fields = {"name": "Ada", "trigger": "zqx", "class_word": "person", "source": shot(99)}
    return Character(**(fields | values), shots=shots)


def test_a_shot_is_identified_by_its_eight_bit_pixels():
    first = shot(1)
    stored_and_read = (first.image * 255).round().to(torch.uint8).to(torch.float32) / 255
    assert Shot(stored_and_read, Provenance("imported")).hash == first.hash
    changed = first.image.clone()
    changed[0, 0, 0] = 1 - changed[0, 0, 0].round()
    assert Shot(changed, Provenance("imported")).hash != first.hash


def test_the_same_pixels_in_another_shape_are_another_shot():
    image = torch.zeros(4, 6, 3)
    assert (
        Shot(image, Provenance("original")).hash
        != Shot(image.reshape(6, 4, 3), Provenance("original")).hash
    )


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (torch.zeros(4, 4, 4), None, r"\(H, W, 3\)"),
        (torch.full((4, 4, 3), float("nan")), None, "not numbers"),
        (torch.zeros(4, 4, 3), torch.zeros(5, 4), "same height and width"),
    ],
)
def test_a_picture_that_cannot_be_used_is_refused_in_a_sentence(image, mask, message):
    with pytest.raises(ValueError, match=message):
        Shot(image, Provenance("original"), mask=mask)


def test_adding_shots_leaves_the_character_as_it_was():
    before = character(shot(1))
    after = before.adding([shot(2)])
    assert [s.hash for s in before.shots] == [shot(1).hash]
    assert [s.hash for s in after.shots] == [shot(1).hash, shot(2).hash]


def test_a_picture_added_twice_is_replaced_in_place():
    both = character(shot(1), shot(2)).adding([shot(1, caption="new")])
    assert [s.caption for s in both.shots] == ["new", ""]


def test_the_original_is_never_added_as_a_shot():
    ada = character()
    assert ada.adding([ada.source]).shots == ()


def test_excluded_shots_are_kept_but_not_trained_on():
    ada = character(shot(1), shot(2, include=False))
    assert len(ada.pictures) == 3
    assert [s.hash for s in ada.dataset] == [ada.source.hash, shot(1).hash]


def test_the_hash_follows_what_is_trained_on():
    ada = character(shot(1))
    assert ada.hash == character(shot(1), shot(2, include=False)).hash
    assert ada.hash != ada.captioned({shot(1).hash: "zqx person"}).hash
    assert ada.hash != character(shot(1), trigger="abc").hash


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trigger": "  "}, "trigger is empty"),
        ({"trigger": "two words"}, "one word"),
        ({"trigger": "zq,x"}, "one word"),
        ({"class_word": ""}, "class word is empty"),
        ({"name": "../.."}, "no letter or digit"),
    ],
)
def test_bad_words_are_refused_in_a_sentence(values, message):
    with pytest.raises(ValueError, match=message):
        character(**values)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Ada", "Ada"),
        ("../etc/passwd", "etc_passwd"),
        ("Zoë & 李", "Zoë_李"),
        ("a" * 99, "a" * 60),
        ("CON", "CON_"),
        ("Lpt1", "Lpt1_"),
        ("Console", "Console"),
    ],
)
def test_a_name_becomes_one_folder(name, folder):
    assert character(name=name).folder_name == folder


def test_phrases_stand_in_caption_order():
    tags = Tags(
        background="in a park",
        outfit="red t-shirt",
        view="profile_left",
        framing="medium",
        expression="smile",
        pose="waving",
        details=("holding a book",),
    )
    assert ", ".join(tags.phrases()) == (
        "medium shot, left profile, smiling, waving, wearing red t-shirt, in a park, holding a book"
    )


def test_nobody_speaks_of_the_expression_seen_from_behind_or_the_pose_of_a_close_up():
    assert Tags(view="back", expression="smile").phrases() == ["back view"]
    assert Tags(framing="close_up", pose="standing").phrases() == ["close-up"]


def test_every_view_has_a_yaw():
    assert set(VIEW_YAW) == set(VOCABULARY["view"])


def test_a_record_brings_back_all_but_the_pixels():
    first = shot(
        3,
        caption="zqx person",
        include=False,
        weight=0.5,
        tags=Tags(view="back", details=("tattoo",)),
        scores=(Score("view", 3.0, 12.0, True, "well"),),
    )
    again = shot_from_record(shot_record(first) | {"unknown": 1}, first.image)
    assert shot_record(again) == shot_record(first)
    assert again.tags == first.tags
    assert again.scores == first.scores


def test_a_skipped_gate_does_not_reject():
    skipped = Score("view", None, None, None)
    assert shot(1, scores=(skipped,)).accepted
    assert not shot(1, scores=(skipped, Score("identity", 0.1, 0.5, False))).accepted
