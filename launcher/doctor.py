"""`facet.py doctor`: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .comfyui import ComfyUI, find_comfyui, known_versions, numbers
from .places import Home, size, venv_python
from .problem import Problem
from .setup import check_python, plan, venv_of
from .testing import find_browser

PACKAGES = ("torch", "torchvision", "torchaudio", "comfyui-frontend-package", "peft", "pytest")


@dataclass(frozen=True)
class Finding:
    """One line of the report; `advice` says what to do, and is empty when nothing is."""

    what: str
    found: str
    advice: str = ""
    needed: bool = True


def examine(home: Home) -> list[Finding]:
    """Look at this machine without changing anything."""
    findings = [python()]
    try:
        comfyui = find_comfyui()
    except Problem as problem:
        return [*findings, Finding("ComfyUI", "not usable", str(problem))]
    own = ComfyUI(home.comfyui, None)
    version = (comfyui or own).version
    place = str((comfyui or own).folder) if version else "not installed"
    findings.append(
        Finding("ComfyUI", f"{version} {place}".strip(), "" if version else "python facet.py demo")
    )
    findings.append(tested(version))
    steps = plan(home, comfyui, tests=True)
    for step in steps:
        advice = "" if step.done else f"python facet.py {'test' if step.for_tests else 'demo'}"
        missing = f"missing ({size(step.download)} to download)" if step.download else "missing"
        findings.append(
            Finding(step.title, "ready" if step.done else missing, advice, not step.for_tests)
        )
    interpreter = venv_python(venv_of(home, comfyui))
    if interpreter.is_file():
        findings += packages(interpreter)
    browser = find_browser()
    advice = "" if browser else "only for the browser tests: install Chromium"
    findings.append(Finding("Chromium", browser or "missing", advice, needed=False))
    return [*findings, disk(home, sum(step.disk for step in steps if not step.done))]


def tested(version: str) -> Finding:
    """Whether ``version`` of ComfyUI is one that Facet was run with."""
    oldest, newest = known_versions()
    newer = bool(version) and numbers(version) > numbers(newest)
    advice = "newer than what was tried: most likely fine, tell us if not" if newer else ""
    return Finding("  tested with ComfyUI", f"{oldest} to {newest}", advice, needed=False)


def python() -> Finding:
    """Whether this Python is one that Facet runs in."""
    try:
        check_python()
    except Problem as problem:
        return Finding("Python", platform.python_version(), str(problem))
    return Finding("Python", f"{platform.python_version()} {sys.executable}")


def packages(interpreter: Path) -> list[Finding]:
    """The versions of the packages that matter, in the environment that would be used."""
    question = (
        "import importlib.metadata as m, json\n"
        "def v(n):\n"
        "    try: return m.version(n)\n"
        "    except m.PackageNotFoundError: return ''\n"
        f"print(json.dumps({{n: v(n) for n in {PACKAGES!r}}}))"
    )
    answer = subprocess.run(
        [str(interpreter), "-c", question], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        return [Finding("packages", "this environment does not run", "delete .facet and set up")]
    found = json.loads(answer.stdout)
    return [Finding(f"  {name}", version) for name, version in found.items() if version]


def disk(home: Home, needed: int) -> Finding:
    """Whether ``needed`` bytes are free where the set-up goes."""
    existing = next(path for path in (home.folder, *home.folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    short = free < needed
    return Finding(
        "Free disk", size(free), f"free {size(needed - free)} for the set-up" if short else ""
    )


def run(home: Home) -> int:
    """Print the report; 0 when everything that is needed is there, else 1."""
    findings = examine(home)
    for finding in findings:
        mark = "ok" if not finding.advice else "--" if not finding.needed else "!!"
        advice = f"  →  {finding.advice}" if finding.advice else ""
        print(f"{mark} {finding.what:34} {finding.found}{advice}")
    return int(any(finding.advice and finding.needed for finding in findings))
