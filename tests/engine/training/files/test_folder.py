"""Whose folder it is, and whether it can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from facet.engine.training.files.folder import NotSaved, make_usable, open_run, sweep


@pytest.mark.parametrize("name", ["a/b", "a\\b", "c:run", "..", "x" * 200, " "])
def test_a_path_is_no_name_on_any_system(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"is no name for a run's folder|outside"):
        open_run(tmp_path, name, "f", 10)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_half_written_is_no_run_of_anybody(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".state.safetensors.x.part").write_bytes(b"half")
    assert open_run(tmp_path, "run", "f", 10).folder.name == "run"
    sweep(folder)
    assert not list(folder.iterdir())


def test_a_folder_that_nothing_can_be_written_to_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotSaved, match=r"Nothing can be written to .*file.*free space or change"):
        make_usable(tmp_path / "new" / "training", tmp_path / "file" / "loras")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
