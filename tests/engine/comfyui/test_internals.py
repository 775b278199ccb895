"""What of ComfyUI is used beyond its public interface: there, and reached in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facet.engine.comfyui import internals
from facet.engine.comfyui.internals import PARTS, internal
from facet.engine.core.errors import FacetError


@pytest.mark.parametrize("name", PARTS)
def test_this_comfyui_has_it(name: str) -> None:
    assert internal(name) is not None


@pytest.mark.parametrize("module", ["comfy_extras.nodes_sdpose", "comfy_extras.no_such_module"])
def test_a_version_without_it_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setattr(internals, "PARTS", {"Gone": (module, "poses")})
    with pytest.raises(FacetError, match=f"no {module}.Gone, which is needed for poses; use one"):
        internal("Gone")


def test_nothing_else_imports_them(root: Path) -> None:
    imported = re.compile(rf"^\s*from \S+ import .*\b({'|'.join(PARTS)})\b", re.MULTILINE)
    found = [
        str(file.relative_to(root))
        for file in (root / "engine").rglob("*.py")
        if imported.search(file.read_text("utf-8")) and file.name != "internals.py"
    ]
    assert found == []
