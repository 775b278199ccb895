"""`run.json`: one run in figures, put together from the files that the nodes wrote.

Keys:
  format       1
  person       the person's number
  out          the folder of the run
  paths        sheet, dataset, lora, report: relative to `out`, null for what was not made
  seconds      total, and stages: each {node, type, title, seconds, cached}
  shots        each {file, asked, measured, tries, accepted, seed}; asked: what the shot was to
               show, by tag; measured: by gate, {value, threshold, passed, note}
  identity     without_lora, with_lora, in_words (no LoRA, the character described): calibrated,
               0 for strangers and 1 for other true pictures of the character, null when not
               measured; right_views, copies: shares of the pictures made with the LoRA; step and
               strength of the best checkpoint; verdict: a sentence
  files        each {path, bytes, sha256}, of all that the run left in `out`
  versions     facet, comfyui, python, torch, system
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from .archive import sha256
from .places import ROOT
from .progress import Stage
from .server import Server
from .setup import Environment

Json = dict[str, Any]
NAME = "run.json"


def find_paths(character: Path) -> dict[str, Path | None]:
    """The sheet, dataset, LoRA and report in a character's folder; None for what is missing."""

    def first(*names: str) -> Path | None:
        return next((file for name in names if (file := character / name).exists()), None)

    pages = sorted((character / "report").glob("*.html"))
    return {
        "sheet": first("sheet.png", "shots.png"),
        "dataset": first("dataset"),
        "lora": best_lora(character),
        "report": pages[0] if pages else first("report/score.json"),
    }


def best_lora(character: Path) -> Path | None:
    """The checkpoint that the scorer chose, else the newest one."""
    files = sorted(character.glob("training/**/*.safetensors"), key=lambda p: p.stat().st_mtime)
    name = Path(score(character).get("best", {}).get("path", "")).name
    return next((file for file in files if file.name == name), files[-1] if files else None)


def identity(character: Path) -> Json:
    """The scorer's figures in short; {} when nothing was scored."""
    card = score(character)
    if not card:
        return {}
    words, best = card.get("words"), card["best"]
    return {
        "without_lora": card["off"]["identity"]["value"],
        "with_lora": best["identity"]["value"],
        "in_words": words["identity"]["value"] if words else None,
        "right_views": best["views"]["value"],
        "copies": best["copies"]["value"],
        "step": best["step"],
        "strength": best["strength"],
        "verdict": card["verdict"],
    }


def score(character: Path) -> Json:
    """The score.json of a character's folder; empty when there is none."""
    file = character / "report" / "score.json"
    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found if isinstance(found, dict) else {}


def read_shots(character: Path, out: Path) -> list[Json]:
    """What each shot was to show, what was measured on it, and how many tries it took."""
    shots = []
    for sidecar in sorted((character / "shots").glob("*.json")):
        record = json.loads(sidecar.read_text("utf-8"))
        scores = {entry["gate"]: entry for entry in record["scores"]}
        made = record["provenance"]
        shots.append(
            {
                "file": sidecar.with_suffix(".png").relative_to(out).as_posix(),
                "asked": {axis: value for axis, value in record["tags"].items() if value},
                "measured": {
                    gate: {k: v for k, v in entry.items() if k != "gate"}
                    for gate, entry in scores.items()
                },
                "tries": made.get("tries", made["attempt"]),
                "accepted": all(entry["passed"] is not False for entry in scores.values()),
                "seed": made["seed"],
            }
        )
    return shots


@cache
def versions(environment: Environment) -> dict[str, str]:
    """Of Facet and of what it runs on."""
    question = "import platform, torch; print(platform.python_version(), torch.__version__)"
    answer = subprocess.run(
        [str(environment.python), "-c", question], capture_output=True, text=True, check=False
    ).stdout.split()
    python, torch = answer if len(answer) == 2 else ("", "")
    found = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    return {
        "facet": found[1] if found else "",
        "comfyui": environment.comfyui.version,
        "python": python,
        "torch": torch,
        "system": platform.platform(),
    }


def put_together(
    server: Server, person: int, character: Path, stages: list[Stage], total: float
) -> Json:
    """The record of a run whose files lie in `character`, inside the server's output folder."""
    out = server.output
    paths = find_paths(character)
    files = [path for path in sorted(out.rglob("*")) if path.is_file() and path != out / NAME]
    return {
        "format": 1,
        "person": person,
        "out": str(out),
        "paths": {k: v.relative_to(out).as_posix() if v else None for k, v in paths.items()},
        "seconds": {
            "total": round(total, 2),
            "stages": [
                {
                    "node": stage.node,
                    "type": stage.node_type,
                    "title": stage.title,
                    "seconds": round(stage.seconds, 2),
                    "cached": stage.cached,
                }
                for stage in stages
            ],
        },
        "shots": read_shots(character, out),
        "identity": identity(character),
        "files": [
            {
                "path": file.relative_to(out).as_posix(),
                "bytes": file.stat().st_size,
                "sha256": sha256(file),
            }
            for file in files
        ],
        "versions": versions(server.environment),
    }
