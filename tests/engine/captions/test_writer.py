from dataclasses import replace

import pytest
import torch

from facet.engine.captions.policy import CaptionPolicy, PolicyKind
from facet.engine.captions.writer import caption_report, write_captions
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.layouts import names_of
from facet.engine.dataset.lint.captions import caption_findings
from facet.engine.dataset.lint.lines import finding_lines


def shot(value: float, **fields) -> Shot:
    return Shot(torch.full((16, 16, 3), value), Provenance("generated"), **fields)


@pytest.fixture
def character() -> Character:
    shots = (
        shot(0.2, tags=Tags(view="profile_left")),
        shot(0.4, caption="zqx person, by hand"),
        shot(0.6, tags=Tags(view="back"), include=False),
    )
    return Character("Ada", "zqx", "person", shot(0.0, tags=Tags(view="front")), shots)


def test_a_caption_edited_by_hand_is_kept(character):
    captions = [shot.caption for shot in write_captions(character, CaptionPolicy()).pictures]
    assert captions == [
        "zqx person, front view",
        "zqx person, left profile",
        "zqx person, by hand",
        "zqx person, back view",
    ]


def test_all_captions_are_written_anew_when_asked(character):
    rules = CaptionPolicy(PolicyKind.TRIGGER_ONLY)
    written = write_captions(character, rules, keep_existing=False)
    assert {shot.caption for shot in written.pictures} == {"zqx person"}


def test_the_character_that_came_in_is_left_alone(character):
    write_captions(character, CaptionPolicy(), keep_existing=False)
    assert character.source.caption == ""


def test_the_report_counts_and_names_faults(character):
    shots = (replace(character.shots[1], caption="a person by hand"), *character.shots[:1])
    before = replace(character, shots=shots)
    after = write_captions(before, CaptionPolicy())
    faults = finding_lines(caption_findings(after), names_of(after))
    report = caption_report(before, after, faults=faults)
    assert report.startswith("2 of 3 captions written, 1 kept as they were.")
    assert "lacks the trigger 'zqx': 'a person by hand'" in report
