"""Settings are checked before anything runs, and say which runs are the same."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest

from facet.engine.training.settings import TrainingSettings, setting, settings_of


@pytest.mark.parametrize(("pictures", "steps"), [(1, 800), (16, 1600), (40, 2500)])
def test_steps_follow_the_pictures(pictures: int, steps: int) -> None:
    assert TrainingSettings().for_pictures(pictures).steps == steps
    assert TrainingSettings(steps=50).for_pictures(pictures).steps == 50


def test_repeats_and_epochs_are_another_way_to_say_steps() -> None:
    settings = TrainingSettings(repeats=10, epochs=16, batch_size=3)
    assert settings.for_pictures(7).steps == math.ceil(7 * 10 * 16 / 3)
    assert replace(settings, steps=50).for_pictures(7).steps == 50


def test_resolutions_are_read_in_any_order() -> None:
    assert TrainingSettings().sides() == ()
    assert TrainingSettings(resolutions="1024, 512 768,512").sides() == (512, 768, 1024)


def test_the_fingerprint_is_of_what_decides_the_outcome() -> None:
    settings = TrainingSettings(steps=10)
    same = replace(
        settings,
        steps=20,
        checkpoint_every=5,
        gradient_checkpointing=True,
        micro_batch=1,
        vram=8.0,
        cache="disk",
        sample_every=100,
        sample_prompts="[trigger] smiling",
        validate_every=50,
        patience=3,
    )
    assert settings.fingerprint("a", "b") == same.fingerprint("a", "b")
    assert settings.fingerprint("a", "b") != settings.fingerprint("a", "c")
    for other in (
        {"seed": 1},
        {"adapter": "DoRA"},
        {"optimizer": "Lion"},
        {"resolutions": "512"},
        {"validation_shots": 1},
        {"base": "fp8"},
        {"prior_class": 0.5},
    ):
        assert settings.fingerprint("a") != replace(settings, **other).fingerprint("a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": -1},
        {"rank": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"batch_size": 0},
        {"ema": 1.0},
        {"schedule": "square"},
        {"precision": "fp8"},
        {"subject": "somebody"},
        {"adapter": "OFT"},
        {"targets": "everything"},
        {"optimizer": "SGD"},
        {"alpha": -1.0},
        {"resolutions": "512 by 512"},
        {"resolutions": "20000"},
        {"repeats": 10},
        {"epochs": 16},
        {"generated_from": 1.0},
        {"timesteps": "sometimes"},
        {"base": "int2"},
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        TrainingSettings(**wrong)


def test_defaults_are_within_their_ranges() -> None:
    for one in settings_of(TrainingSettings):
        one.check(one.default)


@pytest.mark.parametrize(
    ("stated", "text", "sentence"),
    [
        (
            {"group": "Memory", "low": 0, "high": 9},
            "",
            "The setting 'tiles' has no help; state it in",
        ),
        (
            {"group": "", "low": 0, "high": 9},
            "Tiles.",
            "The setting 'tiles' has no group; state it in",
        ),
        ({"group": "Memory"}, "Tiles.", "The setting 'tiles' has no range; state its low"),
    ],
)
def test_a_setting_that_is_not_fully_stated_is_named(
    stated: dict[str, Any], text: str, sentence: str
) -> None:
    @dataclass
    class Table:
        tiles: int = setting(1, **stated)(text)

    with pytest.raises(ValueError, match=sentence):
        settings_of(Table)
