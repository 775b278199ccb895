"""The process that a benchmark runs in: COMFYUI FOLDER NAME QUICK ANSWER, started by bench.py."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(comfyui: str, folder: str, name: str, quick: str, answer: str) -> None:
    """Run `main(quick)` of benchmarks/NAME.py as `facet.benchmarks.NAME` and keep its answer."""
    # This folder's names are the launcher's, not packages to be imported.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT / "launcher"]
    spec = importlib.util.spec_from_file_location("inprocess", ROOT / "launcher" / "inprocess.py")
    assert spec is not None and spec.loader is not None
    inprocess = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inprocess)
    inprocess.load_comfyui(Path(comfyui), Path(folder), cpu=not inprocess.gpu_is_visible())
    inprocess.declare_pack(ROOT)
    result = importlib.import_module(f"facet.benchmarks.{name}").main(quick == "1")
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
