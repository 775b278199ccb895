"""The benchmark of datasets: what it times, what it compares, and what it would miss."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from facet.benchmarks import dataset
from facet.benchmarks.dataset import Timing
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.launcher.bench import met


def timing(shots: int, **seconds: float) -> Timing:
    return Timing(shots, seconds, seconds)


@pytest.mark.parametrize(("seconds", "linear"), [(8.0, True), (9.9, True), (16.0, False)])
def test_a_task_is_linear_when_a_shot_costs_no_more_in_a_large_set(
    seconds: float, linear: bool
) -> None:
    found = dataset.bars([timing(250, load=1.0), timing(2000, load=seconds)], {})
    [(name, bar)] = found.items()
    assert name == "load: time of a shot, 2,000 / 250"
    assert met(bar) is linear


def test_every_task_is_timed_and_leaves_what_it_makes(tmp_path: Path) -> None:
    timed = dataset.one_size(6, tmp_path)
    tasks = ["export", "export again", "load", "library save", "library open"]
    assert list(timed.processor) == list(timed.clock) == tasks
    assert len(list((tmp_path / "dataset").rglob("*.png"))) == 6
    assert len(list((tmp_path / "facet").rglob("pictures/*.png"))) == 6
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
    bars = dataset.bars([timing(1), timing(2)], counted)
    assert not any(met(bar) for bar in bars.values())
