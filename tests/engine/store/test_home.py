"""A character has the folder of the picture that it began with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.core.errors import FacetError
from facet.engine.store import home
from facet.engine.store.home import FILE, Home, _claim, _owner, home_of


def shot(number: int) -> Shot:
    return Shot(torch.full((2, 2, 3), number / 255), Provenance("original"))


def character(number: int, name: str = "My character") -> Character:
    return Character(name, "zqx", "person", shot(number))


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My character", "My character"),
        ("Mr. X", "Mr X"),
        ("Ada", "ada"),
        ("x" * 70, "x" * 65),
        ("Zoë", "Zoë"),
    ],
)
def test_two_pictures_have_two_folders_whatever_the_names(
    tmp_path: Path, one: str, other: str
) -> None:
    first, second = (home_of(tmp_path, character(n, name)) for n, name in ((1, one), (2, other)))
    assert first.folder != second.folder
    assert first.folder.name.casefold() != second.folder.name.casefold()
    assert first.note == "" and character(2, other).folder_name in second.note
    assert second.folder.name in second.note
    # Whoever comes again finds its own, in any order.
    assert home_of(tmp_path, character(2, other)).folder == second.folder
    assert home_of(tmp_path, character(1, one)).folder == first.folder


def test_a_character_keeps_its_folder_with_other_words_and_shots(tmp_path: Path) -> None:
    home_of(tmp_path, character(1))
    second = home_of(tmp_path, character(2))
    grown = replace(character(2), trigger="other", class_word="robot", shots=(shot(7),))
    assert home_of(tmp_path, grown) == second


def test_a_character_keeps_its_folder_when_another_one_comes_first(tmp_path: Path) -> None:
    """Loose files have no original but the first of them."""
    first = home_of(tmp_path, character(1))
    assert home_of(tmp_path, replace(character(5), shots=(shot(1),))) == first


def test_a_character_keeps_its_folder_when_an_earlier_one_is_deleted(tmp_path: Path) -> None:
    first, second = home_of(tmp_path, character(1)), home_of(tmp_path, character(2))
    (first.folder / FILE).unlink()
    first.folder.rmdir()
    assert home_of(tmp_path, character(2)) == second


def test_a_look_writes_nothing(tmp_path: Path) -> None:
    assert home_of(tmp_path, character(1), claim=False).folder == tmp_path / "My_character"
    assert not files(tmp_path)
    home_of(tmp_path, character(1))
    assert home_of(tmp_path, character(2), claim=False).folder == tmp_path / "My_character_2"
    assert files(tmp_path) == {f"My_character/{FILE}"}


def test_two_at_once_have_two_folders(tmp_path: Path) -> None:
    """Whoever comes second finds the file there, after a look that did not."""
    claimed: list[Home] = []

    def other_first(folder: Path) -> str:
        if not claimed:
            claimed.append(Home(folder))
            assert _claim(folder, character(1))
            return ""
        return _owner(folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(home, "_owner", other_first)
        second = home_of(tmp_path, character(2))
    assert second.folder == tmp_path / "My_character_2"
    assert home_of(tmp_path, character(1)).folder == claimed[0].folder


def test_what_is_no_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "My_character").write_text("mine")
    assert home_of(tmp_path, character(1)).folder == tmp_path / "My_character_2"
    assert (tmp_path / "My_character").read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", "{}", '{"original": 3}', "[" * 100_000, '{"original": 1e999}']
)
def test_a_folder_that_does_not_say_whose_it_is_is_not_touched(tmp_path: Path, text: str) -> None:
    (tmp_path / "My_character").mkdir()
    (tmp_path / "My_character" / FILE).write_text(text)
    with pytest.raises(FacetError, match=r"character\.json"):
        home_of(tmp_path, character(1))
    assert files(tmp_path) == {f"My_character/{FILE}"}


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "facet"
    outside.mkdir()
    root.mkdir()
    (root / "My_character").symlink_to(outside)
    with pytest.raises(FacetError, match="outside"):
        home_of(root, character(1))
    assert not files(outside)


def test_the_file_says_who_it_is(tmp_path: Path) -> None:
    home = home_of(tmp_path, character(1, "Ada \ud83d"))
    record = json.loads((home.folder / FILE).read_text("utf-8"))
    assert record["original"] == shot(1).hash and record["trigger"] == "zqx"


def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "facet").write_text("no folder")
    with pytest.raises(FacetError, match=r"Nothing can be written to .*; free space"):
        home_of(tmp_path / "facet", character(1))
