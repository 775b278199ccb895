"""The stages of a run on the screen: bars where there is a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any, TextIO

BAR = 24
TITLE = 30


@dataclass
class Stage:
    """One node's share of a run: `value` of `total` steps, and the seconds it took."""

    node: str
    title: str
    node_type: str
    seconds: float = 0.0
    value: float = 0.0
    total: float = 0.0
    cached: bool = False


@dataclass
class Stages:
    """Follows a run by ComfyUI's events; the seconds are taken when each event arrives."""

    prompt: dict[str, dict[str, Any]]
    out: TextIO = sys.stdout
    stages: dict[str, Stage] = field(default_factory=dict)
    current: Stage | None = None
    since: float = 0.0
    drawn: float = 0.0
    told: int = -1

    def see(self, event: str, data: dict[str, Any]) -> None:
        """Take in one event and draw what it changed."""
        if event == "execution_cached":
            for node in data.get("nodes", []):
                stage = self.stage(node)
                if stage is not None:
                    stage.cached = True
        elif event == "executing":
            self.enter(data.get("display_node") or data.get("node"))
        elif event == "progress_state":
            for entry in data.get("nodes", {}).values():
                stage = self.stage(entry.get("display_node_id") or entry.get("node_id"))
                if stage is not None and stage is self.current:
                    stage.value, stage.total = entry["value"], entry["max"]
            self.draw()

    def stage(self, node: str | None) -> Stage | None:
        if node is None or node not in self.prompt:
            return None
        if node not in self.stages:
            entry = self.prompt[node]
            title = entry.get("_meta", {}).get("title") or entry["class_type"]
            self.stages[node] = Stage(node, title, entry["class_type"])
        return self.stages[node]

    def enter(self, node: str | None) -> None:
        """Leave the stage at hand and begin that of `node`; None when the run is over."""
        stage = self.stage(node)
        if stage is self.current and stage is not None:
            return
        now = time.monotonic()
        if self.current is not None:
            self.current.seconds += now - self.since
            self.finish(self.current)
        self.current, self.since, self.told = stage, now, -1
        if stage is not None:
            self.draw()

    def draw(self) -> None:
        """The current stage: a bar drawn over itself, or a line at each quarter."""
        stage = self.current
        if stage is None:
            return
        share = stage.value / stage.total if stage.total > 1 else 0.0
        if not self.out.isatty():
            quarter = int(share * 4)
            if stage.total > 1 and self.told < quarter < 4:
                self.told = quarter
                print(f"  {stage.title:{TITLE}} {quarter * 25:3d} %", file=self.out, flush=True)
            return
        now = time.monotonic()
        if now - self.drawn < 0.1 and share < 1:
            return
        self.drawn = now
        filled = round(share * BAR)
        bar = "█" * filled + "░" * (BAR - filled)
        text = f"  {stage.title:{TITLE}} {bar} {share:4.0%} {now - self.since:5.0f} s"
        print(f"\r{text}", end="", file=self.out, flush=True)

    def finish(self, stage: Stage) -> None:
        start, bar = ("\r", f"{'█' * BAR} ") if self.out.isatty() else ("", "")
        text = f"{start}  {stage.title:{TITLE}} {bar}done {stage.seconds:5.1f} s"
        print(text.ljust(TITLE + BAR + 20), file=self.out, flush=True)
