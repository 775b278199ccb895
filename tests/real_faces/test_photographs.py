"""The photographs are there, and what is said of them can be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facet.engine.core.vocabulary import VOCABULARY
from facet.launcher.packages import packages
from facet.real_faces.models import RealFaces
from facet.real_faces.photographs import photographs

ROOT = Path(__file__).resolve().parents[2]


def test_every_photograph_is_taken_out_of_its_package(real_faces: RealFaces) -> None:
    for one in real_faces.photographs.values():
        height, width, channels = one.image.shape
        assert channels == 3 and min(height, width) > 100, one.name
        for face in one.faces:
            left, top, right, bottom = face.box
            assert 0 <= left < right <= width and 0 <= top < bottom <= height, one.name


@pytest.mark.parametrize("axis", ["framing", "expression"])
def test_labels_are_words_of_the_vocabulary(axis: str) -> None:
    said = {getattr(one, axis) for one in photographs().values()} - {""}
    assert said <= VOCABULARY[axis].keys()


def test_views_are_words_of_the_vocabulary() -> None:
    said = {face.view for one in photographs().values() for face in one.faces} - {""}
    assert said <= VOCABULARY["view"].keys()
    assert {"front", "profile_left"} <= said


def test_what_is_another_one_again_names_it() -> None:
    everything = photographs()
    for one in everything.values():
        assert not one.again or not everything[one.again].again, one.name
    portraits = [one for one in everything.values() if one.portrait]
    assert len(portraits) >= 20 and all(one.who for one in portraits)


def test_every_photograph_names_a_package_of_the_table() -> None:
    known = {package.name: package.photographs for package in packages()}
    for one in photographs().values():
        assert known[one.package], one.name
    assert {one.package for one in photographs().values()} == {
        name for name, folder in known.items() if folder
    }


def test_the_document_says_what_is_taken_of_which_package() -> None:
    text = (ROOT / "docs" / "test-packages.md").read_text("utf-8")
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in text.splitlines()
        if re.match(r"\| [`@\w]", line) and "---" not in line
    ]
    assert rows[1:] == [
        (f"`{one.name}` ({one.registry})", one.version, one.what, one.licence, one.origin)
        for one in packages()
    ]
