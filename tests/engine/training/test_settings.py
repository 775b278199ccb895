"""Settings are checked before anything runs, and say which runs are the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facet.engine.training.settings import TrainingSettings


@pytest.mark.parametrize(("pictures", "steps"), [(1, 800), (16, 1600), (40, 2500)])
def test_steps_follow_the_pictures(pictures: int, steps: int) -> None:
    assert TrainingSettings().for_pictures(pictures).steps == steps
    assert TrainingSettings(steps=50).for_pictures(pictures).steps == 50


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


def test_checkpoints_are_due_at_intervals_and_at_the_end() -> None:
    settings = TrainingSettings(steps=600, checkpoint_every=250)
    assert [s for s in range(1, 601) if settings.checkpoint_due(s)] == [250, 500, 600]
    once = replace(settings, checkpoint_every=0)
    assert [s for s in range(1, 601) if once.checkpoint_due(s)] == [600]


def test_the_fingerprint_is_of_what_decides_the_outcome() -> None:
    settings = TrainingSettings(steps=10)
    same = replace(settings, steps=20, checkpoint_every=5, gradient_checkpointing=True)
    assert settings.fingerprint("a", "b") == same.fingerprint("a", "b")
    assert settings.fingerprint("a", "b") != settings.fingerprint("a", "c")
    assert settings.fingerprint("a") != replace(settings, seed=1).fingerprint("a")


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
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        TrainingSettings(**wrong)
