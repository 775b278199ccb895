"""The panels' JavaScript: its pure functions, types, lint and format, by Node where it is found."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from facet.launcher.places import Home
from facet.launcher.setup import NODE_VERSION, has_node

NODE = shutil.which("node")
PACKAGES = Home().node / "node_modules"
FRONT_END = re.compile(r"scripts/(?:app|api)\.js|\bLiteGraph\b|\bcomfyAPI\b|window\.app\b")

pytestmark = pytest.mark.skipif(
    not has_node(),
    reason=f"Node {'.'.join(map(str, NODE_VERSION))} or later is missing; it runs these tests.",
)
needs_packages = pytest.mark.skipif(
    not PACKAGES.is_dir(), reason="npm's packages are missing; `python facet.py test` gets them."
)


def node(root: Path, *arguments: str | Path) -> None:
    """Runs Node at the top of the pack; fails with all that it says."""
    command = [str(NODE), *map(str, arguments)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_pure_functions_do_what_their_tests_say(root: Path) -> None:
    node(root, "--test", *sorted((root / "tests" / "js").rglob("*.test.mjs")))


@needs_packages
def test_types_fit(root: Path) -> None:
    node(root, PACKAGES / "typescript" / "bin" / "tsc", "-p", "js/jsconfig.json")


@needs_packages
def test_lint_finds_nothing(root: Path) -> None:
    config = "tests/js/eslint.config.mjs"
    node(root, PACKAGES / "eslint" / "bin" / "eslint.js", "-c", config, "js", "tests/js")


@needs_packages
def test_everything_is_formatted(root: Path) -> None:
    prettier = PACKAGES / "prettier" / "bin" / "prettier.cjs"
    files = ["js/**/*.{js,mjs,css,ts,json}", "tests/js/**/*.{mjs,json}", "!**/package-lock.json"]
    node(root, prettier, "--config", "tests/js/prettier.json", "--check", *files)


def test_one_module_alone_knows_the_front_end_of_comfyui(root: Path) -> None:
    js = root / "js"
    modules = [*js.rglob("*.js"), *js.rglob("*.mjs")]
    knowing = {
        path.relative_to(js).as_posix()
        for path in modules
        if FRONT_END.search(path.read_text("utf-8"))
    }
    assert knowing == {"common/comfyui.mjs"}
    hooks = re.compile(r"\bon(?:Executed|Configure|Removed)\b|addDOMWidget|setDirtyCanvas")
    found = [path.name for path in modules if hooks.search(path.read_text("utf-8"))]
    assert found == ["comfyui.mjs"]


def test_only_entries_are_loaded_by_the_page(root: Path) -> None:
    # ComfyUI's page loads every .js below js/ as an extension of its own.
    loaded = {path.relative_to(root / "js").as_posix() for path in (root / "js").rglob("*.js")}
    assert {name for name in loaded if not re.fullmatch(r"facet_\w+\.js", name)} == set()


def test_every_style_sheet_is_loaded_and_there(root: Path) -> None:
    js = root / "js"
    sources = [*js.glob("*.js"), js / "common" / "panel.mjs"]
    named = {
        sheet
        for path in sources
        for sheet in re.findall(r'"(\w+/\w+\.css)"', path.read_text("utf-8"))
    }
    assert named == {path.relative_to(js).as_posix() for path in js.rglob("*.css")}
