"""The pack as ComfyUI and the people who use it find it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.archive import archived_files

LOADER = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
asked = []

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[3:]:
            asked.append(name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
from comfy.cli_args import args
args.cpu = True
import nodes, execution, server
import comfy_api.latest, comfy_config.config_parser

async def main():
    server.PromptServer(asyncio.get_running_loop())
    before, modules = set(nodes.NODE_CLASS_MAPPINGS), set(sys.modules)
    loaded = await nodes.load_custom_node(sys.argv[2])
    new = sorted(set(nodes.NODE_CLASS_MAPPINGS) - before)
    files = [getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - modules]
    files = [f for f in files if f]
    print(json.dumps({"loaded": loaded, "nodes": new, "files": files, "asked": asked}))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def link(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack in a folder of another name."""
    link = tmp_path_factory.mktemp("custom_nodes") / "My Facet-0.1 (copy)"
    link.symlink_to(root, target_is_directory=True)
    return link


@pytest.fixture(scope="module")
def alone(comfyui: Path, link: Path) -> dict[str, Any]:
    """What ComfyUI's own loader makes of the pack there, in a new process that has no peft."""
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(comfyui), str(link), "peft"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Cannot import" not in done.stderr, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_the_pack_brings_no_package_along_when_it_is_loaded(
    alone: dict[str, Any], link: Path
) -> None:
    """A package of others is what would make it long; `facet.py bench loading` says how long."""
    files = [Path(file) for file in alone["files"]]
    assert sum(link / "nodes" in file.parents for file in files) > 40
    assert [file for file in files if "site-packages" in file.parts] == []
    assert alone["asked"] == []


@pytest.mark.slow
def test_without_peft_and_in_a_folder_of_any_name_every_node_is_there(
    alone: dict[str, Any], node_ids: list[str]
) -> None:
    assert alone["loaded"] and alone["nodes"] == sorted(node_ids)


def test_ids_and_menu_places_are_the_packs_own(info: dict[str, Any]) -> None:
    for node, about in info.items():
        assert node.startswith("Facet")
        assert about["category"].startswith("Facet/"), node
        assert about["display_name"].startswith("Facet "), node


def test_no_node_shows_more_than_twelve_inputs(info: dict[str, Any]) -> None:
    """Sockets and widgets that are not folded away."""
    shown = {
        node: [
            name
            for group in ("required", "optional")
            for name, spec in about["input"].get(group, {}).items()
            if not (len(spec) > 1 and (spec[1].get("advanced") or spec[1].get("hidden")))
        ]
        for node, about in info.items()
        if not about.get("dev_only")
    }
    assert {node: len(names) for node, names in shown.items() if len(names) > 12} == {}


def test_every_node_explains_itself(info: dict[str, Any]) -> None:
    for node, about in info.items():
        assert about["description"], f"{node} has no description"
        assert about["search_aliases"], f"{node} has no search aliases"


def test_every_input_and_output_has_a_tooltip(info: dict[str, Any]) -> None:
    missing = []
    for node, about in info.items():
        for group in ("required", "optional"):
            for name, spec in about["input"].get(group, {}).items():
                if not (len(spec) > 1 and spec[1].get("tooltip")):
                    missing.append(f"{node}.{name}")
        for name, tooltip in zip(about["output_name"], about["output_tooltips"], strict=True):
            if not tooltip:
                missing.append(f"{node} → {name}")
    assert missing == []


def test_the_archive_holds_what_comfyui_reads_and_no_more(root: Path) -> None:
    """`conftest.server` installs it: whatever a server is asked in a test, the archive answers."""
    files = archived_files(root)
    tops = {file.split("/")[0] for file in files}
    read = {"__init__.py", "engine", "nodes", "js", "locales", "workflows", "subgraphs"}
    about = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "requirements.txt", "assets"}
    assert tops - {"subgraphs"} == (read | about) - {"subgraphs"}
    assert sum((root / file).stat().st_size for file in files) < 40_000_000


def test_requirements_hold_no_package_that_comfyui_pins(root: Path, comfyui: Path) -> None:
    wanted = {name(line) for line in lines(root / "requirements.txt")}
    assert wanted & {name(line) for line in lines(comfyui / "requirements.txt")} == set()
    assert all("==" not in line for line in lines(root / "requirements.txt"))


def lines(file: Path) -> list[str]:
    stripped = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def name(requirement: str) -> str:
    for sign in "<>=~![ ;":
        requirement = requirement.split(sign)[0]
    return requirement.lower().replace("_", "-")
