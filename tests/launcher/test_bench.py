"""Benchmarks run in the pack's environment and end with their bars."""

from __future__ import annotations

import importlib
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facet.benchmarks.trainer_quality import Reading, arrival, bars, share_of_time
from facet.launcher.bench import met, names, table

BARS = {
    "likeness": {"value": 0.8, "target": 0.75, "better": "higher"},
    "copies": {"value": 0.07, "target": 0.05, "better": "lower"},
}


def test_a_bar_is_met_from_its_better_side() -> None:
    assert [met(bar) for bar in BARS.values()] == [True, False]
    assert met({"value": 0.05, "target": 0.05, "better": "lower"})


def test_the_table_shows_what_was_missed() -> None:
    first, second = table({"bars": BARS}).splitlines()
    assert first.startswith("met  likeness")
    assert second.startswith("MISS copies")


def test_what_was_never_reached_is_missed_and_said_in_words() -> None:
    bar = {"value": None, "target": 0.25, "better": "lower"}
    assert not met(bar)
    assert table({"bars": {"time": bar}}).split() == ["MISS", "time", "never", "≤", "0.25"]


@pytest.mark.parametrize(
    ("identity", "share", "said"),
    [
        ([0.2, 0.5], 0.75, "Facet comes to core's likeness at 200 steps (0.500) in 0.75 of core's"),
        ([0.2, 0.4], None, "Facet never comes to core's likeness at 200 steps (0.500) within its"),
    ],
)
def test_a_likeness_that_is_never_reached_takes_no_share_of_time(
    identity: list[float], share: float | None, said: str
) -> None:
    facet = {100: Reading([identity[0]], [20.0]), 200: Reading([identity[1]], [30.0])}
    core = {100: Reading([0.1], [20.0]), 200: Reading([0.5], [40.0])}
    readings = {"facet": facet, "core": core}
    assert share_of_time(readings) == share
    assert arrival(readings).startswith(said)
    assert json.loads(json.dumps(bars(readings), allow_nan=False)) == bars(readings)


@pytest.mark.parametrize("name", names())
def test_every_benchmark_can_be_run_by_name(name: str) -> None:
    module = importlib.import_module(f"facet.benchmarks.{name}")
    assert list(inspect.signature(module.main).parameters) == ["quick"]


@pytest.mark.slow
def test_the_process_of_a_benchmark_has_comfyui_and_the_pack(
    comfyui: Path, root: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "pack"
    (copy / "benchmarks").mkdir(parents=True)
    shutil.copytree(root / "launcher", copy / "launcher")
    (copy / "engine").symlink_to(root / "engine")
    (copy / "benchmarks" / "__init__.py").write_text("")
    (copy / "benchmarks" / "look.py").write_text(
        "import folder_paths, nodes\n"
        "from ..engine.character import Tags\n"
        "def main(quick):\n"
        "    found = len(nodes.NODE_CLASS_MAPPINGS)\n"
        "    base = folder_paths.base_path\n"
        "    print(Tags().view)\n"
        "    return {'bars': {}, 'quick': quick, 'nodes': found, 'base': base}\n"
    )
    answer = tmp_path / "answer.json"
    process = str(copy / "launcher" / "bench_process.py")
    arguments = [str(comfyui), str(tmp_path), "look", "1", str(answer)]
    subprocess.run([sys.executable, process, *arguments], check=True)
    result = json.loads(answer.read_text())
    assert result["quick"] is True
    assert result["nodes"] > 20
    assert result["base"] == str(tmp_path)
