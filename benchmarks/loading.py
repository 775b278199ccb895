"""How long ComfyUI takes to load the pack.

    python facet.py bench loading [--quick] [--json]

Processor time of ComfyUI's own loader in a new process, the least of five, and of two with
``--quick``: what else the machine does should not decide it. The first one compiles, as it does
once after installing, and does not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ._bars import bar

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = """
import asyncio, sys, time
sys.path.insert(0, sys.argv[1])
from comfy.cli_args import args
args.cpu, args.base_directory = True, sys.argv[3]
import nodes, execution, server
import comfy_api.latest, comfy_config.config_parser

async def main():
    server.PromptServer(asyncio.get_running_loop())
    begin = time.process_time()
    loaded = await nodes.load_custom_node(sys.argv[2])
    print(time.process_time() - begin if loaded else "not loaded")

asyncio.run(main())
"""


def main(quick: bool) -> dict[str, Any]:
    """The seconds, against the budget of 0.1."""
    import folder_paths

    comfyui = str(Path(folder_paths.__file__).parent)
    seconds = []
    with tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        command = [sys.executable, "-c", SCRIPT, comfyui, str(ROOT), folder]
        environment = os.environ | {"PYTHONPYCACHEPREFIX": str(Path(folder) / "compiled")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(3 if quick else 6):
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                raise RuntimeError(f"ComfyUI could not load the pack:\n{done.stderr[-2000:]}")
            seconds.append(float(done.stdout.splitlines()[-1]))
            print(f"{seconds[-1]:.3f} s", flush=True)
    least = min(seconds[1:])
    return {"bars": {"seconds to load the pack": bar(least, 0.1, "lower", judged=not quick)}}
