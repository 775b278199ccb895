"""Help pages and translations: every node has its own, and none tells of what is gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

LANGUAGES = ("en", "it", "pt-BR", "zh")


def test_every_node_has_a_help_page(info: dict[str, Any], root: Path) -> None:
    assert [node for node in info if not (root / "js" / "docs" / f"{node}.md").is_file()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_speaks_the_language(info: dict[str, Any], root: Path, language: str) -> None:
    told = json.loads((root / "locales" / language / "nodeDefs.json").read_text("utf-8"))
    missing = []
    for node, about in info.items():
        entry = told.get(node, {})
        missing += [f"{node}.{key}" for key in ("display_name", "description") if key not in entry]
        names = [n for group in ("required", "optional") for n in about["input"].get(group, {})]
        missing += [f"{node}.inputs.{n}" for n in names if n not in entry.get("inputs", {})]
        outputs = map(str, range(len(about["output"])))
        missing += [f"{node}.outputs.{n}" for n in outputs if n not in entry.get("outputs", {})]
    assert missing == []


def test_locales_name_no_node_or_input_that_is_gone(info: dict[str, Any], root: Path) -> None:
    for language in LANGUAGES:
        told = json.loads((root / "locales" / language / "nodeDefs.json").read_text("utf-8"))
        assert set(told) <= set(info), language
        for node, entry in told.items():
            groups = info[node]["input"].values()
            assert set(entry.get("inputs", {})) <= {n for group in groups for n in group}, node
