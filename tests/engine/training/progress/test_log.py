"""The table and the picture of a run's course."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from PIL import Image

from facet.engine.drawing.curves import draw_curves, loss_range, ticks
from facet.engine.training.progress.events import TrainingEvent
from facet.engine.training.progress.log import LogRow, TrainingLog, checkpoints, read_rows


def event(step: int, folder: Path, **more: Any) -> TrainingEvent:
    values = {"loss": 1 / step, "smoothed": 1.1 / step, "learning_rate": 1e-4, "seconds": step / 2}
    return TrainingEvent(step=step, steps=9, eta=1.0, folder=folder, **(values | more))


def filled(folder: Path, steps: range) -> TrainingLog:
    log = TrainingLog(folder, before=steps.start)
    for step in steps:
        log.add(event(step, folder))
    return log


def test_the_table_has_a_row_a_step_with_what_was_measured(tmp_path: Path) -> None:
    log = filled(tmp_path, range(1, 3))
    log.add(event(3, tmp_path, validation=0.25, identity=0.5))
    log.save_table()
    with (tmp_path / "losses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["validation"] == "" and rows[2]["validation"] == "0.25"
    assert float(rows[1]["loss"]) == 0.5
    assert list(rows[0]) == [
        "step",
        "loss",
        "smoothed",
        "learning_rate",
        "validation",
        "identity",
        "seconds",
    ]
    assert [round(row.loss, 6) for row in read_rows(tmp_path)] == [1, 0.5, 0.333333]


def test_a_run_taken_up_again_has_each_step_once(tmp_path: Path) -> None:
    filled(tmp_path, range(1, 7)).save_table()
    # The table ran ahead of the state that was saved: steps 5 and 6 are taken once more.
    again = filled(tmp_path, range(5, 8))
    again.save_table()
    assert [row.step for row in read_rows(tmp_path)] == [1, 2, 3, 4, 5, 6, 7]


def test_steps_that_the_table_lacks_come_from_the_runs_record(tmp_path: Path) -> None:
    filled(tmp_path, range(1, 3)).save_table()
    (tmp_path / "run.json").write_text(json.dumps({"losses": [1.0, 0.5, 0.4, 0.3]}))
    again = filled(tmp_path, range(5, 6))
    assert [row.loss for row in again.rows[:4]] == [1, 0.5, 0.4, 0.3]
    assert again.rows[1].learning_rate == 1e-4 and again.rows[2].learning_rate is None


def test_a_damaged_table_loses_no_more_than_its_damaged_rows(tmp_path: Path) -> None:
    filled(tmp_path, range(1, 4)).save_table()
    path = tmp_path / "losses.csv"
    path.write_text(path.read_text().replace("\n2,", "\ntwo,") + "4,nan,,,,,\n5,")
    assert [row.step for row in read_rows(tmp_path)] == [1, 3]


def test_checkpoints_are_those_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run_000250.safetensors", "run_000010.safetensors", "state.safetensors"):
        (folder / name).touch()
    assert checkpoints(folder) == [10, 250]


def test_the_picture_is_written_beside_the_table(tmp_path: Path) -> None:
    log = filled(tmp_path, range(1, 30))
    log.add(event(30, tmp_path, validation=0.2, identity=0.4))
    log.save()
    with Image.open(tmp_path / "losses.png") as picture:
        assert picture.size == (1600, 900)
        blue = sum(1 for r, g, b in picture.convert("RGB").getdata() if b > r + 100)
    assert blue > 300
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["losses.csv", "losses.png"]


def test_a_run_of_one_step_or_none_is_drawn_too() -> None:
    for rows in ([], [LogRow(1, 0.5, 0.5, 0.0)]):
        assert draw_curves(rows, "run", []).size == (1600, 900)


def test_one_wild_loss_does_not_flatten_the_others() -> None:
    rows = [LogRow(step, 0.3 + 0.001 * (step % 7), 0.3) for step in range(1, 200)]
    rows[100] = LogRow(101, 50.0, 0.3)
    assert loss_range(rows)[1] < 0.4


def test_ticks_are_round_and_within() -> None:
    assert ticks(0, 1600) == [0, 500, 1000, 1500]
    assert ticks(0.21, 0.39) == [0.25, 0.3, 0.35]
    assert ticks(1, 1) == [1]
