"""The expressions that are asked for: presets by name, a user's own, blends, and their words."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...core.errors import FacetError
from ...core.vocabulary import VOCABULARY
from ...store.json_files import read_json
from .rig import checked
from .table import BY_NAME

LOGGER = logging.getLogger(__name__)

PATH = Path(__file__).with_name("presets.json")
OWN = "own sliders"
"""In place of a preset's name: none, the sliders alone."""
ORIGINAL, FRONT = "original", "front shots"
"""Which of a character's images are edited."""
WORDS = MappingProxyType(
    {
        "brow_inner": ("inner brows raised", "brows lowered"),
        "brow_outer": ("brows raised", "brows lowered"),
        "brow_furrow": ("brows drawn together", ""),
        "blink": ("eyes closed", "eyes open"),
        "wide": ("eyes wide open", ""),
        "squint": ("eyes squinting", ""),
        "sneer": ("nose wrinkled", ""),
        "smile": ("corners of the mouth raised", "corners of the mouth down"),
        "frown": ("corners of the mouth down", ""),
        "upper_raise": ("upper teeth showing", ""),
        "lower_drop": ("lower teeth showing", ""),
        "pucker": ("lips puckered", ""),
        "press": ("lips pressed together", ""),
        "jaw_open": ("mouth wide open", "mouth closed"),
    }
)
"""What a model is told of a slider that a warp could not take all the way: above 0, and below."""


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

    A file holds what presets.json holds: names with their expression, words and sliders. One that
    holds something else is left out, and named in the log.
    """
    found: dict[str, Preset] = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            rows = read_json(path)
            if not isinstance(rows, dict):
                raise FacetError("It holds no presets by name.")
            found.update({name: _preset(name, row) for name, row in rows.items()})
        except (FacetError, OSError) as error:
            LOGGER.warning("Facet: the preset file %s is left out: %s", path.name, error)
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
    amounts = dict.fromkeys(BY_NAME, 0.0)
    for name, strength in parts.items():
        if name not in presets:
            raise FacetError(f"There is no expression {name!r}; take one of {', '.join(presets)}.")
        scaled = {key: value * strength for key, value in presets[name].sliders.items()}
        for key, value in checked(scaled).items():
            amounts[key] += value
    for key, value in checked(extra or {}).items():
        amounts[key] += value
    return {name: BY_NAME[name].within(value) for name, value in amounts.items()}


@dataclass(frozen=True)
class ExpressionRequest:
    """One expression. tag: the expression of a shot's tags, '' when no word is known for it.

    neutral: the face is to show none, so that what it shows already is taken away.
    """

    name: str
    sliders: MappingProxyType[str, float]
    tag: str = ""
    words: str = ""
    neutral: bool = False

    @property
    def phrase(self) -> str:
        """The expression as a model is asked for it: by its tag where that is a known one."""
        return self.tag if self.tag in VOCABULARY["expression"] else self.words


def words_for(remainder: Mapping[str, float]) -> tuple[str, ...]:
    """In words, what a warp could not show of each slider."""
    found = []
    for name, value in remainder.items():
        above, below = WORDS.get(re.sub("_[rl]$", "", name), ("", ""))
        found.append(above if value > 0 else below)
    return tuple(dict.fromkeys(filter(None, found)))


def added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """The sliders of both, added up."""
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}


def requested_expressions(
    lines: str,
    preset: str,
    strength: float,
    sliders: Mapping[str, float],
    presets: Mapping[str, Preset],
) -> tuple[ExpressionRequest, ...]:
    """Those of ``lines``, each with ``sliders`` added; without any, the one of ``preset``.

    lines: names with commas or line breaks between them; ``+`` adds, and ``:0.5`` takes less of
    one. Raises FacetError for a name that there is not, an amount that is no number, and more than
    one use of the same line.
    """
    if not lines.strip(" ,;\n\t"):
        parts = {} if preset == OWN else {preset: strength}
        return (_request(preset if parts else "", parts, sliders, presets),)
    found = {}
    for line in filter(None, (part.strip() for part in re.split(r"[,;\n]", lines))):
        if line in found:
            raise FacetError(f"The expression {line!r} is listed twice; remove one of them.")
        found[line] = _request(line, _parts(line, strength), sliders, presets)
    return tuple(found.values())


def _parts(line: str, strength: float) -> dict[str, float]:
    """``smile:0.5 + wink`` as names and amounts."""
    parts: dict[str, float] = {}
    for part in line.split("+"):
        name, _, amount = part.partition(":")
        try:
            value = float(amount) if amount.strip() else 1.0
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise FacetError(
                f"{amount.strip()!r} in the expression {line!r} is no number; write one such as "
                "smile:0.5."
            )
        parts[name.strip()] = parts.get(name.strip(), 0.0) + value * strength
    return parts


def _request(
    name: str,
    parts: Mapping[str, float],
    sliders: Mapping[str, float],
    presets: Mapping[str, Preset],
) -> ExpressionRequest:
    amounts = blended(parts, sliders, presets)
    chosen = [presets[part] for part in parts]
    return ExpressionRequest(
        name or "own expression",
        MappingProxyType(amounts),
        " and ".join(dict.fromkeys(one.expression for one in chosen)),
        ", ".join(dict.fromkeys(one.words for one in chosen)),
        bool(chosen) and all(one.expression == "neutral" for one in chosen),
    )
