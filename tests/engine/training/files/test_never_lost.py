"""Work that was done stays done, whatever ends the process."""

from __future__ import annotations

import hashlib
import random
import sys
from pathlib import Path

import pytest

from facet.launcher import inside
from harness.killed_training import EVERY, PHASES, STEPS


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "phases",
    [
        pytest.param(PHASES, id="once in each phase"),
        pytest.param(
            random.Random(7).choices(PHASES, k=10), id="ten times", marks=pytest.mark.nightly
        ),
    ],
)
def test_a_training_that_is_killed_ends_as_if_nothing_had_happened(
    root: Path, comfyui: Path, tmp_path: Path, phases: list[str]
) -> None:
    """Killed before and between its steps, and in the middle of writing a file."""
    told = inside.call(
        Path(sys.executable),
        comfyui,
        "harness.killed_training",
        "main",
        str(tmp_path),
        7,
        phases,
        cpu=True,
        quiet=True,
        PYTHONPATH=str(root / "tests"),
    )
    assert told["whole"] == list(range(1, STEPS + 1))
    lives: list[list[int]] = told["lives"]
    assert len(lives) == len(phases) + 1

    reached = 0
    for steps in lives:
        if steps:
            # At most so many steps are taken again. A step is saved before it is told of.
            assert reached - EVERY < steps[0] <= reached + 2
            assert steps == list(range(steps[0], steps[-1] + 1))
            reached = max(reached, steps[-1])
    assert reached == STEPS
    assert hashes(tmp_path / "killed") == hashes(tmp_path / "whole")
