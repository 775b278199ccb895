"""Triggers beside letters of scripts without spaces: the trainer, the lint and the writer agree."""

from dataclasses import replace

import pytest
import torch

from facet.engine.captions.policy import CaptionPolicy
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.lint.trigger import trigger_fault, trigger_findings
from facet.engine.training.data.pictures import without_trigger
from facet.engine.training.data.words import class_caption

CALLED = [
    ("小明", "人物", "小明穿着红裙子"),
    ("zqx", "人物", "zqx人物\uff0c微笑"),
    ("zqx", "女性", "赤い服のzqxです"),
    ("Loïc", "person", "Lo\u0069\u0308c person, smiling"),
    ("민수", "남자", "민수는 웃고 있다"),
]


def character(trigger: str, class_word: str, caption: str) -> Character:
    shot = Shot(torch.zeros(8, 8, 3), Provenance("original"), caption=caption)
    return Character("Ada", trigger, class_word, shot)


@pytest.mark.parametrize(("trigger", "class_word", "caption"), CALLED)
def test_all_who_look_for_the_trigger_find_it_once(trigger, class_word, caption):
    who = character(trigger, class_word, caption)
    assert without_trigger(who.dataset, *who.triggers) == []
    assert trigger_findings(who) == []
    assert trigger not in class_caption(who.source.caption, who.trigger, class_word)


@pytest.mark.parametrize(("trigger", "class_word", "caption"), CALLED)
def test_a_caption_is_written_with_the_trigger_once(trigger, class_word, caption):
    who = character(trigger, class_word, caption)
    tags = replace(who.source.tags, background=who.source.caption)
    written = CaptionPolicy().caption(who, replace(who.source, tags=tags))
    assert trigger_fault(written, who.trigger) == ""


def test_where_it_is_missing_everyone_says_so():
    who = character("小明", "人物", "小红穿着裙子")
    assert len(without_trigger(who.dataset, *who.triggers)) == 1
    [finding] = trigger_findings(who)
    assert finding.kind == "trigger_missing" and finding.fix.value.startswith("小明 人物")
