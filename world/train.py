"""Trains all demo models in order, each resumable.

    python facet.py world train --out .facet/world [--scale 1.0]

`--scale 2` doubles every model's minutes. Interrupted, the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ORDER: tuple[tuple[str, float], ...] = (
    ("dataset", 0),
    ("train_vae", 12),
    ("encode", 0),
    ("train_probe", 10),
    ("train_probe_head", 8),
    ("train_identity", 15),
    ("train_landmarks", 10),
    ("train_person", 8),
    ("train_flow", 240),
    ("demo_people", 0),
)
"""Modules in order with their minutes on two CPU cores; 0 runs until it is done."""


def main() -> None:
    """Run every step; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(".facet/world"))
    parser.add_argument("--scale", type=float, default=1.0, help="factor on every model's minutes")
    chosen = parser.parse_args()
    for module, minutes in ORDER:
        command = [sys.executable, str(ROOT / "facet.py"), "world", module]
        if module != "demo_people":
            command += ["--out", str(chosen.out)]
        if minutes:
            command += ["--minutes", str(minutes * chosen.scale)]
        print(" ".join(command[2:]), flush=True)
        subprocess.run(command, check=True)
