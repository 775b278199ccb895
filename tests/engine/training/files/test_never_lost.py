"""Work that was done stays done, whatever ends the process."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.killed_training import EVERY, KILLS, STEPS


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_a_training_that_is_killed_ten_times_ends_as_if_nothing_had_happened(
    root: Path, comfyui: Path, tmp_path: Path
) -> None:
    """Killed at random moments, half of them in the middle of writing a file."""
    script = root / "tests" / "harness" / "killed_training.py"
    done = subprocess.run(
        [sys.executable, str(script), str(comfyui), str(tmp_path), "7"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["whole"] == list(range(1, STEPS + 1))
    lives: list[list[int]] = told["lives"]
    assert len(lives) == KILLS + 1

    reached = 0
    for steps in lives:
        if steps:
            # At most so many steps are taken again. A step is saved before it is told of.
            assert reached - EVERY < steps[0] <= reached + 2
            assert steps == list(range(steps[0], steps[-1] + 1))
            reached = max(reached, steps[-1])
    assert reached == STEPS
    assert hashes(tmp_path / "killed") == hashes(tmp_path / "whole")
