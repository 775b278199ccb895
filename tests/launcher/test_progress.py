"""The stages of a run, followed by ComfyUI's events."""

from __future__ import annotations

import io
import time

from facet.launcher.progress import Stages

PROMPT = {
    "1": {"class_type": "Load", "_meta": {"title": "The picture"}},
    "2": {"class_type": "Make"},
}


def test_each_stage_takes_the_seconds_until_the_next() -> None:
    stages = Stages(PROMPT, io.StringIO())
    for node in ("1", "2", None):
        stages.see("executing", {"node": node})
        time.sleep(0.05)
    assert [0.04 < stage.seconds < 0.5 for stage in stages.stages.values()] == [True, True]


def test_what_a_node_expands_into_counts_for_the_node() -> None:
    stages = Stages(PROMPT, io.StringIO())
    stages.see("executing", {"node": "1"})
    stages.see("executing", {"node": "1.0.3", "display_node": "1"})
    stages.see("executing", {"node": None})
    assert list(stages.stages) == ["1"]


def test_cached_nodes_are_marked_and_take_no_time() -> None:
    stages = Stages(PROMPT, io.StringIO())
    stages.see("execution_cached", {"nodes": ["1"]})
    stages.see("executing", {"node": "2"})
    stages.see("executing", {"node": None})
    assert [(s.cached, s.seconds > 0) for s in stages.stages.values()] == [
        (True, False),
        (False, True),
    ]


def test_without_a_terminal_there_is_a_line_a_quarter_and_no_carriage_return() -> None:
    out = io.StringIO()
    stages = Stages(PROMPT, out)
    stages.see("executing", {"node": "1"})
    for value in range(101):
        state = {"node_id": "1", "value": value, "max": 100}
        stages.see("progress_state", {"nodes": {"1": state}})
    stages.see("executing", {"node": None})
    lines = out.getvalue().splitlines()
    assert "\r" not in out.getvalue()
    assert [line.split()[-2] for line in lines[:4]] == ["0", "25", "50", "75"]
    assert lines[4].split()[:3] == ["The", "picture", "done"]


class Terminal(io.StringIO):
    """Output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_bar_is_drawn_over_itself() -> None:
    out = Terminal()
    stages = Stages(PROMPT, out)
    stages.see("executing", {"node": "1"})
    stages.see("progress_state", {"nodes": {"1": {"node_id": "1", "value": 4, "max": 4}}})
    stages.see("executing", {"node": None})
    assert out.getvalue().count("\n") == 1
    assert "100%" in out.getvalue()
