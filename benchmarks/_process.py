"""A measurement in a process of its own, on one thread: a module beside this file has a dataclass
`Case` of plain values and `measure(case, folder)`, whose answer is JSON."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from ..launcher import inside

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 2
Given = TypeVar("Given")
Made = TypeVar("Made")


def in_own_process(module: str, case: Any) -> Any:
    """What `measure` of ``module`` answers. Raises RuntimeError with the process's last words."""
    import folder_paths

    comfyui = Path(folder_paths.__file__).parent
    told = (f"{__package__}._process", "measured", module, asdict(case))
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        return inside.call(Path(sys.executable), comfyui, *told, cpu=True, quiet=True, **one_thread)
    except inside.Failed as failed:
        raise RuntimeError(f"{case} failed:\n{failed}") from failed


def measured(module: str, case: dict[str, Any]) -> Any:
    """What the process does: the measurement of ``module``, in a folder that is gone afterwards."""
    here = importlib.import_module(f".{module}", __package__)
    with tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        return here.measure(here.Case(**case), Path(folder))


def two_at_a_time(run: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
    """``run`` of each of ``given``, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, given))
