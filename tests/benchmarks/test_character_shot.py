"""The benchmark of Character Shot: what it counts as a contradiction, and what it would miss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facet.benchmarks import character_shot
from facet.benchmarks.character_shot import bars, others, warnings
from facet.engine.generate.character_shot.conflicts import Conflict
from facet.launcher.bench import met
from facet.world.identity import Identity

OWN = replace(Identity.from_seed(1), skin="pale", hair="red", hair_style="short", build="average")
PERSON = {
    "likeness_first": 0.7,
    "likeness_kept": 0.8,
    "gains": [0.3],
    "view_first": 0.8,
    "view_kept": 1.0,
    "pass_at_once": 0.6,
    "pass": 0.9,
    "judging_seconds": 1.0,
    "making_seconds": 20.0,
    "steps_again": 0,
}


def missed(person: dict, **warned: float) -> list[str]:
    found = bars([person], {"precision": 1.0, "recall": 1.0, **warned})
    return [name for name, bar in found.items() if not met(bar)]


def test_only_what_the_words_deny_contradicts() -> None:
    assert "fair" not in others("skin", OWN) and "dark" in others("skin", OWN)
    assert others("hair_style", OWN) == ["long", "bald"]
    assert others("hair_style", replace(OWN, hair_style="bun")) == ["bald"]
    assert others("hair", replace(OWN, hair_style="bald")) == []
    assert others("build", OWN) == []


def test_warning_of_everything_is_not_precise_and_of_nothing_finds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert warnings(2)["recall"] > 0.9
    named = [name for names in character_shot.NAMED.values() for name in names]
    said = [Conflict(name, "", "", (1, 1)) for name in named]
    monkeypatch.setattr(character_shot, "conflicts", lambda _prompt, _known: said)
    everything = warnings(2)
    assert everything["recall"] == 1.0 and everything["precision"] < 0.5
    monkeypatch.setattr(character_shot, "conflicts", lambda _prompt, _known: [])
    assert warnings(2)["recall"] == 0.0


def test_each_figure_can_miss_its_bar() -> None:
    assert missed(PERSON) == []
    worse = {
        "likeness_kept": 0.69,
        "gains": [0.0],
        "view_kept": 0.7,
        "pass": 0.5,
        "judging_seconds": 3.0,
        "steps_again": 1,
    }
    assert [len(missed({**PERSON, name: value})) for name, value in worse.items()] == [
        1,
        1,
        2,
        2,
        1,
        1,
    ]
    assert len(missed(PERSON, precision=0.9)) == len(missed(PERSON, recall=0.8)) == 1
    assert missed({**PERSON, "gains": []}) == ["likeness gained where a first try failed"]
