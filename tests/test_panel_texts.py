"""The texts of the panels in the page: whole in every language, and one for every name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from facet.engine.core.character import VOCABULARY
from facet.engine.dataset.lint.finding import SET_KINDS, SHOT_KINDS
from facet.engine.generate.expression.presets import PRESETS
from facet.engine.generate.expression.table import BY_NAME, HAND_PLACED

LANGUAGES = ("en", "it", "pt-BR", "zh")
PANELS = {
    "common": ("shots", "curator"),
    "curator": ("curator",),
    "expression": ("expression",),
    "scoring": ("scorer",),
    "shots": ("shots", "coverage"),
    "training": ("training",),
}
"""The sections of texts that the modules in each folder of js/ use."""
FILLED_IN = re.compile(r"\{\w+\}")


def told(root: Path, language: str) -> dict[str, str]:
    """The panels' texts of a language by their path, such as 'curator.kinds.blurred'."""
    main = json.loads((root / "locales" / language / "main.json").read_text("utf-8"))
    return flattened(main["facet"])


def flattened(tree: dict[str, object], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        more = flattened(value, f"{path}{key}.") if isinstance(value, dict) else {path + key: value}
        found |= {name: str(text) for name, text in more.items()}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(root: Path, language: str) -> None:
    english, texts = told(root, "en"), told(root, language)
    assert texts.keys() == english.keys()
    for name, text in texts.items():
        assert text and text == text.strip(), name
        assert set(FILLED_IN.findall(text)) == set(FILLED_IN.findall(english[name])), name


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_sentences_are_translated(root: Path, language: str) -> None:
    english, texts = told(root, "en"), told(root, language)
    sentences = {name for name, text in english.items() if text.count(" ") > 1}
    assert {name for name in sentences if texts[name] == english[name]} == set()


def test_every_text_that_a_panel_asks_for_is_there(root: Path) -> None:
    texts = told(root, "en")
    assert {folder.name for folder in (root / "js").iterdir() if folder.is_dir()} == {
        *PANELS,
        "docs",
    }
    for folder, panels in PANELS.items():
        for path in sorted((root / "js" / folder).glob("*.mjs")):
            for name in re.findall(r'\bwords\("([\w.]+)"', path.read_text("utf-8")):
                assert any(f"{panel}.{name}" in texts for panel in panels), f"{path.name}: {name}"


def test_what_the_engine_names_has_a_text(root: Path) -> None:
    named = {f"tags.{axis}" for axis in VOCABULARY}
    for axis, values in VOCABULARY.items():
        for value in values:
            named.add(f"tags.lighting_{value}" if axis == "lighting" else f"tags.{value}")
    named |= {f"expression.sliders.{re.sub('_[rl]$', '', name)}" for name in BY_NAME}
    named |= {f"expression.presets.{name}" for name in PRESETS}
    named |= {f"expression.points.{one.point}" for one in HAND_PLACED}
    assert named - told(root, "en").keys() == set()


def test_every_kind_of_finding_and_no_other_has_a_name(root: Path) -> None:
    kinds = {name for name in told(root, "en") if name.startswith("curator.kinds.")}
    assert kinds == {f"curator.kinds.{kind}" for kind in (*SHOT_KINDS, *SET_KINDS)}
