"""Where everything lies: the pack, and the one folder that the command writes to."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .problem import Problem

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the pack."""


@dataclass(frozen=True)
class Home:
    """`.facet/`: all that the command installs, downloads and logs."""

    folder: Path = ROOT / ".facet"

    @property
    def comfyui(self) -> Path:
        """The ComfyUI that the command installs itself."""
        return self.folder / "ComfyUI"

    @property
    def base(self) -> Path:
        """ComfyUI's base directory: custom_nodes, models, input, output, user."""
        return self.folder / "comfy-home"

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one set-up; raises Problem while another one runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "setup.lock").open("w", encoding="utf-8") as handle:
            try:
                if sys.platform == "win32":
                    import msvcrt

                    msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl

                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Problem(
                    f"Another Facet set-up is running in {self.folder}; wait until it is done."
                ) from error
            yield


def sharing_cores(**more: str) -> dict[str, str]:
    """The environment of a process that computes, with ``more`` in it: threads that wait sleep.

    OpenMP's own way is to spin while they wait, on cores that others need: beside a second job, a
    picture by the demo's models took 9.4 s in the place of 2.2. Who sets OMP_WAIT_POLICY is heard.
    """
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **more}


def venv_python(venv: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def require_space(folder: Path, needed: int) -> None:
    """Raise Problem unless the disk of `folder` has `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Problem(
            f"The set-up needs {size(needed)} of free disk and {folder} has {size(free)}. "
            "Free some space and run the same command again."
        )


def size(count: float) -> str:
    """A number of bytes for people: 12 MB, 4.7 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 0):.0f} MB"
