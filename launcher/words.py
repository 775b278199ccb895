"""`facet.py words`: writes the English texts that the nodes state, and the lists of help pages."""

from __future__ import annotations

import subprocess
import tempfile

from .places import ROOT, Home, sharing_cores
from .setup import set_up


def run(home: Home) -> int:
    """Write `locales/en/nodeDefs.json` and the marked parts of `js/docs`; an exit code."""
    environment = set_up(home)
    with tempfile.TemporaryDirectory(prefix="facet-words-") as folder:
        command = [str(environment.python), str(ROOT / "launcher" / "words_process.py")]
        command += [str(environment.comfyui.folder), folder]
        return subprocess.run(command, env=sharing_cores(), check=False).returncode
