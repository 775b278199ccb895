"""`facet.py words`: writes the English texts that the nodes state, and the lists of help pages."""

from __future__ import annotations

import sys

from . import inside
from .places import Home
from .setup import set_up


def run(home: Home) -> int:
    """Write `locales/en/nodeDefs.json` and the marked sections of `js/docs`; an exit code."""
    environment = set_up(home)
    comfyui = environment.comfyui.folder
    try:
        module = "facet.launcher.node_texts"
        written = inside.call(environment.python, comfyui, module, "write", cpu=True, quiet=True)
    except inside.Failed as failed:
        print(failed, file=sys.stderr)
        return failed.code
    print("\n".join(f"wrote {path}" for path in written) or "Everything is as the code says.")
    return 0
