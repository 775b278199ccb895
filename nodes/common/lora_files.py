"""LoRA files that ComfyUI lists: where they lie, and whether they are still the same."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ...engine.core.errors import FacetError


def lora_path(name: str) -> Path:
    """The file that ComfyUI lists as ``name`` among its LoRAs; FacetError when there is none."""
    path = folder_paths.get_full_path("loras", name)
    if path is None:
        raise FacetError(
            f"lora_name is {name!r}, which is in no folder of LoRAs; choose one of the list."
        )
    return Path(path)


def lora_state(name: str | None) -> str:
    """What tells the LoRA ``name`` from another file of that name; '' where there is none.

    name: None for one that comes through a link, which is not known before it is run.
    """
    path = folder_paths.get_full_path("loras", name) if name else None
    return state_of(Path(path)) if path else ""


def state_of(path: Path) -> str:
    """What tells the file ``path`` from another that takes its place; '' where there is none.

    The metadata of a safetensors file is not counted, into which a score is stamped.
    """
    try:
        state = path.stat()
        with path.open("rb") as file:
            header = file.read(8) if path.suffix.lower() == ".safetensors" else b""
    except OSError:
        return ""
    return f"{state.st_mtime_ns} {state.st_size - int.from_bytes(header, 'little')}"
