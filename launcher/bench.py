"""`facet.py bench NAME`: one benchmark, in the environment that the pack runs in."""

from __future__ import annotations

import json
from typing import Any

from . import inside
from .places import ROOT, Home
from .problem import Problem
from .setup import set_up

FOLDER = ROOT / "benchmarks"
OF_PHOTOGRAPHS = "real_faces"
"""The one that needs what is fetched for the tests."""


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))


def run(home: Home, name: str, quick: bool, as_json: bool) -> int:
    """Run `benchmarks/NAME.py`, print its figures and bars; 0 when no bar is missed.

    Raises Problem when there is no benchmark of that name.
    """
    if name not in names():
        raise Problem(f"There is no benchmark {name!r}; there is: {', '.join(names()) or 'none'}.")
    environment = set_up(home, tests=name == OF_PHOTOGRAPHS)
    comfyui = environment.comfyui.folder
    try:
        result: dict[str, Any] = inside.call(
            environment.python, comfyui, f"facet.benchmarks.{name}", "main", quick
        )
    except inside.Failed as failed:
        return failed.code
    print(table(result))
    if as_json:
        print(json.dumps(result))
    return int(any(missed(bar) for bar in result["bars"].values()))


def met(bar: dict[str, Any]) -> bool:
    """Whether a bar {value, target, better} is reached; a value of None never is."""
    value, target = bar["value"], bar["target"]
    if value is None:
        return False
    return bool(value >= target if bar["better"] == "higher" else value <= target)


def missed(bar: dict[str, Any]) -> bool:
    """Whether a bar that can be judged is not reached; a quick run judges not every one."""
    return bool(bar.get("judged", True)) and not met(bar)


def table(result: dict[str, Any]) -> str:
    """The bars, one a line."""
    lines = []
    for name, bar in result["bars"].items():
        judged = bar.get("judged", True)
        verdict = "    " if not judged else "MISS" if missed(bar) else "met "
        sign = "≥" if bar["better"] == "higher" else "≤"
        line = f"{verdict} {name:44} {_figure(bar['value'])}   {sign} {bar['target']:g}"
        lines.append(line if judged else f"{line}   not judged (quick)")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return f"{'never':>10}" if value is None else f"{value:10.4g}"
