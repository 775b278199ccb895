"""The vocabulary, the words of each language, and that no list of them stands anywhere else."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from facet.engine.captions import cleaning
from facet.engine.captions.cleaning import cleaned
from facet.engine.captions.policy import CaptionPolicy
from facet.engine.captions.words import language
from facet.engine.core import words
from facet.engine.core.character import Character, Provenance, Shot, Tags, known_fields
from facet.engine.core.vocabulary import AXES, HIDES, VIEW_YAW, VOCABULARY
from facet.engine.core.words import (
    CUT,
    ENGLISH,
    FIND,
    OPPOSE,
    languages,
    subjects,
    table,
    values_for,
    words_for,
)
from facet.engine.dataset.lint import words as lint_words
from facet.engine.dataset.lint.words import identity_spans
from facet.engine.families.family import Form
from facet.engine.generate.character_shot import conflicts

READERS = {FIND, CUT, OPPOSE}


def test_each_view_has_a_yaw_and_what_hides_is_a_value():
    assert set(VIEW_YAW) == set(VOCABULARY["view"])
    for (axis, value), hidden in HIDES.items():
        assert value in VOCABULARY[axis] and hidden in VOCABULARY


def test_a_back_view_hides_the_expression_and_a_close_up_the_pose():
    assert Tags().visible_axes() == AXES
    assert set(AXES) - set(Tags(view="back").visible_axes()) == {"expression"}
    assert set(AXES) - set(Tags("close_up", "back").visible_axes()) == {"expression", "pose"}
    tags = Tags("close_up", "back", "smile", "waving", "a red coat", details=("a bag",))
    assert tags.phrases() == ["close-up", "back view", "wearing a red coat", "a bag"]
    assert tags.phrases({"view", "outfit"}) == ["close-up", "a bag"]
    assert tags.visible() == Tags("close_up", "back", outfit="a red coat", details=("a bag",))


def test_only_known_fields_are_taken_from_a_record():
    assert known_fields(Tags, {"view": "front", "hat": "red"}) == {"view": "front"}


def entries(known: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every list of words about identity in a language, by readers, and where it stands."""
    for subject, entry in subjects(known).items():
        for kind, one in entry.items():
            yield f"{subject} {kind}", one
    if "alone" in known["identity"]:
        yield "alone", known["identity"]["alone"]


@pytest.mark.parametrize("code", languages())
def test_a_word_stands_once_under_readers_that_exist(code):
    for where, entry in entries(table(code)):
        assert all(set(readers.split()) <= READERS for readers in entry), where
        flat = [
            word
            for known in entry.values()
            for said in (known.values() if isinstance(known, dict) else [known])
            for word in said
        ]
        assert len(flat) == len(set(flat)), (where, sorted(w for w in flat if flat.count(w) > 1))
        opposed = values_for(OPPOSE, entry)
        assert where.endswith("nouns") or "" not in opposed.values(), where


def test_the_three_readers_differ_on_purpose():
    hair = table(ENGLISH)["identity"]["hair"]["nouns"]
    assert "bangs" in words_for(CUT, hair) and "bangs" not in words_for(OPPOSE, hair)
    # The finder wants an adjective beside the noun, the cleaner cuts at the noun alone.
    assert identity_spans("hair in the wind") == []
    assert cleaned("a red coat, hair in the wind", "outfit") == "a red coat"


@cache
def groups() -> dict[str, set[str]]:
    """Lists of words that stand in the tables, by where."""
    found: dict[str, set[str]] = {}
    for code in languages():
        known = table(code)
        for where, entry in entries(known):
            for reader in READERS:
                found[f"{code} {where} for {reader}"] = set(words_for(reader, entry))
        for kind, said in known["small_words"].items():
            found[f"{code} {kind}"] = set(said)
    for axis, values in table(ENGLISH)["synonyms"].items():
        for value, entry in values.items():
            for reader in ("answer", "prompt"):
                found[f"synonyms of {axis} {value}"] = set(words_for(reader, entry))
    for reader in ("read", "score"):
        found[f"garments to {reader}"] = set(words_for(reader, table(ENGLISH)["garments"]))
    for axis, values in VOCABULARY.items():
        found[f"the phrases of {axis}"] = set(values.values())
    return {where: said for where, said in found.items() if len(said) >= FEWEST}


def lists_in(path: Path) -> Iterator[list[str]]:
    """The lists of texts in a JSON or Python file; of a dict its values."""
    if path.suffix == ".json":
        stack = [json.loads(path.read_text("utf-8"))]
        while stack:
            one = stack.pop()
            inner = list(one.values()) if isinstance(one, dict) else one
            if isinstance(inner, list):
                stack += inner
                yield [text for text in inner if isinstance(text, str)]
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        inner = getattr(node, "values" if isinstance(node, ast.Dict) else "elts", ())
        yield [one.value for one in inner if isinstance(one, ast.Constant)
               and isinstance(one.value, str)]  # fmt: skip


