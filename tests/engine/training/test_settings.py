"""Settings are checked before anything runs, and say which runs are the same."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from facet.engine.training.settings import TrainingSettings


@pytest.mark.parametrize(("pictures", "steps"), [(1, 800), (16, 1600), (40, 2500)])
def test_steps_follow_the_pictures(pictures: int, steps: int) -> None:
    assert TrainingSettings().for_pictures(pictures).steps == steps
    assert TrainingSettings(steps=50).for_pictures(pictures).steps == 50


def test_repeats_and_epochs_are_another_way_to_say_steps() -> None:
    settings = TrainingSettings(repeats=10, epochs=16, batch_size=3)
    assert settings.for_pictures(7).steps == math.ceil(7 * 10 * 16 / 3)
    assert replace(settings, steps=50).for_pictures(7).steps == 50


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_learning_rate_rises_and_falls(schedule: str) -> None:
    settings = TrainingSettings(steps=100, learning_rate=1e-3, warmup=0.1, schedule=schedule)
    rates = [settings.learning_rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == rates[10] == pytest.approx(1e-3)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 2e-5


def test_a_constant_learning_rate_stays() -> None:
    settings = TrainingSettings(steps=10, schedule="constant", warmup=0.0)
    assert {settings.learning_rate_at(step) for step in range(10)} == {1e-4}


def test_a_schedule_with_restarts_starts_anew() -> None:
    settings = TrainingSettings(
        steps=110, learning_rate=1e-3, warmup=10 / 110, schedule="cosine with restarts", restarts=4
    )
    rates = [settings.learning_rate_at(step) for step in range(110)]
    peaks = [i for i in range(10, 110) if rates[i] == pytest.approx(1e-3)]
    assert peaks == [10, 35, 60, 85]
    for start in peaks:
        assert rates[start : start + 25] == sorted(rates[start : start + 25], reverse=True)
        assert rates[start + 24] < 1e-5


def test_prodigy_takes_the_schedule_alone() -> None:
    settings = TrainingSettings(steps=10, optimizer="Prodigy", schedule="constant", warmup=0.0)
    assert {settings.learning_rate_at(step) for step in range(10)} == {1.0}


def test_resolutions_are_read_in_any_order() -> None:
    assert TrainingSettings().sides() == ()
    assert TrainingSettings(resolutions="1024, 512 768,512").sides() == (512, 768, 1024)


def test_checkpoints_are_due_at_intervals_and_at_the_end() -> None:
    settings = TrainingSettings(steps=600, checkpoint_every=250)
    assert [s for s in range(1, 601) if settings.checkpoint_due(s)] == [250, 500, 600]
    once = replace(settings, checkpoint_every=0)
    assert [s for s in range(1, 601) if once.checkpoint_due(s)] == [600]


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
