"""Captions as other programs and people write them."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.engine.core.character import LONGEST_CAPTION, Character, Provenance, Shot, Tags
from facet.engine.dataset.rows import read_rows
from facet.engine.dataset.texts import decode, first_alternative


def captions(loaded):
    return sorted(shot.caption for shot in loaded.character.pictures)


def rows(*entries):
    return "\n".join(json.dumps(entry) for entry in entries)


def test_null_is_no_caption(put, read):
    put("a.png")
    put("metadata.jsonl", rows({"file_name": "a.png", "text": None}))
    loaded = read()
    assert captions(loaded) == [""] and "Without a caption: 1." in loaded.report


@pytest.mark.parametrize("column", ["caption", "prompt", "Description", "bildtext"])
@pytest.mark.parametrize("table", ["metadata.jsonl", "metadata.csv"])
def test_captions_come_from_the_one_column_of_text_there_is(put, read, column, table):
    put("train/a.png")
    if table.endswith("csv"):
        put(f"train/{table}", f'file_name,{column},width\r\na.png,"zqx person, red",40\r\n')
    else:
        put(f"train/{table}", rows({"file_name": "a.png", column: "zqx person, red", "width": 40}))
    loaded = read()
    if column == "bildtext" and table.endswith("csv"):  # in a csv the width is text too
        assert captions(loaded) == [""] and "'bildtext', 'width'" in loaded.report
    else:
        assert captions(loaded) == ["zqx person, red"]
        assert f"train/{table}: has its captions in the column {column!r}" in loaded.report
    assert "other kinds" not in loaded.report


def test_text_comes_before_other_columns_which_are_named(put, read):
    put("a.png")
    entry = {"file_name": "a.png", "prompt": "another", "text": "zqx person", "tags": "x, y"}
    put("metadata.jsonl", rows(entry))
    loaded = read()
    assert captions(loaded) == ["zqx person"]
    assert "has texts in the columns 'prompt' too, which were not taken" in loaded.report


def test_where_any_column_could_be_the_caption_none_is_guessed(put, read):
    put("a.png")
    put("metadata.jsonl", rows({"file_name": "a.png", "artist": "x", "licence": "y"}))
    loaded = read()
    assert captions(loaded) == [""] and "may be in any of 'artist', 'licence'" in loaded.report


@pytest.mark.parametrize("called", ["a.png", "train/a.png", "./a.png", "train\\a.png"])
def test_a_table_names_pictures_from_its_folder_or_from_the_top(put, read, called):
    put("train/a.png")
    put("train/metadata.jsonl", rows({"file_name": called, "text": "zqx person"}))
    loaded = read()
    assert captions(loaded) == ["zqx person"] and "!" not in loaded.report


def test_several_captions_in_a_row_give_the_longest_and_name_the_others(put, read):
    put("a.png")
    put("metadata.jsonl", rows({"file_name": "a.png", "text": ["zqx", "zqx person, red"]}))
    loaded = read()
    assert captions(loaded) == ["zqx person, red"] and "'zqx' was dropped" in loaded.report


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["file_name", "text", "caption", "x"]),
            st.none() | st.text(max_size=9) | st.integers() | st.lists(st.text(max_size=3)),
        ),
        max_size=4,
    )
)
def test_no_row_is_a_crash_or_a_caption_that_nobody_wrote(entries):
    found = read_rows("metadata.jsonl", rows(*entries).encode())
    written = {
        text
        for entry in entries
        for value in entry.values()
        for text in (value if isinstance(value, list) else [value])
    }
    assert set(found.captions.values()) <= {text for text in written if isinstance(text, str)} | {
        ""
    }


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(data):
    read_rows("metadata.csv", data)
    read_rows("metadata.jsonl", data)
    assert isinstance(decode(data).text, str)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("a.PNG", "a.CAPTION"), ("b.png", "b.Txt"), ("c.png", "C.txt"), ("d.jpg", "d.jpg.txt"),
        ("e.png", "e.tXT"), ("f.jpeg", "F.Caption"), ("g.png", "g.png.caption"),
    ],
)  # fmt: skip
def test_a_caption_is_found_in_any_case(put, read, image, text):
    put(image)
    put(text, "zqx person")
    loaded = read()
    assert captions(loaded) == ["zqx person"] and "!" not in loaded.report


def test_pictures_whose_names_differ_by_case_have_each_their_own(put, read):
    for name in ("a", "A"):
        put(f"{name}.png")
        put(f"{name}.txt", f"zqx {name}")
    loaded = read()
    assert captions(loaded) == ["zqx A", "zqx a"] and "!" not in loaded.report


@pytest.mark.parametrize("suffix", [".json", ".tags", ".md", ".text", ".CAP", ".yaml"])
def test_a_text_beside_a_picture_that_was_not_taken_is_named(put, read, suffix):
    put("a.png")
    put(f"a{suffix}", "zqx person")
    assert f"a{suffix}: stands beside an image and was not taken" in read().report


def test_of_two_texts_the_one_that_holds_is_said(put, read):
    put("a.png")
    put("a.txt", "zqx person")
    put("a.caption", "zqx person, in a park")
    loaded = read()
    assert captions(loaded) == ["zqx person"]
    assert "a.caption: is not the caption, which stands in a.txt" in loaded.report


def test_an_empty_text_gives_way_to_one_that_says_something(put, read):
    put("a.png")
    put("a.txt", " \n")
    put("a.caption", "zqx person")
    assert captions(read()) == ["zqx person"]


@pytest.mark.parametrize(("one", "other"), [("zqx", "zqx person, red"), ("zqx, longer", "zqx")])
def test_of_a_picture_that_is_there_twice_the_longer_caption_stays(put, read, one, other):
    data = put("a.png").read_bytes()
    put("b.png", data)
    put("a.txt", one)
    put("b.txt", other)
    loaded = read()
    assert captions(loaded) == [max(one, other, key=len)]
    assert f"and {min(one, other, key=len)!r} dropped" in loaded.report


def test_a_mask_of_either_of_two_equal_pictures_stays(put, read):
    data = put("a.png").read_bytes()
    put("b.png", data)
    put("a.txt", "zqx person")
    put("b_mask.png")
    [shot] = read().character.pictures
    assert shot.mask is not None and shot.caption == "zqx person"


@pytest.mark.parametrize(
    ("encoding", "called", "caption"),
    [
        ("gbk", "GBK", "zqx 人物"),
        ("gb18030", "GBK", "zqx 一个穿红裙子的女人在公园里"),
        ("cp932", "Shift-JIS", "zqx 人物"),
        ("shift_jis", "Shift-JIS", "赤い服の女性、笑顔"),
        ("euc_jp", "EUC-JP", "赤い服の女性が公園に立っている"),
        ("euc_kr", "EUC-KR", "zqx 빨간 옷을 입은 여자"),
        ("big5", "Big5", "穿著紅色裙子的女人"),
        ("cp1251", "Windows-1251", "zqx женщина, улыбается"),
        ("cp1252", "Windows-1252", "zqx person, in a café in Köln"),
        ("cp1252", "Windows-1252", "it\u2019s zqx, çà et là, où l\u2019élève"),
        ("utf-16", "UTF-16", "zqx person"),
        ("utf-16-le", "UTF-16", "zqx person"),
    ],
)
def test_old_encodings_are_read_and_named(put, read, encoding, called, caption):
    put("a.png")
    put("a.txt", caption.encode(encoding))
    loaded = read()
    assert captions(loaded) == [caption]
    assert f"a.txt: is not UTF-8 and was read as {called}" in loaded.report


def test_of_lines_that_each_call_the_trigger_the_first_is_taken(put, read):
    put("a.png")
    put("a.txt", "zqx person, red\nzqx woman, blue\n")
    loaded = read()
    assert captions(loaded) == ["zqx person, red"]
    assert "a.txt: has a caption on each line; the first was taken" in loaded.report


@pytest.mark.parametrize(
    "text",
    [
        "zqx person stands in a park.\nThe light is warm.",
        "zqx person in a park.\n\nzqx wears red.",
        "A photo of\nzqx person",
    ],
)
def test_paragraphs_stay_whole(put, read, text):
    put("a.png")
    put("a.txt", text)
    loaded = read()
    assert captions(loaded) == [" ".join(text.split())] and "!" not in loaded.report


def test_alternatives_are_known_by_the_trigger_that_the_folder_says(put, read):
    put("10_mira woman/a.png")
    put("10_mira woman/a.txt", "mira woman, red\nmira woman, blue")
    assert captions(read(trigger="")) == ["mira woman, red"]
    assert first_alternative("zqx\nzqx", "") == "zqx\nzqx"


@pytest.mark.parametrize("size", [LONGEST_CAPTION + 1, 64 << 10])
@pytest.mark.parametrize("where", ["a.txt", "metadata.jsonl"])
def test_a_caption_beyond_every_encoder_is_cut_and_said(put, read, size, where):
    put("a.png")
    text = ("zqx word " * size)[:size]
    put(where, text if where == "a.txt" else rows({"file_name": "a.png", "text": text}))
    loaded = read()
    [caption] = captions(loaded)
    assert LONGEST_CAPTION - 10 < len(caption) <= LONGEST_CAPTION and caption.endswith(" word")
    assert f"has a caption of {len(text.strip())} letters" in loaded.report


def test_a_text_that_is_no_caption_is_not_even_read(put, read, folder):
    put("a.png")
    with (folder / "a.txt").open("wb") as file:
        file.truncate(300 << 20)
    loaded = read()
    assert captions(loaded) == [""] and "a.txt: is no caption, or cannot be read" in loaded.report


HALF = "zqx person \ud83d"


def test_half_letters_are_dropped_where_captions_enter(put, read):
    put("a.png")
    put("metadata.jsonl", rows({"file_name": "a.png", "text": HALF}))
    character = read().character
    assert character.source.caption == "zqx person" and len(character.hash) == 64


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec=None), max_size=20))
def test_whatever_enters_a_character_can_be_hashed_and_written(text):
    tags = Tags(outfit=text, details=(text,))
    shot = Shot(torch.zeros(2, 2, 3), Provenance("imported"), caption=text, tags=tags)
    character = Character(f"A{text}", "zqx", f"person{text}", shot, companions=(f"b {text}",))
    assert len(character.hash) == 64 and len(character.captioned({shot.hash: text}).hash) == 64
    for written in (shot.caption, shot.tags.outfit, *shot.tags.details, character.name):
        written.encode()
