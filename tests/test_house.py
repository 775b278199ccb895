"""The rules of the house, read off the source: which way imports run, and what stands once.

`docs/architecture.md` says why. Where a rule is broken today, the place stands in an exception with
its reason, and a test fails once the exception is no longer needed.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEVELS = (
    {"core"},
    {"store"},
    {"comfyui"},
    {"families", "vision", "drawing"},
    {"studio"},
    {"generate", "captions", "dataset", "training", "scoring", "demo"},
)
"""The areas of engine/, lowest first. An area imports from lower levels only."""

ACROSS = {
    ("scoring", "training"): "the scorer's candidates are a run's checkpoints",
}
"""Imports from an area to another on its level or above, and why they are still there."""

BETWEEN_NODES = {}
"""Imports from one area of nodes/ to another, and what is shared that way."""

TWICE: dict[str, str] = {}
"""Names of classes that engine/ and nodes/ define more than once, and where."""

MOST_ARGUMENTS = 10
OF_A_NODE = {"execute", "validate_inputs", "fingerprint_inputs", "check_lazy_status"}
"""Methods whose arguments are the inputs of a node."""

MANY_ARGUMENTS = {
    "engine/comfyui/sampling.py: sample": "what ComfyUI's sampler takes",
}
BESIDE_NODES: dict[str, str] = {}
"""Code outside nodes/ that imports it."""

AT_THE_TOP = {
    "PIL",
    "aiohttp",
    "app",
    "comfy",
    "comfy_api",
    "comfy_execution",
    "comfy_extras",
    "comfyui_version",
    "execution",
    "folder_paths",
    "node_helpers",
    "nodes",
    "numpy",
    "safetensors",
    "server",
    "torch",
}
"""What ComfyUI has imported before any pack, and so costs nothing; the rest goes into functions."""


@dataclass(frozen=True)
class Import:
    """One imported name: where from, and whether it is imported when its module is."""

    line: int
    target: tuple[str, ...]
    relative: bool
    at_once: bool


class _Imports(ast.NodeVisitor):
    def __init__(self, package: tuple[str, ...]) -> None:
        self.package = package
        self.found: list[Import] = []
        self.inside = 0

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.inside += 1
        self.generic_visit(node)
        self.inside -= 1

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Import(self, node: ast.Import) -> None:
        for name in node.names:
            self._add(node, tuple(name.name.split(".")), False)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = tuple(node.module.split(".")) if node.module else ()
        if node.level:
            module = self.package[: len(self.package) - node.level + 1] + module
        for name in node.names:
            self._add(node, (*module, name.name), bool(node.level))

    def _add(self, node: ast.stmt, target: tuple[str, ...], relative: bool) -> None:
        self.found.append(Import(node.lineno, target, relative, self.inside == 0))


@cache
def modules() -> dict[tuple[str, ...], Path]:
    """Each module of engine/ and nodes/ by its dotted name in parts."""
    found = {}
    for top in ("engine", "nodes"):
        for file in sorted((ROOT / top).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[parts[:-1] if parts[-1] == "__init__" else parts] = file
    return found


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


@cache
def imports(file: Path) -> tuple[Import, ...]:
    """What ``file`` imports, but for annotations; a relative one by its path from the top."""
    visitor = _Imports(file.relative_to(ROOT).parent.parts)
    visitor.visit(parsed(file))
    return tuple(visitor.found)


def files(*tops: str) -> list[Path]:
    return [file for top in tops for file in sorted((ROOT / top).rglob("*.py"))]


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def only_known(found: set[str], known: dict[str, str], table: str) -> None:
    """Every offender is a known one, and every known one still is one."""
    assert sorted(found - known.keys()) == []
    assert sorted(known.keys() - found) == [], f"no longer needed: take it out of {table}"


def test_the_engine_knows_no_node_and_no_node_api() -> None:
    wrong = [
        f"{name_of(file)}:{one.line} imports {'.'.join(one.target)}"
        for file in files("engine")
        for one in imports(file)
        if (one.relative and one.target[:1] != ("engine",)) or one.target[0] == "comfy_api"
    ]
    assert wrong == []


def test_every_area_of_the_engine_has_its_level() -> None:
    folders = {file.parent.name for file in (ROOT / "engine").glob("*/__init__.py")}
    assert folders == set().union(*LEVELS)
    assert sum(map(len, LEVELS)) == len(folders)


def test_imports_of_the_engine_run_downward() -> None:
    level = {area: number for number, areas in enumerate(LEVELS) for area in areas}
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files("engine"):
        here = file.relative_to(ROOT).parts[1]
        for one in imports(file):
            if here not in level or not one.relative or len(one.target) < 2:
                continue
            there = one.target[1]
            if there != here and level[there] >= level[here]:
                found[here, there].append(f"{name_of(file)}:{one.line}")
    new = {pair: places for pair, places in found.items() if pair not in ACROSS}
    assert new == {}, "what two areas need moves down"
    assert sorted(ACROSS.keys() - found.keys()) == [], "no longer needed: take it out of ACROSS"


def test_areas_of_nodes_share_through_common_only() -> None:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files("nodes"):
        here = file.relative_to(ROOT).parts[1]
        for one in imports(file):
            there = one.target[1] if one.relative and one.target[:1] == ("nodes",) else here
            if there not in (here, "common") and here != "__init__.py":
                found[here, there].append(f"{name_of(file)}:{one.line} {one.target[-1]}")
    new = {pair: places for pair, places in found.items() if pair not in BETWEEN_NODES}
    assert new == {}, "what two areas need stands in nodes/common"
    gone = sorted(BETWEEN_NODES.keys() - found.keys())
    assert gone == [], "no longer needed: take it out of BETWEEN_NODES"


def test_only_the_pack_imports_its_nodes() -> None:
    found = {
        name_of(file)
        for file in files("benchmarks", "world", "launcher", "real_faces")
        for one in imports(file)
        if one.relative and one.target[:1] == ("nodes",)
    }
    only_known(found, BESIDE_NODES, "BESIDE_NODES")


def graph() -> dict[tuple[str, ...], set[tuple[str, ...]]]:
    """Which module imports which, imports inside functions among them."""
    known = modules()
    edges = {}
    for module, file in known.items():
        targets = {
            one.target if one.target in known else one.target[:-1]
            for one in imports(file)
            if one.relative
        }
        edges[module] = (targets & known.keys()) - {module}
    return edges


def circles(edges: dict[tuple[str, ...], set[tuple[str, ...]]]) -> Iterator[list[str]]:
    """Groups of modules that import one another: strongly connected components (Tarjan 1972)."""
    order: dict[tuple[str, ...], int] = {}
    lowest: dict[tuple[str, ...], int] = {}
    stack: list[tuple[str, ...]] = []

    def visit(module: tuple[str, ...]) -> Iterator[list[str]]:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for other in sorted(edges[module]):
            if other not in order:
                yield from visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], order[other])
        if lowest[module] == order[module]:
            at = stack.index(module)
            group = [".".join(one) for one in stack[at:]]
            del stack[at:]
            if len(group) > 1:
                yield group

    for module in sorted(edges):
        if module not in order:
            yield from visit(module)


def test_no_modules_import_one_another() -> None:
    assert list(circles(graph())) == []


def test_a_circle_would_be_found() -> None:
    edges = {("a",): {("b",)}, ("b",): {("c",)}, ("c",): {("b",)}, ("d",): {("a",)}}
    assert list(circles(edges)) == [["b", "c"]]


def test_what_is_slow_to_import_is_imported_where_it_is_used() -> None:
    cheap = AT_THE_TOP | set(sys.stdlib_module_names)
    wrong = [
        f"{name_of(file)}:{one.line} imports {one.target[0]} at its top"
        for file in files("engine", "nodes")
        for one in imports(file)
        if one.at_once and not one.relative and one.target[0] not in cheap
    ]
    assert wrong == []


def test_the_launcher_needs_nothing_installed() -> None:
    inside = {"inprocess.py", "node_texts.py"}  # run in ComfyUI's own environment
    allowed = {"launcher", *sys.stdlib_module_names}
    wrong = [
        f"{name_of(file)}:{one.line} imports {'.'.join(one.target)}"
        for file in files("launcher")
        for one in imports(file)
        if file.name not in inside and one.target[0] not in allowed
    ]
    assert wrong == []


def test_a_class_name_stands_for_one_thing() -> None:
    counted = Counter(
        node.name
        for file in modules().values()
        for node in parsed(file).body
        if isinstance(node, ast.ClassDef)
    )
    only_known({name for name, count in counted.items() if count > 1}, TWICE, "TWICE")


def test_no_function_takes_more_arguments_than_one_can_read() -> None:
    found = set()
    for file in modules().values():
        for node in ast.walk(parsed(file)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = sum(one.arg not in ("self", "cls") for one in every)
            if count > MOST_ARGUMENTS and node.name not in OF_A_NODE:
                found.add(f"{name_of(file)}: {node.name}")
    only_known(found, MANY_ARGUMENTS, "MANY_ARGUMENTS")


@pytest.mark.parametrize("top", ["engine", "nodes"])
def test_every_folder_says_what_it_is_for(top: str) -> None:
    packages = sorted((ROOT / top).rglob("__init__.py"))
    assert [name_of(one) for one in packages if ast.get_docstring(parsed(one)) is None] == []
