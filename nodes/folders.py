"""Where a character's files are, below ComfyUI's output folder."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ..engine.character import Character
from ..engine.files import contained


def character_folder(character: Character, *parts: str) -> Path:
    """The character's own folder, or what ``parts`` name in it; ValueError when that leads out."""
    output = Path(folder_paths.get_output_directory())
    return contained(output, "facet", character.folder_name, *parts)


def expressions_folder() -> Path:
    """Where a person's own expressions are kept, as JSON files."""
    return contained(Path(folder_paths.get_user_directory()), "facet", "expressions")
