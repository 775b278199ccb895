"""Facet inside this process: ComfyUI's modules on the path and the pack as package `facet`.

The one way in for tests, benchmarks and the demo world; needs ComfyUI's own Python environment.

    python -m launcher.inprocess COMFYUI BASE DEVICE MODULE FUNCTION ARGUMENTS ANSWER

calls a function of the pack in a process of its own: see `inside.call`.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import sys
import threading
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load(comfyui: Path, base: Path, cpu: bool = True) -> ModuleType:
    """ComfyUI, working in the folder `base`, and the pack, not yet registered with it."""
    load_comfyui(comfyui, base, cpu)
    return declare_pack()


def load_comfyui(comfy: Path, base: Path, cpu: bool = True) -> None:
    """Put the ComfyUI at `comfy` on the path, working in the folder `base` instead of its own.

    Must run before anything imports a module of ComfyUI. `cpu` keeps it off the GPU.
    """
    (base / "custom_nodes").mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(comfy))
    from comfy.cli_args import args

    args.cpu = cpu
    args.base_directory = str(base)
    args.database_url = "sqlite:///:memory:"


def gpu_is_visible() -> bool:
    """Whether torch sees an accelerator in this process."""
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def declare_pack() -> ModuleType:
    """Make the pack importable as `facet`, whatever its folder is called.

    Its modules can be imported from then on; its own `__init__.py` runs in `register`.
    """
    # Last on the path, as the pack's `nodes` must not stand before ComfyUI's.
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != ROOT]
    sys.path.append(str(ROOT))
    spec = importlib.util.spec_from_file_location(
        "facet", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["facet"] = module
    return module


async def register(pack: ModuleType) -> list[str]:
    """Register the pack's nodes with ComfyUI as its own loader does; the ids of the nodes."""
    import nodes

    assert pack.__spec__ is not None and pack.__spec__.loader is not None
    pack.__spec__.loader.exec_module(pack)
    extension = await pack.comfy_entrypoint()
    await extension.on_load()
    ids = []
    for node in await extension.get_node_list():
        schema = node.GET_SCHEMA()
        nodes.NODE_CLASS_MAPPINGS[schema.node_id] = node
        nodes.NODE_DISPLAY_NAME_MAPPINGS[schema.node_id] = schema.display_name
        ids.append(schema.node_id)
    return ids


def start_comfyui(pack: ModuleType) -> list[str]:
    """Bring up ComfyUI's server object, core nodes and the pack's nodes, without listening.

    Its event loop runs in a thread of its own, as nodes that report progress need it to.
    Returns the ids of the pack's nodes.
    """
    import nodes
    import server

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="comfyui").start()

    async def bring_up() -> list[str]:
        server.PromptServer(loop)
        await nodes.init_builtin_extra_nodes()
        return await register(pack)

    ids = asyncio.run_coroutine_threadsafe(bring_up(), loop).result()
    asyncio.run_coroutine_threadsafe(server.PromptServer.instance.publish_loop(), loop)
    return ids


def main(
    comfyui: str, base: str, device: str, module: str, function: str, arguments: str, answer: str
) -> None:
    """What `python -m launcher.inprocess` does; the function's answer is kept as JSON."""
    load(Path(comfyui), Path(base), cpu=device == "cpu" or not gpu_is_visible())
    result = getattr(importlib.import_module(module), function)(*json.loads(arguments))
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__mp_main__":
    # A process that a pool of such a process begins afresh.
    declare_pack()
if __name__ == "__main__":
    main(*sys.argv[1:])
