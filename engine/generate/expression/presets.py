"""Expressions by name: twelve of the pack's, a user's own, and any of them blended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...core.errors import FacetError
from .rig import checked
from .table import BY_NAME, zeros

PATH = Path(__file__).with_name("presets.json")
OWN = "own sliders"
"""In place of a preset's name: none, the sliders alone."""


@dataclass(frozen=True)
class Preset:
    """An expression: its amounts by slider, the tag that a shot gets, and words for a prompt."""

    sliders: MappingProxyType[str, float]
    expression: str
    words: str


def _preset(name: str, row: Mapping[str, Any]) -> Preset:
    """Raises FacetError with a sentence when ``row`` is no preset."""
    if not isinstance(row, Mapping) or not isinstance(row.get("sliders"), Mapping):
        raise FacetError(
            f"The preset {name!r} has no sliders; write "
            '{"expression": "…", "sliders": {"smile_l": 0.5}}.'
        )
    sliders = MappingProxyType(
        {key: value for key, value in checked(row["sliders"]).items() if value}
    )
    expression = str(row.get("expression") or name)
    return Preset(sliders, expression, str(row.get("words") or expression))


ALL: MappingProxyType[str, Preset] = MappingProxyType(
    {name: _preset(name, row) for name, row in json.loads(PATH.read_text("utf-8")).items()}
)
PRESETS: dict[str, dict[str, float]] = {name: dict(one.sliders) for name, one in ALL.items()}
"""The pack's expressions: amounts by slider, those at rest left out."""


def user_presets(folder: Path) -> dict[str, Preset]:
    """The presets of the ``*.json`` files in ``folder``, by name; empty without such a folder.

    A file holds what presets.json holds: names with their expression, words and sliders. Raises
    FacetError with a sentence that names the file, when it is something else.
    """
    found: dict[str, Preset] = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            rows = json.loads(path.read_text("utf-8"))
            if not isinstance(rows, dict):
                raise FacetError("It holds no presets by name.")
            found.update({name: _preset(name, row) for name, row in rows.items()})
        except (ValueError, UnicodeDecodeError) as error:
            raise FacetError(f"The preset file {path.name} cannot be used: {error}") from error
    return found


def blended(
    parts: Mapping[str, float],
    extra: Mapping[str, float] | None = None,
    presets: Mapping[str, Preset] = ALL,
) -> dict[str, float]:
    """Every slider's amount when presets are added up, each by its strength, and ``extra`` to them.

    Amounts stay within what the sliders allow. Raises FacetError for a preset or a slider that
    there is not, and for amounts that are not numbers.
    """
    amounts = zeros()
    for name, strength in parts.items():
        if name not in presets:
            raise FacetError(f"There is no expression {name!r}; take one of {', '.join(presets)}.")
        scaled = {key: value * strength for key, value in presets[name].sliders.items()}
        for key, value in checked(scaled).items():
            amounts[key] += value
    for key, value in checked(extra or {}).items():
        amounts[key] += value
    return {
        name: min(BY_NAME[name].high, max(BY_NAME[name].low, value))
        for name, value in amounts.items()
    }
