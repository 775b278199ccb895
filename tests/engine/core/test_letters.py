import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.engine.core.letters import has_word, plain


@pytest.mark.parametrize(
    ("trigger", "caption"),
    [
        ("小明", "小明穿着红裙子"),
        ("小明", "一个穿红裙子的小明abc"),
        ("zqx", "zqx人物\uff0c微笑"),
        ("zqx", "微笑的zqx"),
        ("ゼク", "赤い服のゼクです"),
        ("มานี", "มานีใส่ชุดแดง"),
        ("민수", "민수는 웃고 있다"),
        ("zqx", "zqx가 웃는다"),
        ("𠮷野", "𠮷野家の前"),
        ("Loïc", "portrait of LOÏC, smiling"),
        ("zqx", "zqx_"[:3]),
        ("zqx-1", "a zqx-1 person"),
    ],
)
def test_a_trigger_is_found_in_any_script(trigger, caption):
    assert has_word(caption, trigger)


@pytest.mark.parametrize(
    ("trigger", "caption"),
    [
        ("zqx", "zqxs person"),
        ("zqx", "azqx"),
        ("zqx", "zqx_2 person"),
        ("zqx", "zqx7"),
        ("мира", "мирами"),
        ("मीर", "मीरा मुस्कुरा रही है"),
        ("Loi", "Lo\u0131\u0308c"),
        ("小明", "小红穿着裙子"),
    ],
)
def test_a_part_of_a_longer_word_is_no_trigger(trigger, caption):
    assert not has_word(caption, trigger)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\0")), st.sampled_from(["zqx", "小明", "мира"]))
def test_between_spaces_every_word_is_one_of_its_own(text, trigger):
    assert has_word(f"{text} {trigger} {text}", trigger)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None)))
def test_plain_text_can_be_written_and_is_the_same_however_it_was_typed(text):
    whole = plain(text)
    whole.encode()
    assert whole == plain(whole) == plain(unicodedata.normalize("NFD", whole))
    assert len(whole) >= len(unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode()))
