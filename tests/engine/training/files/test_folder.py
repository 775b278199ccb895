"""Whose folder it is, and whether it can be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facet.engine.core.errors import FacetError
from facet.engine.store.tensors import write_tensors
from facet.engine.training.files.folder import (
    HOLDER,
    LOCK,
    NotSaved,
    held_run,
    lora_file,
    make_usable,
    open_run,
    sweep,
)
from facet.engine.training.files.formats import RUN


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "a\\b",
        "c:run",
        "..",
        "x" * 200,
        " ",
        "CON",
        "nul.txt",
        "run.",
        "a<b",
        "a\tb",
    ],
)
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


@pytest.mark.parametrize("left", ["losses.csv", "losses.png", "samples/step_000002.png", LOCK])
def test_a_run_that_died_before_its_first_checkpoint_keeps_its_name(
    tmp_path: Path, left: str
) -> None:
    path = tmp_path / "run" / left
    path.parent.mkdir(parents=True)
    path.write_bytes(b"of the run that died")
    assert open_run(tmp_path, "run", "f", 10).folder.name == "run"


HOLD = """
import sys, time
from pathlib import Path
from filelock import FileLock
folder = Path(sys.argv[1])
folder.mkdir(parents=True)
with FileLock(folder / sys.argv[2]):
    (folder / sys.argv[3]).write_text("process 7 on another, since noon")
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_run_that_another_process_trains_is_not_touched(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run"), LOCK, HOLDER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        said = r"another ComfyUI \(process 7 on another, since noon\)"
        with pytest.raises(FacetError, match=said), held_run(tmp_path, "run", "f", 10):
            pass
        other.kill()
    # Whoever dies holds nothing any more, and leaves nothing that makes it another run.
    with held_run(tmp_path, "run", "f", 10) as opened:
        assert opened.folder.name == "run"
        with pytest.raises(FacetError, match=f"process {os.getpid()}"):
            held_run(tmp_path, "run", "f", 10).__enter__()
    assert not list(tmp_path.iterdir())


def test_a_lora_of_another_run_is_kept(tmp_path: Path) -> None:
    def write(path: Path, run: str | None) -> None:
        write_tensors(path, {"a": torch.ones(1)}, {} if run is None else {RUN: run})

    assert lora_file(tmp_path, "run", "f") == (tmp_path / "run.safetensors", "")
    write(tmp_path / "run.safetensors", "f")
    assert lora_file(tmp_path, "run", "f") == (tmp_path / "run.safetensors", "")
    for other in ("g", None):
        write(tmp_path / "run.safetensors", other)
        path, note = lora_file(tmp_path, "run", "f")
        assert path == tmp_path / "run_2.safetensors"
        assert note == "run.safetensors is another LoRA and is kept; this one is run_2.safetensors."
    (tmp_path / "run.safetensors").write_bytes(b"no tensors")
    write(tmp_path / "run_2.safetensors", "f")
    assert lora_file(tmp_path, "run", "f")[0] == tmp_path / "run_2.safetensors"
    assert lora_file(tmp_path, "run", "h")[0] == tmp_path / "run_3.safetensors"
