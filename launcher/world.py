"""`facet.py world NAME`: one step of the demo world's making, as `world/README.md` says."""

from __future__ import annotations

from . import inside
from .places import ROOT, Home
from .problem import Problem
from .setup import set_up

FOLDER = ROOT / "world"


def names() -> list[str]:
    """The steps there are: the modules of the world that have a `main`."""
    return sorted(f.stem for f in FOLDER.glob("*.py") if "\ndef main(" in f.read_text("utf-8"))


def run(home: Home, name: str, arguments: list[str]) -> int:
    """Run `main` of `world/NAME.py` with a command line; its exit code.

    Raises Problem when there is no step of that name.
    """
    if name not in names():
        raise Problem(f"The demo world has no step {name!r}; it has: {', '.join(names())}.")
    environment = set_up(home)
    step = ("facet.world.run", "step", name, arguments)
    try:
        inside.call(environment.python, environment.comfyui.folder, *step, cpu=True)
    except inside.Failed as failed:
        return failed.code
    return 0