ALLOWED = {
    "engine/core/vocabulary.py": "the vocabulary itself",
    "engine/captions/tags.json": "the values as tags, which are English words too",
}
FOLDERS = ("engine/core/words", "engine/families/words")
"""The tables, and prompts in the words of each family, which say some values as captions do."""
SHARE = 0.7


FEWEST = 4
"""Fewer words than these may meet by chance."""


def restated(path: Path) -> list[str]:
    """The groups of words that ``path`` states again."""
    return [
        where
        for said in map(set, lists_in(path))
        if len(said) >= FEWEST
        for where, group in groups().items()
        if len(group & said) >= max(FEWEST, SHARE * len(group))
    ]


def test_no_list_of_words_stands_again_outside_the_tables(root: Path):
    found = []
    for path in sorted(one for area in ("engine", "nodes") for one in (root / area).rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix in (".py", ".json") and not name.startswith(FOLDERS) and name not in ALLOWED:
            found += [f"{name} states {where} again" for where in restated(path)]
    assert found == [], "read it from engine/core/words or engine/core/vocabulary"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mine.py", 'HAIR = ("hair", "haired", "ponytail", "pigtails", "braid", "braids", "bangs",'
         ' "bob", "bun", "mohawk", "curls", "locks", "ponytails", "twintails")'),
        ("mine.json", '{"faces": {"a": "smiling", "b": "surprised", "c": "sad", "d": "angry",'
         ' "e": "serious expression"}}'),
        ("mine.json", '["skirt", "dress", "shirt", "coat", "jacket", "suit", "hoodie", "sweater",'
         ' "jeans", "pullover", "t-shirt", "uniform", "top", "blouse", "gown", "robe", "kimono"]'),
    ],
)  # fmt: skip
def test_a_list_that_is_stated_again_is_seen(tmp_path, name, text):
    (tmp_path / name).write_text(text, "utf-8")
    assert restated(tmp_path / name)


def test_what_hides_an_axis_is_said_once(root: Path):
    rule = [{value, hidden} for (_, value), hidden in HIDES.items()]
    found = []
    for path in sorted(one for area in ("engine", "nodes") for one in (root / area).rglob("*.py")):
        if path.name == "vocabulary.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.If | ast.IfExp | ast.BoolOp):
                continue
            said = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)
                    and isinstance(one.value, str)}  # fmt: skip
            if any(pair <= said for pair in rule):
                found.append(f"{path.relative_to(root)}:{node.lineno}")
    assert found == [], "ask Tags.visible_axes()"


# docs/adding-a-language.md, tried.


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A language that was added: the Italian table, said backwards."""
    for path in words.FOLDER.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    captions = table("it")["captions"]
    captions["words"] = {
        axis: {value: said[::-1] for value, said in values.items()}
        for axis, values in captions["words"].items()
    }
    new = {"title": "Onailati", "english": "Backwards", "captions": captions}
    new["identity"] = {"adjectives": "before", "hair": {"nouns": {"find cut": ["ilepac"]},
                       "words": {"find": ["issor"]}}}  # fmt: skip
    (tmp_path / "xx.json").write_text(json.dumps(new), "utf-8")
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    caches = [one for module in (cleaning, lint_words, conflicts) for one in vars(module).values()
              if hasattr(one, "cache_clear")]  # fmt: skip
    for one in caches:
        one.cache_clear()
    yield "xx"
    for one in caches:
        one.cache_clear()


def test_a_language_that_is_added_is_written_found_and_cut(added):
    assert languages() == ["en", "de", "es", "fr", "it", "ja", "pt-BR", "xx", "zh"]
    assert language(added).english == "Backwards"
    shot = Shot(torch.zeros(8, 8, 3), Provenance("original"), tags=Tags("close_up", "front"))
    who = Character("Ada", "zqx", "person", shot)
    said = [
        CaptionPolicy(form=form, language=added).caption(who, shot)
        for form in (Form.PHRASES, Form.SENTENCES)
    ]
    assert said[0] == "zqx person, onaip omirp, elatnorf atsiv"
    assert said[1].startswith("Primo piano di zqx person")
    text = "zqx person, issor ilepac"
    assert [text[start:end] for start, end in identity_spans(text)] == ["issor ilepac"]
    assert cleaned("un cappotto, ilepac", "outfit", language=added) == "un cappotto"
    assert conflicts.features("long hair") == {"hair length": {"long hair"}}


@pytest.mark.parametrize(("code", "form"), product(languages(), (Form.PHRASES, Form.SENTENCES)))
def test_every_language_says_every_value(code, form):
    said = language(code)
    for axis, values in VOCABULARY.items():
        assert all(said.said(axis, value, form) for value in values)
