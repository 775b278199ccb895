from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.compare import MOST_LINES, compare
from facet.engine.dataset.compare_image import GAINED, KEPT, LOST, comparison_image


def shot(seed: int, **known) -> Shot:
    picture = torch.rand(16, 16, 3, generator=torch.Generator().manual_seed(seed))
    return Shot(picture, Provenance("generated"), **known)


@pytest.fixture
def before() -> Character:
    shots = (
        shot(1, caption="zqx person", tags=Tags("close_up", "front", "smile")),
        shot(2, caption="zqx person, left", tags=Tags("medium", "profile_left")),
        shot(3, caption="zqx person, night", tags=Tags("full", "front", background="at night")),
    )
    source = shot(0, caption="zqx person, front view", tags=Tags("close_up", "front"))
    return Character("Ada", "zqx", "person", source, shots)


def changed(character: Character, number: int, **what) -> Character:
    shots = list(character.shots)
    shots[number] = replace(shots[number], **what)
    return replace(character, shots=tuple(shots))


def seen(character: Character, other: Character, colour: str) -> bool:
    """Whether that colour is a box of the picture, and not only in the legend."""
    picture = (comparison_image(compare(character, other)) * 255).round().to(torch.uint8)
    wanted = torch.tensor([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=torch.uint8)
    return bool((picture[220:] == wanted).all(-1).any())


def test_a_character_does_not_differ_from_itself(before):
    same = compare(before, before)
    assert same.same and same.groups == ()
    assert same.text().startswith("Nothing has changed; 4 images in the dataset.")
    # Another order is no change of what a trainer sees.
    assert compare(before, replace(before, shots=before.shots[::-1])).same
    assert seen(before, before, KEPT)
    assert not seen(before, before, GAINED) and not seen(before, before, LOST)


def test_pictures_that_came_and_went_are_named(before):
    new = shot(9, tags=Tags("full", "back"))
    after = replace(before, shots=(*before.shots[1:], new))
    found = compare(before, after)
    assert found.added == (new,) and found.removed == (before.shots[0],)
    text = found.text()
    assert f"Added: 1\n  full body, back view ({new.hash[:8]})" in text
    assert f"Removed: 1\n  close-up, front view, smiling ({before.shots[0].hash[:8]})" in text
    assert compare(after, before).added == found.removed
    assert seen(before, after, GAINED) and seen(before, after, LOST)


def test_a_shot_that_is_left_out_counts_no_more_and_one_taken_in_does(before):
    after = changed(before, 1, include=False)
    found = compare(before, after)
    assert [one.hash for one in found.left_out] == [before.shots[1].hash]
    assert (found.added, found.removed, found.taken_in) == ((), (), ())
    assert "4 images in the dataset before, 3 after." in found.text()
    [row] = [row for row in found.rows if row.label == "left profile"]
    assert (row.before, row.after) == (1, 0)
    assert "left profile    1   0  -1" in found.text()
    assert [one.hash for one in compare(after, before).taken_in] == [before.shots[1].hash]


def test_other_captions_weights_and_tags_say_what_they_were(before):
    after = changed(before, 0, caption="zqx person,\nwaving", weight=2.0)
    after = changed(after, 1, tags=Tags("medium", "front", details=("a scar", "a ring")))
    text = compare(before, after).text()
    first, second = (one.hash[:8] for one in before.shots[:2])
    assert f"  {first}  was: zqx person\n            now: zqx person, waving" in text
    assert f"({first}): 1 to 2" in text
    assert f"{second}: view profile_left to front, details unknown to a scar and a ring" in text


def test_another_trigger_original_or_companion_is_said(before):
    after = replace(
        before,
        trigger="zqy",
        source=before.shots[0],
        shots=(before.source, *before.shots[1:]),
        companions=("zqb dog",),
    )
    found = compare(before, after)
    assert not found.same and found.groups == ()
    assert found.names == [
        "The trigger was 'zqx' and is 'zqy'.",
        "Its companions were none, and are zqb dog.",
        "The original is another image.",
    ]


def test_rows_stand_in_the_order_of_captions_with_free_text_by_count(before):
    shots = [shot(20 + n, tags=Tags(background="in a park")) for n in range(3)]
    rows = compare(before, replace(before, shots=(*before.shots, *shots))).rows
    assert [(row.axis, row.label) for row in rows] == [
        ("framing", "close-up"),
        ("framing", "medium shot"),
        ("framing", "full body"),
        ("view", "front view"),
        ("view", "left profile"),
        ("expression", "smiling"),
        ("background", "in a park"),
        ("background", "at night"),
    ]


def test_long_lists_are_cut_and_counted(before):
    many = replace(before, shots=tuple(shot(100 + n) for n in range(MOST_LINES + 5)))
    text = compare(before, many).text()
    assert text.count("untagged (") == MOST_LINES
    assert "  and 5 more" in text
    picture = comparison_image(compare(before, many))
    assert picture.shape[1:] == (1600, 3)
    assert picture.shape[0] < 2000


def test_a_large_set_in_which_every_shot_wears_something_else_stays_one_picture(before):
    shots = [shot(100 + n, tags=Tags(view="front", outfit=f"dress {n}")) for n in range(600)]
    found = compare(before, replace(before, shots=tuple(shots)))
    assert comparison_image(found).shape[0] < 2400
    assert len(found.text().splitlines()) < 150


def test_characters_without_tags_have_a_picture_too(before):
    bare = Character("Ada", "zqx", "person", shot(50))
    assert comparison_image(compare(bare, bare)).shape[1:] == (1600, 3)
    assert comparison_image(compare(before, bare)).isfinite().all()
