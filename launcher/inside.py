"""A function of the pack, called in a process of its own that has ComfyUI in it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .places import ROOT, sharing_cores


class Failed(Exception):
    """The process ended with `code`; `words`: its last, where it was told to be quiet."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(words)
        self.code = code


def call(
    python: Path,
    comfyui: Path,
    module: str,
    function: str,
    *arguments: Any,
    cpu: bool = False,
    quiet: bool = False,
    **variables: str,
) -> Any:
    """What `function(*arguments)` of `module` answers; both as JSON.

    ComfyUI works in a folder that is gone afterwards. cpu: whether it keeps off a GPU. quiet: keep
    what the process prints. variables: its environment's. Raises Failed.
    """
    with tempfile.TemporaryDirectory(prefix="facet-process-") as folder:
        answer = Path(folder) / "answer.json"
        command = [
            str(python),
            "-m",
            "launcher.inprocess",
            str(comfyui),
            str(Path(folder) / "base"),
        ]
        command += ["cpu" if cpu else "any", module, function, json.dumps(arguments), str(answer)]
        # In the pack's folder, so that Python finds the launcher.
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=sharing_cores(**variables),
            capture_output=quiet,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(done.returncode, (done.stderr or "")[-2000:])
        return json.loads(answer.read_text("utf-8"))
