"""What every training script shares: its options, its clock and its checkpoints."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

WEIGHTS = Path(__file__).resolve().parents[1] / "engine" / "demo" / "weights"
PROBE_WEIGHTS = Path(__file__).resolve().parent / "weights"


def step(name: str, arguments: list[str]) -> None:
    """Run `main` of the module `name` of this folder with a command line."""
    sys.argv = [f"facet.py world {name}", *arguments]
    importlib.import_module(f".{name}", __package__).main()


def options(description: str, minutes: float) -> argparse.Namespace:
    """The command line of a training script: --out, --minutes, --threads, --warm-start."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(".facet/world"),
        help="folder of pictures, latents, checkpoints (default: .facet/world)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=minutes,
        help=f"training time altogether (default: {minutes:g})",
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--warm-start",
        action="store_true",
        help="without a checkpoint, begin with the exported weights (flow only)",
    )
    parsed = parser.parse_args()
    parsed.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(parsed.threads)
    return parsed


@dataclass
class Clock:
    """Training time in minutes, counted over interruptions."""

    minutes: float
    spent: float = 0.0
    steps: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds trained, earlier runs included."""
        return self.spent + time.monotonic() - self.started

    @property
    def progress(self) -> float:
        """0 at the start, 1 when time is up."""
        return self.seconds / (60 * self.minutes)


class Checkpoint:
    """A training state in one file, replaced as a whole; tensors and plain values only."""

    def __init__(self, path: Path, every_seconds: float = 240):
        self.path = path
        self.every = every_seconds
        self.last = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self.last > self.every

    def save(self, state: dict, clock: Clock) -> None:
        """Write the state with the clock beside it."""
        part = self.path.with_suffix(".part")
        torch.save({**state, "seconds": clock.seconds, "steps": clock.steps}, part)
        part.replace(self.path)
        self.last = time.monotonic()

    def load(self, clock: Clock) -> dict | None:
        """The saved state, with the clock set to it; None when there is none."""
        if not self.path.exists():
            return None
        state = torch.load(self.path, weights_only=True)
        clock.spent, clock.steps = state["seconds"], state["steps"]
        clock.started = time.monotonic()
        return state
