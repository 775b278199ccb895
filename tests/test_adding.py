"""What docs/adding-a-….md says, done to a copy of the pack: it works, and touches few files."""

from __future__ import annotations

import asyncio
import importlib
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

STEP = re.compile(
    r"(?:In `(?P<file>[^`\n]+)`, (?P<where>after|before|instead of) `(?P<anchor>[^`\n]+)`"
    r"|A\s+new\s+file\s+`(?P<new>[^`\n]+)`):\n\n```\w*\n(?P<text>.*?\n)```$",
    re.MULTILINE | re.DOTALL,
)
NEEDED = ("__init__.py", "engine", "nodes", "js/docs", "locales")
NAME = "facet_added_to"


@dataclass(frozen=True)
class Added:
    """A copy of the pack to which a document was applied."""

    folder: Path
    touched: frozenset[str]

    def load(self, module: str = "") -> ModuleType:
        """A module of the copy, loaded beside the pack that the tests run in."""
        return importlib.import_module(f"{NAME}.{module}" if module else NAME)


def follow(document: str, folder: Path) -> frozenset[str]:
    """Does each step of ``document`` in ``folder``; the files that it touched."""
    touched = set()
    for step in STEP.finditer(document):
        name, text = step["file"] or step["new"], step["text"]
        file = folder / name
        touched.add(name)
        if step["new"]:
            assert not file.exists(), f"{name} is there already"
            file.write_text(text, "utf-8")
            continue
        lines = file.read_text("utf-8").splitlines(keepends=True)
        [at] = [n for n, line in enumerate(lines) if line.startswith(step["anchor"])]
        lines[at + (step["where"] == "after") : at + (step["where"] != "before")] = [text]
        file.write_text("".join(lines), "utf-8")
    return frozenset(touched)


@pytest.fixture
def added(
    request: pytest.FixtureRequest, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Added]:
    folder = tmp_path / NAME
    for part in NEEDED:
        source, target = root / part, folder / part
        if source.is_dir():
            large = shutil.ignore_patterns("*.safetensors", "*.png", "__pycache__")
            shutil.copytree(source, target, ignore=large)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    document = (root / "docs" / f"adding-a-{request.param}.md").read_text("utf-8")
    touched = follow(document, folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        yield Added(folder, touched)
    finally:
        for module in [m for m in sys.modules if m == NAME or m.startswith(f"{NAME}.")]:
            del sys.modules[module]


def character_in(added: Added, shots: int) -> Any:
    character = added.load("engine.core.character")
    images = torch.rand(shots + 1, 16, 16, 3, generator=torch.Generator().manual_seed(0))
    original, *others = (
        character.Shot(image, character.Provenance("original" if n == 0 else "generated"))
        for n, image in enumerate(images)
    )
    return character.Character("Ada", "zqx", "person", original, tuple(others))


@pytest.mark.parametrize("added", ["node"], indirect=True)
def test_a_node_is_two_files_and_a_line(added: Added) -> None:
    assert added.touched == {
        "nodes/character/shot_count.py",
        "nodes/character/__init__.py",
        "js/docs/FacetShotCount.md",
    }

    async def list_of_nodes() -> list[Any]:
        extension = await added.load().comfy_entrypoint()
        return list(await extension.get_node_list())

    # In a thread of its own: a browser's loop may be running in this one.
    with ThreadPoolExecutor(1) as thread:
        listed = thread.submit(asyncio.run, list_of_nodes()).result()
    nodes = {node.__name__: node for node in listed}
    node = nodes["FacetShotCount"]
    assert node.GET_SCHEMA().display_name == "Facet Shot Count"
    assert node.execute(character=character_in(added, shots=3)).result == (3,)
    title = (added.folder / "js" / "docs" / "FacetShotCount.md").read_text("utf-8")
    assert title.startswith("# Facet Shot Count\n")


@pytest.mark.parametrize("added", ["layout"], indirect=True)
def test_a_layout_is_one_file_and_its_help(added: Added, tmp_path: Path) -> None:
    assert added.touched == {"engine/dataset/layouts.py", "js/docs/FacetDatasetExporter.md"}
    layout = added.load("engine.dataset.layouts").Layout("diffusion_pipe")
    ada, folder = character_in(added, shots=3), tmp_path / "dataset"
    added.load("engine.dataset.export").export(ada, folder, layout)
    assert len(list((folder / "images").glob("*.png"))) == 4
    back = added.load("engine.dataset.load").load(folder).character
    assert back.hash == ada.hash


def test_a_step_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one = 1\n")
    step = "In `a.py`, after `two`:\n\n```python\nthree = 3\n```"
    with pytest.raises(ValueError, match="not enough values"):
        follow(step, tmp_path)
