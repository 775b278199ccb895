"""Where a character's files are, below ComfyUI's output folder."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.store.files import contained
from ...engine.store.home import home_of


def characters_folder() -> Path:
    """The folder of all characters."""
    return contained(Path(folder_paths.get_output_directory()), "facet")


def character_folder(character: Character, *parts: str) -> Path:
    """The character's own folder, or what ``parts`` name in it.

    Raises FacetError when that leads out, or the folder cannot be made.
    """
    return contained(home_of(characters_folder(), character).folder, *parts)


def dataset_folder(folder: str) -> Path:
    """The folder or the zip meant by ``folder`` in ComfyUI's output or input folder.

    Raises FacetError when it is in neither, or not there.
    """
    if not folder.strip():
        raise FacetError("The folder is empty; give one in ComfyUI's output or input folder.")
    inside = False
    for root in (folder_paths.get_output_directory(), folder_paths.get_input_directory()):
        try:
            path = contained(Path(root), folder.strip())
        except ValueError:
            continue
        inside = True
        if path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip"):
            return path
    if inside:
        raise FacetError(
            f"There is no folder and no zip {folder!r} in ComfyUI's output or input folder."
        )
    raise FacetError(f"The folder {folder!r} is outside ComfyUI's output and input folders.")


def expressions_folder(user: str | None = None) -> Path:
    """Where expressions are kept as JSON files: everybody's, or those of one of ComfyUI's users."""
    own = [] if user is None else [user]
    return contained(Path(folder_paths.get_user_directory()), *own, "facet", "expressions")


def users() -> list[str]:
    """The users of ComfyUI's --multi-user who have expressions of their own."""
    root = Path(folder_paths.get_user_directory())
    return sorted(path.parts[-3] for path in root.glob("*/facet/expressions"))
