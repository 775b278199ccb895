"""Every Python file passes the linter, the formatter and the type checker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TYPED = ("__init__.py", "engine", "nodes", "launcher", "world", "benchmarks", "real_faces")


def check(*command: str, folder: Path) -> str:
    """What a checker complains about; '' when it is content."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff(root: Path) -> None:
    assert check("ruff", "check", "--no-cache", "--output-format", "concise", folder=root) == ""


def test_format(root: Path) -> None:
    assert check("ruff", "format", "--check", "--no-cache", "--quiet", folder=root) == ""


@pytest.mark.slow
def test_types(root: Path, tmp_path: Path) -> None:
    # What the checker knows of modules that did not change is kept: a minute becomes seconds.
    cache = root / ".facet" / "mypy"
    # Relative imports resolve only below a package name, which the folder's own may not be.
    (tmp_path / "facet").symlink_to(root, target_is_directory=True)
    parts = [f"facet/{part}" for part in TYPED]
    config = ["--config-file", "facet/pyproject.toml", "--cache-dir", str(cache)]
    assert check("mypy", "--no-error-summary", *config, *parts, folder=tmp_path) == ""
