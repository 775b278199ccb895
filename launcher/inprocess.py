"""Facet inside this process: ComfyUI's modules on the path and the pack as package `facet`.

Used by the tests and by `facet.py bench`; needs ComfyUI's own Python environment.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType


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


def declare_pack(root: Path, name: str = "facet") -> ModuleType:
    """Make the folder `root` importable as the package `name`, whatever the folder is called.

    Its modules can be imported from then on; its own `__init__.py` runs in `register`.
    """
    # The demo world is imported as `world`, but the pack's `nodes` must not stand before ComfyUI's.
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != root]
    sys.path.append(str(root))
    spec = importlib.util.spec_from_file_location(
        name, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None:
        raise ImportError(f"There is no pack in {root}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
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
