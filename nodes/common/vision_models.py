"""The vision-language models that the Caption Writer may ask, and where their folders are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths

from ...engine.captions.vision_folder import model_folders
from ...engine.core.errors import FacetError

if TYPE_CHECKING:
    from ...engine.captions.vision import VisionModel

NONE = "none"
FOLDER = "vlm"
OTHERS = ("LLM",)
"""Kinds of folders in which other packs keep such models."""


def register() -> None:
    """Has ComfyUI know ``models/vlm`` as well as what extra_model_paths.yaml calls so."""
    folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER))


def roots() -> list[Path]:
    """The folders that are looked through: models/vlm, models/LLM and those of the same names in
    extra_model_paths.yaml."""
    found = [Path(path) for path in folder_paths.get_folder_paths(FOLDER)]
    for kind in OTHERS:
        known = folder_paths.folder_names_and_paths.get(kind)
        paths = known[0] if known else [str(Path(folder_paths.models_dir) / kind)]
        found += [Path(path) for path in paths]
    return list(dict.fromkeys(found))


def vlm_folders() -> dict[str, Path]:
    """The folder of every model, by the name that the widget shows."""
    found: dict[str, Path] = {}
    for root in roots():
        for name in model_folders(root):
            found.setdefault(name, root / name)
    return found


def chosen_vision_model(clip: Any | None, folder: str) -> VisionModel | None:
    """What is to look at the pictures: ``clip``, or the model in ``folder``; None for neither.

    Raises FacetError when both are given, or what is given cannot look or is not there.
    """
    from ...engine.captions.vision import ClipVisionModel
    from ...engine.captions.vision_folder import FolderVisionModel

    if clip is not None and folder != NONE:
        raise FacetError(
            "Both 'vlm' and 'vlm_folder' are given; disconnect the CLIP, or set vlm_folder to none."
        )
    if clip is not None:
        return ClipVisionModel(clip)
    if folder == NONE:
        return None
    known = vlm_folders()
    if folder not in known:
        raise FacetError(
            f"The model {folder!r} is not in models/{FOLDER}; put its folder there, or choose "
            "another vlm_folder."
        )
    return FolderVisionModel(known[folder], folder)
