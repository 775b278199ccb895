"""A setting of training is stated once: in the table of engine/training/settings.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from facet.engine.training.settings import TrainingSettings, settings_of

NAMES = {one.name for one in settings_of(TrainingSettings)}
# What a setting is shown as; a CLIP's socket is no second statement of the setting ``clip``.
WIDGETS = {f"io.{kind}.Input" for kind in ("Boolean", "Combo", "Float", "Int", "String")}
# The table itself, and presets, which give settings values that no range or help goes with.
TABLE = ("engine/training/settings.py", "engine/training/presets.py")


def stated_again(source: str) -> Iterator[str]:
    """The settings that Python code makes an input of, or gives a default or a range by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in WIDGETS and node.args:
            yield from _names([node.args[0]])
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from _names([key for key, value in pairs if _is_literal(value)])


def _names(nodes: list[ast.expr | None]) -> list[str]:
    given = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return [name for name in given if isinstance(name, str) and name in NAMES]


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def complaints(root: Path) -> list[str]:
    files = [*(root / "engine" / "training").rglob("*.py"), *(root / "nodes/training").glob("*.py")]
    places = {file.relative_to(root).as_posix(): file for file in files}
    return [
        f"{place} states the training setting {name!r} again; its place is {TABLE[0]}."
        for place, file in places.items()
        if place not in TABLE
        for name in stated_again(file.read_text("utf-8"))
    ]


def test_nothing_states_a_setting_again(root: Path) -> None:
    assert complaints(root) == []


def test_a_second_statement_is_found() -> None:
    assert list(stated_again('io.Float.Input("warmup", default=0.1, tooltip="…")')) == ["warmup"]
    assert list(stated_again('LIMITS = {"rank": (1, 1024), "model": 3}')) == ["rank"]
    assert list(stated_again('{"ss_seed": str(settings.seed), "seed": settings.seed}')) == []
