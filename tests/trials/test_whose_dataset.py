"""An export writes over nothing that is another character's, or a person's own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.export import Options, export
from facet.engine.dataset.layouts import MANIFEST, Layout, archive_name
from facet.engine.dataset.load import load
from facet.engine.families.table import family

MINE = b"written by a person\n"


def character(number: int, name: str = "My character", trigger: str = "zqx") -> Character:
    def shot(value: int, source: str = "generated") -> Shot:
        image = torch.full((8, 8, 3), value / 255)
        return Shot(image, Provenance(source), caption=f"{trigger} person, {value}")  # type: ignore[arg-type]

    shots = tuple(shot(100 * number + n) for n in range(1, 4))
    return Character(name, trigger, "person", shot(100 * number, "original"), shots)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("names", [("My character", "My character"), ("Mr. X", "Mr X")])
def test_two_characters_in_one_folder_both_stay(
    tmp_path: Path, layout: Layout, names: tuple[str, str]
) -> None:
    folder = tmp_path / "dataset"
    first, second = character(1, names[0]), character(2, names[1])
    export(first, folder, layout)
    before = contents(folder)
    done = export(second, folder, layout)
    assert contents(folder) == before
    assert done.folder == tmp_path / "dataset_2" and "dataset_2" in done.summary
    assert not done.removed and not done.edited
    # And each comes back to its own, whoever was first.
    assert export(first, folder, layout).folder == folder
    assert export(second, folder, layout).folder == done.folder
    for who, where in ((first, folder), (second, done.folder)):
        assert {shot.hash for shot in load(where).character.pictures} == {
            shot.hash for shot in who.pictures
        }


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("again", [False, True])
def test_the_files_of_a_person_stay(tmp_path: Path, layout: Layout, again: bool) -> None:
    """Whatever an export would write by a name that it does not make of a picture."""
    who, options = character(1), Options(family=family("sdxl"))
    trial = export(who, tmp_path / "trial", layout, options=options)
    named = {
        name
        for name in contents(trial.folder)
        if not any(shot.hash[:16] in name for shot in who.pictures)
    }
    folder = tmp_path / "dataset"
    if again:
        export(who, folder, layout, options=options)
    for name in named - ({MANIFEST} if again else set()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MINE)
    done = export(who, folder, layout, options=options)
    kept = {name for name, data in contents(folder).items() if data == MINE}
    written = {archive_name(who)} if again and layout is Layout.ZIP else set()
    if layout is Layout.METADATA and done.folder == folder:
        written = {"train/metadata.jsonl"}  # read, and its rows kept, as a trainer would
    assert kept == named - written - ({MANIFEST} if again else set())
    assert load(done.folder).character.hash == who.hash


@pytest.mark.parametrize(
    "text",
    [b"{}", b"[1]", b"not json", b'{"pictures": [1]}', b"[" * 100_000],
    ids=["empty", "list", "no JSON", "no records", "deep"],
)
def test_a_manifest_that_is_none_of_ours_stays(tmp_path: Path, text: bytes) -> None:
    folder = tmp_path / "dataset"
    folder.mkdir()
    (folder / MANIFEST).write_bytes(text)
    done = export(character(1), folder, Layout.FLAT)
    assert contents(folder) == {MANIFEST: text}
    assert done.folder == tmp_path / "dataset_2"


def test_an_archive_that_was_cut_off_from_its_manifest_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    export(character(1), folder, Layout.ZIP)
    (folder / MANIFEST).unlink()
    assert export(character(1), folder, Layout.ZIP).folder == folder


@pytest.mark.parametrize("mixed", [False, True], ids=["their own", "ours and one more"])
def test_a_zip_with_files_of_a_person_stays(tmp_path: Path, mixed: bool) -> None:
    who, folder = character(1), tmp_path / "dataset"
    export(who, folder, Layout.ZIP)
    archive = folder / archive_name(who)
    with zipfile.ZipFile(archive, "a" if mixed else "w") as opened:
        opened.writestr("holiday.txt", MINE)
    before = contents(folder)
    done = export(who, folder, Layout.ZIP)
    assert done.folder == tmp_path / "dataset_2" and "dataset_2" in done.summary
    assert contents(folder) == before


def test_what_systems_leave_in_a_zip_makes_it_nobody_elses(tmp_path: Path) -> None:
    who, folder = character(1), tmp_path / "dataset"
    export(who, folder, Layout.ZIP)
    with zipfile.ZipFile(folder / archive_name(who), "a") as opened:
        opened.writestr("__MACOSX/._original.png", b"")
    assert export(who, folder, Layout.ZIP).folder == folder
