"""LoRA files that ComfyUI lists: where they lie, and whether they are still the same."""

from __future__ import annotations

import os
from pathlib import Path

import folder_paths

from ...engine.comfyui.fingerprint import file_state
from ...engine.core.errors import FacetError
from ...engine.store.files import contained

FACET = "facet/"


def lora_path(name: str, input_id: str = "lora_name") -> Path:
    """The file that ComfyUI lists as ``name`` among its LoRAs; FacetError when there is none.

    input_id: the input that holds the name.
    """
    path = folder_paths.get_full_path("loras", name)
    if path is None:
        raise FacetError(
            f"{input_id} is {name!r}, which is in no folder of LoRAs; choose one of the list."
        )
    return Path(path)


def lora_state(name: str | None) -> str:
    """What tells the LoRA ``name`` from another file of that name; '' where there is none.

    name: None for one that comes through a link, which is not known before it is run.
    """
    path = folder_paths.get_full_path("loras", name) if name else None
    return file_state(Path(path)) if path else ""


def writable_lora_folder() -> Path:
    """Where finished LoRAs go: the first of ComfyUI's folders of LoRAs that can be written to.

    Those that are there come first. Where none can be, it is a folder in ComfyUI's output.
    """
    from ...engine.training.files.folder import NotSaved, make_usable

    roots = sorted(_lora_roots(), key=lambda root: not os.path.isdir(root))  # noqa: PTH112
    for root in roots:
        try:
            make_usable(root / "facet")
        except NotSaved:
            continue
        return root / "facet"
    return Path(folder_paths.get_output_directory()) / "loras" / "facet"


def why_there(lora: Path) -> str:
    """Why the finished ``lora`` is not in the first of ComfyUI's folders of LoRAs; '' where it is.

    ComfyUI's own loaders list what is in any of them.
    """
    roots = _lora_roots()
    inside = [(root / "facet").resolve() in lora.resolve().parents for root in roots]
    if inside[:1] == [True]:
        return ""
    if any(inside):
        return f"{roots[0]} is not there or cannot be written to, so it is in the next folder."
    return (
        "None of ComfyUI's folders of LoRAs can be written to, so it stays in the output; copy it "
        "to one of them to use it."
    )


def _lora_roots() -> list[Path]:
    return [Path(root) for root in folder_paths.get_folder_paths("loras")]


def own_lora_folders() -> list[Path]:
    """The folders that LoRAs of Facet's training are in: finished ones, and runs' checkpoints."""
    finished = [root / "facet" for root in _lora_roots()]
    return [*finished, *Path(folder_paths.get_output_directory()).glob("facet/*/training")]


def grid_file(name: str) -> Path:
    """The LoRA file called ``name``: among ComfyUI's LoRAs, or below output/facet.

    Raises FacetError when it is neither.
    """
    listed = folder_paths.get_full_path("loras", name)
    if listed is not None:
        return Path(listed)
    output = Path(folder_paths.get_output_directory())
    if name.startswith(FACET):
        path = contained(output / "facet", name.removeprefix(FACET))
        if path.is_file() and path.suffix == ".safetensors":
            return path
    raise FacetError(f"There is no LoRA {name!r} in ComfyUI's LoRA folders; choose one of them.")


def grid_file_state(name: str) -> str:
    """What tells the file called ``name`` from another of that name; '' when there is none."""
    try:
        return file_state(grid_file(name))
    except FacetError:
        return ""
