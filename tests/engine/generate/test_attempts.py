"""The loop in which images are made: until one passes, and the best is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from facet.engine.generate.attempts import Attempt, AttemptResult, Watch, make_best, spread
from facet.engine.store.images import ImageStore, StoredImage


@dataclass(frozen=True)
class Brightness:
    """How bright an image is."""

    value: float

    def record(self) -> dict[str, Any]:
        return {"value": self.value}


@dataclass(frozen=True)
class BrightEnough:
    value: float
    passed: bool

    @property
    def rank(self) -> tuple[bool, float]:
        return self.passed, self.value


class GreyCamera:
    """Makes grey images, the seed's hundredth part of white."""

    def __init__(self, fails_at: int = -1) -> None:
        self.taken: list[int] = []
        self.fails_at = fails_at

    def key(self, attempt: Attempt) -> str:
        return f"grey{attempt.seed}"

    def take(self, attempt: Attempt, on_step: object) -> torch.Tensor:
        if attempt.seed == self.fails_at:
            raise KeyboardInterrupt
        self.taken.append(attempt.seed)
        return torch.full((8, 8, 3), attempt.seed / 100)

    def record(self, attempt: Attempt, number: int) -> dict[str, Any]:
        return {"prompt": attempt.prompt, "attempt": number}


class BrightnessChecks:
    def __init__(self, least: float) -> None:
        self.least = least
        self.measured = 0

    def measure(self, image: torch.Tensor, known: Any) -> Brightness:
        if known is not None:
            return Brightness(known["value"])
        self.measured += 1
        return Brightness(round(float(image.mean()), 3))

    def judge(self, stored: StoredImage, measures: Brightness, number: int) -> BrightEnough:
        return BrightEnough(measures.value, measures.value >= self.least)


def seeds(*wanted: int) -> Any:
    """A remedy that makes attempts with these seeds, and says why from the second on."""

    def remedy(before: Sequence[BrightEnough]) -> Attempt:
        reason = f"{before[-1].value:.2f} was too dark" if before else ""
        return Attempt(wanted[len(before)], "grey", reason=reason)

    return remedy


def test_it_stops_at_the_first_image_that_passes(tmp_path: Path) -> None:
    camera = GreyCamera()
    store = ImageStore(tmp_path)
    history, best = make_best(camera, BrightnessChecks(0.5), seeds(20, 60, 90), store, 3)
    assert camera.taken == [20, 60] and best == 1
    assert [one.attempt.reason for one in history] == ["", "0.20 was too dark"]
    assert store.record("grey60")["attempt"] == 2


def test_the_best_is_kept_where_none_passes_and_the_first_of_those_alike(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    for wanted, best in (((20, 60, 40), 1), ((60, 60, 20), 0), ((10,), 0)):
        made = make_best(GreyCamera(), BrightnessChecks(2), seeds(*wanted), store, len(wanted))
        assert made[1] == best and len(made[0]) == len(wanted)


def test_what_is_stored_is_neither_made_nor_measured_nor_written_again(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    make_best(GreyCamera(), BrightnessChecks(2), seeds(20, 60), store, 2)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    camera, checks = GreyCamera(), BrightnessChecks(0.5)
    history, best = make_best(camera, checks, seeds(20, 60), store, 2)
    assert camera.taken == [] and checks.measured == 0 and best == 1
    assert all(one.found for one in history)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_an_interrupt_loses_no_image_that_was_made(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        make_best(GreyCamera(fails_at=60), BrightnessChecks(2), seeds(20, 60), store, 2)
    camera = GreyCamera()
    make_best(camera, BrightnessChecks(2), seeds(20, 60), store, 2)
    assert camera.taken == [60]


def test_who_watches_hears_of_each_attempt(tmp_path: Path) -> None:
    heard: list[Any] = []

    def ended(tried: AttemptResult[Brightness, BrightEnough]) -> None:
        heard.append((tried.number, tried.found, tried.verdict.passed))

    watch = Watch(lambda number, key: heard.append((number, key)), ended)
    store = ImageStore(tmp_path)
    make_best(GreyCamera(), BrightnessChecks(0.5), seeds(20, 60), store, 2, watch)
    make_best(GreyCamera(), BrightnessChecks(0.5), seeds(20, 60), store, 2, watch)
    assert heard == [
        (1, "grey20"),
        (1, False, False),
        (2, "grey60"),
        (2, False, True),
        (1, True, False),
        (2, True, True),
    ]


def test_seeds_that_belong_together_do_not_meet_those_of_their_neighbours() -> None:
    found = {spread(seed, number) for seed in range(100) for number in range(10)}
    assert len(found) == 1000 and spread(7, 0) == 7
    assert all(0 <= spread(2**63 - 1, number, bits=63) < 2**63 for number in range(10))
