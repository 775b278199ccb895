"""The benchmark of datasets: what it times, what it compares, and what it would miss."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from facet.benchmarks import dataset
from facet.benchmarks.dataset import Flawed, Timing
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.launcher.bench import met


def timing(shots: int, **seconds: float) -> Timing:
    return Timing(shots, seconds, seconds)


@pytest.mark.parametrize(("power", "linear"), [(1.0, True), (1.1, True), (1.4, False), (2, False)])
def test_a_task_is_linear_when_its_time_grows_as_the_shots_do(power: float, linear: bool) -> None:
    timings = [timing(shots, load=1e-4 * shots**power) for shots in (250, 500, 1000, 2000)]
    [(name, bar)] = dataset.bars(timings, {}).items()
    assert name == "load: time grows with shots to the power of"
    assert bar["value"] == pytest.approx(power)
    assert met(bar) is linear


def flawed(**right: tuple[float, float]) -> Flawed:
    return Flawed(seed=0, shots=200, number=40, seconds=9.0, right=right)


def test_a_rare_fault_that_is_never_found_is_not_hidden_by_a_common_one() -> None:
    common = flawed(all=(1.0, 0.99), common_phrase=(1.0, 1.0), blurred=(1.0, 0.0))
    bars = dataset.lint_bars([common])
    assert [name for name, bar in bars.items() if not met(bar)] == [
        "lint: faults that are found, mean of the kinds"
    ]


def test_the_worst_of_the_flawed_sets_counts() -> None:
    good = flawed(all=(1.0, 1.0), blurred=(1.0, 1.0))
    bad = flawed(all=(0.9, 1.0), blurred=(0.9, 1.0))
    bars = dataset.lint_bars([good, bad])
    assert bars["lint: findings that are true"]["value"] == 0.9
    assert all(met(bar) for bar in dataset.lint_bars([good]).values())


def test_every_task_is_timed_and_leaves_what_it_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "REPEATS", 1)
    timed = dataset.one_size(6, tmp_path)
    tasks = ["export", "export again", "load", "library save", "library open"]
    assert list(timed.processor) == list(timed.clock) == tasks
    assert len(list((tmp_path / "0" / "dataset").rglob("*.png"))) == 6
    assert len(list((tmp_path / "0" / "facet").rglob("pictures/*.png"))) == 6
    assert json.loads(json.dumps(vars(timed))) == vars(timed)


def test_no_shot_is_changed_by_any_layout(tmp_path: Path) -> None:
    assert dataset.changed_by_a_round_trip(10, tmp_path) == {layout.value: 0 for layout in Layout}


def test_a_shot_that_comes_back_otherwise_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(character, folder, layout):  # type: ignore[no-untyped-def]
        first, *others = character.shots
        export(replace(character, shots=(replace(first, weight=3.0), *others[:-1])), folder, layout)

    monkeypatch.setattr(dataset, "export", forgetful)
    counted = dataset.changed_by_a_round_trip(5, tmp_path)
    assert set(counted.values()) == {2}
    bars = dataset.bars([timing(1)], counted)
    assert not any(met(bar) for bar in bars.values())
