"""A measurement in a process of its own, on one thread: started by the benchmarks.

    python _process.py COMFYUI FOLDER MODULE CASE ANSWER

MODULE, one beside this file, has a dataclass `Case` of plain values and `measure(case, folder)`,
whose answer is JSON.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 2
Given = TypeVar("Given")
Made = TypeVar("Made")


def in_own_process(module: str, case: Any) -> Any:
    """What `measure` of ``module`` answers. Raises RuntimeError with the process's last words."""
    import folder_paths

    comfyui = Path(folder_paths.__file__).parent
    with tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, __file__, str(comfyui), folder, module, json.dumps(asdict(case))]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        done = subprocess.run(
            [*command, str(answer)], capture_output=True, text=True, env=environment
        )
        if done.returncode:
            raise RuntimeError(f"{case} failed:\n{done.stderr[-2000:]}")
        return json.loads(answer.read_text("utf-8"))


def two_at_a_time(run: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
    """``run`` of each of ``given``, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, given))


def main(comfyui: str, folder: str, module: str, case: str, answer: str) -> None:
    """What `python _process.py` does."""
    own = ROOT / "benchmarks"
    # This folder's names are benchmarks, not packages to be imported.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != own]
    spec = importlib.util.spec_from_file_location("inprocess", ROOT / "launcher" / "inprocess.py")
    assert spec is not None and spec.loader is not None
    inprocess = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inprocess)
    inprocess.load_comfyui(Path(comfyui), Path(folder) / "base")
    inprocess.declare_pack(ROOT)
    here = importlib.import_module(f"facet.benchmarks.{module}")
    result = here.measure(here.Case(**json.loads(case)), Path(folder))
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
