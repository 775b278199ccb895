from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.lint import lint
from facet.engine.dataset.lint.trigger import trigger_fault, trigger_findings


def called(*captions: str, companions: tuple[str, ...] = ()) -> Character:
    shots = [
        Shot(torch.full((16, 16, 3), number / 40), Provenance("imported"), caption=caption)
        for number, caption in enumerate(captions)
    ]
    return Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]), companions)


@pytest.mark.parametrize(
    ("caption", "fault"),
    [
        ("zqx person, smiling", ""),
        ("a photo of (zqx), smiling", ""),
        ("a person", "lacks"),
        ("zqxy person", "lacks"),
        ("zqx person in a zqx shirt", "2 times"),
        ("Zqx person", "spells"),
    ],
)
def test_the_trigger_is_wanted_exactly_once_and_spelled_alike(caption, fault):
    found = trigger_fault(caption, "zqx")
    assert fault in found and bool(fault) == bool(found)


@pytest.mark.parametrize(
    ("caption", "kind", "better"),
    [
        ("a smiling person in a park", "trigger_missing", "a smiling zqx person in a park"),
        ("smiling, in a park", "trigger_missing", "zqx person, smiling, in a park"),
        ("zqx person, zqx, smiling", "trigger_doubled", "zqx person, smiling"),
        ("ZQX person, smiling", "trigger_misspelt", "zqx person, smiling"),
        ("zxq person, smiling", "trigger_misspelt", "zqx person, smiling"),
        ("zqxx person, smiling", "trigger_misspelt", "zqx person, smiling"),
        ("a photo of zq person", "trigger_misspelt", "a photo of zqx person"),
        ("photo of a person with a zq", "trigger_missing", "photo of a zqx person with a zq"),
    ],
)
def test_each_fault_of_the_trigger_comes_with_a_caption_that_has_none(caption, kind, better):
    (finding,) = trigger_findings(called(caption))
    assert (finding.kind, finding.fix.value) == (kind, better)
    assert trigger_fault(better, "zqx") == ""


def test_a_companions_picture_is_called_by_its_own_trigger():
    captions = ("zqx person", "abc person, smiling", "zqx person and abc person", "nobody")
    alone, both = called(*captions), called(*captions, companions=("abc person",))
    assert len(trigger_findings(alone)) == 2
    assert [finding.shots for finding in trigger_findings(both)] == [(both.shots[2].hash,)]


def test_excluded_shots_are_not_linted():
    who = called("zqx person", "nobody")
    without = replace(who, shots=(replace(who.shots[0], include=False),))
    assert trigger_findings(who) and not trigger_findings(without)
    assert not [one for one in lint(without).findings if one.kind.startswith("trigger")]
