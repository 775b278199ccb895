"""`facet.py test`: the set-up with what the tests need, then every test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .places import ROOT, Home, sharing_cores
from .problem import Problem
from .setup import set_up

AT_MOST = 4
"""More processes would wait for the tests of one ComfyUI, which are one after another."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """A Chromium on this machine: `CHROMIUM_PATH`, or the first one on the path."""
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        return named if Path(named).is_file() else None
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def can_install_browser() -> bool:
    """Whether this is Debian or a relative of it, and we are root."""
    release = Path("/etc/os-release")
    text = release.read_text("utf-8") if release.is_file() else ""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return root and "debian" in text and shutil.which("apt-get") is not None


def install_browser(log: Path) -> None:
    """Install Debian's chromium; raises Problem when that fails."""
    print("Installing chromium with apt-get (about 90 MB) …", flush=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    install = ["apt-get", *wait, "install", "-y", "-q", "--no-install-recommends", "chromium"]
    with log.open("a", encoding="utf-8") as output:
        for command in (["apt-get", "update", "-q"], install):
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
                check=False,
            )
    if done.returncode:
        raise Problem(f"apt-get could not install chromium; its words are in {log}.")


def workers(arguments: list[str], cores: int) -> int:
    """How many processes share the tests, 0 for this one alone.

    Whoever names some of the tests, wants the first failure, or talks with pytest gets them in one
    process, which is sooner done with a few and can be looked into.
    """
    words = {"-x", "-k", "-s", "--pdb", "--lf", "--ff", "--sw", "--co", "--exitfirst"}
    words |= {"--last-failed", "--failed-first", "--stepwise", "--collect-only"}
    starts = ("tests", "-n", "--numprocesses", "--maxfail")
    if cores < 2 or any(a in words or a.startswith(starts) for a in arguments):
        return 0
    return min(cores, AT_MOST)


def run(home: Home, arguments: list[str]) -> int:
    """Run pytest with `arguments` over all tests, or over those named; its exit code.

    `--nightly` takes in what is too slow for every change. All tests are shared by processes of one
    thread each, and how long the dearest took is kept in `.facet/logs/durations.txt`.

    Without a Chromium the browser's tests are left out and said to be; where CI is set they are
    required and Problem is raised.
    """
    environment = set_up(home, tests=True)
    if find_browser() is None and can_install_browser():
        install_browser(home.logs / "apt.log")
    command = [str(environment.python), "-m", "pytest"]
    if find_browser() is None:
        missing = "there is no Chromium; install one, or name it in CHROMIUM_PATH"
        if os.environ.get("CI"):
            raise Problem(f"The browser tests cannot run: {missing}.")
        print(f"The browser tests are left out: {missing}.")
        command += ["-m", "not browser"]
    # pytest runs inside tests/, so that it does not take the pack itself for a test package.
    arguments = [str(ROOT / a) if a.startswith("tests") else a for a in arguments]
    variables = sharing_cores(COMFYUI_PATH=str(environment.comfyui.folder))
    # Each process would compile ComfyUI, the pack and the tests anew: 4 s for one of the workers.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    if number := workers(arguments, os.cpu_count() or 1):
        command += ["-n", str(number), "--dist", "loadgroup", "--no-loadscope-reorder"]
        # In one word: pytest would take a file that is there for one to be tested.
        command += [f"--durations-file={home.logs / 'durations.txt'}"]
        variables |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "FACET_WORKERS": str(number)}
    folder = ROOT / "tests"
    return subprocess.run([*command, *arguments], cwd=folder, env=variables, check=False).returncode
