"""Presets give way to what a person sets, and a small card lowers what is asked of it."""

from __future__ import annotations

import itertools

import pytest

from facet.engine.training.presets import MEMORIES, QUALITIES, merged, preset, stated
from facet.engine.training.settings import TrainingSettings


@pytest.mark.parametrize(("quality", "memory"), itertools.product(QUALITIES, MEMORIES))
def test_every_preset_can_be_trained_with(quality: str, memory: str) -> None:
    settings = TrainingSettings(**preset(quality, memory))
    assert settings.for_pictures(16).steps > 0


def test_no_preset_changes_nothing() -> None:
    assert preset("custom", "as it is") == {}


def test_more_quality_is_more_steps_and_sizes() -> None:
    made = [TrainingSettings(**preset(one, "as it is")) for one in ("fast", "balanced", "best")]
    steps = [one.for_pictures(16).steps for one in made]
    assert steps == sorted(steps) and len(set(steps)) == 3
    assert [max(one.sides()) for one in made] == [512, 768, 1024]


@pytest.mark.parametrize(
    ("memory", "sides"), [("8 GB", (512,)), ("12 GB", (512, 768)), ("24 GB", (512, 768, 1024))]
)
def test_a_small_card_leaves_the_large_sizes_out(memory: str, sides: tuple[int, ...]) -> None:
    settings = TrainingSettings(**preset("best", memory))
    assert settings.sides() == sides
    assert settings.gradient_checkpointing
    assert settings.vram == float(memory.split()[0])


def test_a_smaller_card_never_asks_for_more() -> None:
    made = [TrainingSettings(**preset("custom", memory)) for memory in MEMORIES[1:]]
    assert [one.resolution for one in made] == sorted(one.resolution for one in made)
    assert [one.base for one in made] == ["fp8", "fp8", "fp8", "as it is"]


def test_what_a_person_sets_wins() -> None:
    values = merged(preset("fast", "8 GB"), TrainingSettings(resolutions="768").record())
    assert TrainingSettings(**values).sides() == (768,)
    assert TrainingSettings(**values).gradient_checkpointing
    values = merged(preset("fast", "8 GB"), {"resolution": 640, "gradient_checkpointing": False})
    settings = TrainingSettings(**values)
    assert settings.sides() == () and settings.resolution == 640
    assert settings.gradient_checkpointing


def test_a_number_of_steps_wins_over_epochs() -> None:
    values = merged(preset("best", "as it is"), {"steps": 300})
    assert TrainingSettings(**values).for_pictures(20).steps == 300
    values = merged(preset("best", "as it is"), {"epochs": 20})
    assert TrainingSettings(**values).for_pictures(20).steps == 400


def test_defaults_say_nothing() -> None:
    assert stated(TrainingSettings().record()) == {}
    assert stated({"rank": 8, "steps": 0}) == {"rank": 8}
