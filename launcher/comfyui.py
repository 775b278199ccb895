"""Which ComfyUI to use: the one named, the one around the pack, or none yet."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .places import ROOT
from .problem import Problem


@dataclass(frozen=True)
class ComfyUI:
    """A ComfyUI folder and, where it has one, its own Python."""

    folder: Path
    python: Path | None

    @property
    def version(self) -> str:
        """What `comfyui_version.py` says, without running it; '' when it says nothing."""
        file = self.folder / "comfyui_version.py"
        text = file.read_text("utf-8") if file.is_file() else ""
        found = re.search(r'__version__\s*=\s*"([^"]+)"', text)
        return found[1] if found else ""


def find_comfyui(root: Path = ROOT) -> ComfyUI | None:
    """The existing ComfyUI to use, or None when Facet installs its own.

    `COMFYUI_PATH` comes first, then the ComfyUI whose custom_nodes the pack lies in.
    Raises Problem when the one named is none, or is too old.
    """
    named = os.environ.get("COMFYUI_PATH")
    around = root.parent.parent if root.parent.name == "custom_nodes" else None
    if named:
        folder = Path(named).expanduser().resolve()
        if not (folder / "main.py").is_file() or not (folder / "comfyui_version.py").is_file():
            raise Problem(f"COMFYUI_PATH is {named}, and there is no ComfyUI in it.")
    elif around and (around / "comfyui_version.py").is_file():
        folder = around
    else:
        return None
    comfyui = ComfyUI(folder, own_python(folder))
    check_version(comfyui, root)
    return comfyui


def own_python(folder: Path) -> Path | None:
    """The Python that came with a ComfyUI: its virtual environment, or the portable build's."""
    places = (
        folder / "venv",
        folder / ".venv",
        folder.parent / "venv",
        folder.parent / ".venv",
    )
    files = [venv / tail for venv in places for tail in ("bin/python", "Scripts/python.exe")]
    files.append(folder.parent / "python_embeded" / "python.exe")
    return next((file for file in files if file.is_file()), None)


def required_version(root: Path = ROOT) -> str:
    """The lowest ComfyUI version that the pack's pyproject.toml asks for."""
    text = (root / "pyproject.toml").read_text("utf-8")
    found = re.search(r'^requires-comfyui\s*=\s*">=([\d.]+)"', text, re.MULTILINE)
    return found[1] if found else "0"


def check_version(comfyui: ComfyUI, root: Path = ROOT) -> None:
    """Raise Problem when a ComfyUI is older than the pack needs."""
    needed = required_version(root)
    if numbers(comfyui.version) < numbers(needed):
        raise Problem(
            f"The ComfyUI in {comfyui.folder} is {comfyui.version or 'of an unknown version'} and "
            f"Facet needs {needed} or newer; update it, or unset COMFYUI_PATH to use Facet's own."
        )


def known_versions(root: Path = ROOT) -> tuple[str, str]:
    """The oldest and the newest ComfyUI that the pack was run with, by its pyproject.toml."""
    text = (root / "pyproject.toml").read_text("utf-8")
    found = re.search(r'^tested-comfyui\s*=\s*"([\d.]+) to ([\d.]+)"', text, re.MULTILINE)
    return (found[1], found[2]) if found else ("", "")


def numbers(version: str) -> tuple[int, ...]:
    """The first three numbers of a version, to compare."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
