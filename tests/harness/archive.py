"""The pack as people install it: what goes into the registry's archive."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def archived_files(root: Path) -> list[str]:
    """The files of the archive, by their path in it: all of the pack that .comfyignore leaves."""

    def listed(*options: str) -> set[str]:
        command = ["git", "-C", str(root), "ls-files", "-z", *options]
        return set(subprocess.check_output(command, text=True).strip("\0").split("\0"))

    everything = listed("--cached", "--others", "--exclude-standard")
    ignored = listed("--cached", "--others", "--ignored", "--exclude-from=.comfyignore")
    return sorted(file for file in everything - ignored if (root / file).is_file())


def unpacked(root: Path, folder: Path) -> Path:
    """``folder`` with the archive of the pack in it."""
    for file in archived_files(root):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, folder / file)
    return folder
