"""A run as it stands in its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facet.engine.training.run_record import RUN_FILE, Checkpoint, Measure, TrainingRun, load_run


def saved(folder: Path, **values: object) -> TrainingRun:
    folder.mkdir()
    points = []
    for step in (10, 20, 30):
        path = folder / f"run_{step:06d}.safetensors"
        path.write_bytes(b"weights")
        points.append(Checkpoint(step, path, 0.5, 0.1, 0.7, best=step == 20))
    given = {"checkpoints": tuple(points), "losses": (0.5, 0.25), **values}
    run = TrainingRun("Ada", "hash", "zqx", "person", folder, {"steps": 30}, **given)  # type: ignore[arg-type]
    run.save()
    return run


def test_a_run_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    measures = (Measure(10, 0.3, None), Measure(20, None, 0.7, "samples/step_000020.png"))
    run = saved(
        tmp_path / "run", measures=measures, choice="Step 20.", finished=False, ended="stopped"
    )
    assert load_run(run.folder) == run
    assert run.best.step == 20


def test_a_run_of_an_earlier_version_can_be_read(tmp_path: Path) -> None:
    run = saved(tmp_path / "run")
    record = json.loads((run.folder / RUN_FILE).read_text("utf-8"))
    for name in ("measures", "choice", "finished", "ended"):
        del record[name]
    for point in record["checkpoints"]:
        for name in ("validation", "identity", "best"):
            del point[name]
    (run.folder / RUN_FILE).write_text(json.dumps(record), "utf-8")
    old = load_run(run.folder)
    assert [point.step for point in old.checkpoints] == [10, 20, 30]
    assert old.best.step == 30
    assert old.finished and old.measures == () and old.ended == ""


def test_when_the_best_is_gone_the_last_takes_its_place(tmp_path: Path) -> None:
    run = saved(tmp_path / "run")
    run.best.path.unlink()
    assert load_run(run.folder).best.step == 30


def test_a_run_without_checkpoints_has_no_best(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no checkpoint; train it first"):
        _ = saved(tmp_path / "run", checkpoints=()).best


@pytest.mark.parametrize("text", ["", "[]", '{"character": "Ada"}', '{"checkpoints": 3}'])
def test_a_damaged_record_is_said_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / RUN_FILE).write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"is damaged .* delete it and train again"):
        load_run(tmp_path)
