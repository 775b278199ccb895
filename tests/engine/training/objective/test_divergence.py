"""A lost loss is told from a noisy one."""

from __future__ import annotations

import math
import random

from facet.engine.training.objective.divergence import WINDOW, DivergenceGuard


def noisy(level: float, rng: random.Random) -> float:
    """A loss as single samples have it: it varies threefold with the noise that was drawn."""
    return level * math.exp(rng.gauss(0, 0.8))


def stopped_at(levels: list[float], seed: int = 0) -> int | None:
    guard, rng = DivergenceGuard(), random.Random(seed)
    for step, level in enumerate(levels, start=1):
        if guard.diverged(noisy(level, rng)):
            return step
    return None


def test_a_noisy_loss_is_let_be() -> None:
    levels = [1.0 - 0.8 * step / 2000 for step in range(2000)]
    assert [stopped_at(levels, seed) for seed in range(5)] == [None] * 5


def test_an_overfitted_loss_that_comes_up_again_is_let_be() -> None:
    levels = [1.0] * 200 + [0.1] * 400 + [0.8] * 400
    assert stopped_at(levels) is None


def test_a_loss_that_rose_and_stays_is_told_within_a_hundred_steps() -> None:
    at = stopped_at([1.0] * 300 + [8.0] * 300)
    assert at is not None and 300 < at < 300 + 2 * WINDOW


def test_a_single_spike_is_let_be() -> None:
    assert stopped_at([1.0] * 300 + [500.0] * 5 + [1.0] * 300) is None
