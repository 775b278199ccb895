"""Benchmarks run in the pack's environment and end with their bars."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from pathlib import Path

import pytest

from facet.benchmarks.trainer_quality import Reading, arrival, bars, share_of_time
from facet.launcher import inside
from facet.launcher.bench import met, missed, names, table

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


def test_what_a_quick_run_cannot_judge_is_neither_met_nor_missed() -> None:
    unjudged = {"value": 0.1, "target": 0.75, "better": "higher", "judged": False}
    assert not missed(unjudged) and missed({**unjudged, "judged": True})
    line = table({"bars": {"likeness": unjudged}})
    assert line.startswith("     likeness") and line.endswith("not judged (quick)")


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
def test_a_process_of_ones_own_has_comfyui_and_the_pack(comfyui: Path, tmp_path: Path) -> None:
    (tmp_path / "look.py").write_text(
        "def look(*given):\n"
        "    import importlib.util, folder_paths\n"
        "    from facet.engine.core.character import Tags\n"
        # To import them takes ten seconds; that a model runs in such a process, test_never_lost.py
        # holds.
        "    found = importlib.util.find_spec('nodes').origin\n"
        "    print(Tags().view)\n"
        "    return {'given': given, 'nodes': found, 'base': folder_paths.base_path}\n"
        "def fail():\n"
        "    raise SystemExit('no luck')\n"
    )

    def call(function: str, *given: object) -> dict[str, object]:
        answer: dict[str, object] = inside.call(
            Path(sys.executable),
            comfyui,
            "look",
            function,
            *given,
            quiet=True,
            PYTHONPATH=str(tmp_path),
        )
        return answer

    answer = call("look", True, "a word")
    assert answer["given"] == [True, "a word"]
    assert Path(str(answer["nodes"])) == comfyui / "nodes.py"
    assert not Path(str(answer["base"])).exists()
    with pytest.raises(inside.Failed, match="no luck"):
        call("fail")
