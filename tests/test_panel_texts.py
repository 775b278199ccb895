"""The texts of the panels in the page, which stand in js/ because the page draws them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LANGUAGE = re.compile(r'^  "?([\w-]+)"?: \{\n(.*?)^  \},$', re.MULTILINE | re.DOTALL)
TEXT = re.compile(r'^    (\w+): "(.*)",$', re.MULTILINE)
FILES = (
    "training/texts.mjs",
    "shots/texts.mjs",
    "shots/tags.mjs",
    "expression/texts.mjs",
    "expression/names.mjs",
    "identity/texts.mjs",
    "curator/texts.mjs",
    "curator/kinds.mjs",
)
FILLED_IN = re.compile(r"\{\w+\}")


@pytest.mark.parametrize("file", FILES)
def test_every_language_says_everything(root: Path, file: str) -> None:
    source = (root / "js" / file).read_text("utf-8")
    told = {language: dict(TEXT.findall(block)) for language, block in LANGUAGE.findall(source)}
    assert told.keys() == {folder.name for folder in (root / "locales").iterdir()}
    for language, texts in told.items():
        assert texts.keys() == told["en"].keys(), language
        for name, text in texts.items():
            english = told["en"][name]
            assert text, f"{language}: {name}"
            assert set(FILLED_IN.findall(text)) == set(FILLED_IN.findall(english)), name


def test_no_file_of_texts_is_left_out(root: Path) -> None:
    found = {
        path.relative_to(root / "js").as_posix()
        for path in (root / "js").rglob("*.mjs")
        if LANGUAGE.search(path.read_text("utf-8"))
    }
    assert found == set(FILES)
