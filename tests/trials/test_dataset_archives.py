"""Zips and folders one level off: damaged members, a folder zipped by hand, the folder above."""

import json
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from trials.conftest import encoded, picture

from facet.engine.core.character import Character, Provenance, Shot, shot_record
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.dataset.naming import Names
from facet.engine.dataset.tree import Faults, Tree

KINDS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def ann() -> Character:
    def shot(seed: int, **values: object) -> Shot:
        image = torch.rand(24, 16, 3, generator=torch.Generator().manual_seed(seed))
        return Shot(image, Provenance("imported"), caption=f"zqx woman, {seed}", **values)

    mask = torch.zeros(24, 16)
    mask[4:] = 1
    shots = (shot(1, mask=mask), shot(2, weight=2.0), shot(3, include=False))
    return Character("Mine", "zqx", "woman", shot(0), shots, ("zqb dog",))


def equal(one: Character, other: Character) -> bool:
    same = (one.name, one.trigger, one.class_word, one.companions) == (
        other.name, other.trigger, other.class_word, other.companions,
    )  # fmt: skip
    told = [[shot_record(shot) for shot in who.pictures] for who in (one, other)]
    return same and told[0] == told[1]


def damaged(path: Path, kind: int, name: str, data: bytes, good: str = "good.png") -> None:
    """A zip of a good picture and of ``name``, in whose stream some bytes are others."""
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr(good, encoded(picture(1)))
        archive.writestr(name, data)
        start = archive.getinfo(name).header_offset
        length = archive.getinfo(name).compress_size
    whole = bytearray(path.read_bytes())
    middle = start + 30 + len(name) + length // 2
    whole[middle : middle + 6] = bytes(255 - one for one in whole[middle : middle + 6])
    path.write_bytes(whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["bad.bmp", "good.txt", "metadata.jsonl", "facet.json"])
def test_a_damaged_member_is_named_and_the_rest_is_read(tmp_path, kind, name):
    path = tmp_path / "photos.zip"
    rows = "\n".join(json.dumps({"file_name": f"{n}.png", "text": "zqx"}) for n in range(500))
    damaged(
        path, kind, name, encoded(picture(2, 90, 90), "BMP") if "bmp" in name else rows.encode()
    )
    loaded = load(path, Names(trigger="zqx"))
    assert len(loaded.character.pictures) == 1 and f"! {name}: " in loaded.report


def test_a_damaged_zip_of_ours_is_written_anew(tmp_path):
    character = ann()
    export(character, tmp_path, Layout.ZIP)
    [path] = tmp_path.glob("*.zip")
    original, shot = (one.hash[:16] for one in character.pictures[:2])
    for kind in KINDS:
        text = f"original_{original}.txt"
        damaged(path, kind, text, b"zqx woman " * 90, f"shot_{shot}.png")
        export(character, tmp_path, Layout.ZIP)
        assert equal(load(tmp_path).character, character)


def zipped(folder: Path, top: str) -> Path:
    path = folder.parent / "by hand.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/._x", b"x")
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, Path(top, file.relative_to(folder)))
    return path


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("top", ["", "flat", "My character/dataset/flat"])
def test_an_exported_folder_zipped_by_hand_comes_back_whole(tmp_path, layout, top):
    character = ann()
    export(character, tmp_path / "out", layout)
    loaded = load(zipped(tmp_path / "out", top))
    assert equal(loaded.character, character)
    assert not top or f"{top}: is the folder with the dataset, and was read" in loaded.report


@pytest.mark.parametrize("layout", Layout)
def test_the_folder_above_a_dataset_is_looked_through(tmp_path, layout):
    character = ann()
    export(character, tmp_path / "Ann" / "dataset" / layout.value, layout)
    for where in (tmp_path / "Ann" / "dataset", tmp_path / "Ann"):
        assert equal(load(where).character, character)


def test_what_facet_keeps_beside_the_datasets_is_no_part_of_them(tmp_path):
    character, place = ann(), tmp_path / "Ann"
    export(character, place / "dataset" / "kohya")
    for name, beside in {
        f"gallery/{'a' * 32}.webp": f"gallery/{'b' * 24}.json",
        "training/run/samples/step.png": "training/run/run.json",
        f"report/pictures/{'c' * 24}.png": "report/score.json",
        f"shots/{'d' * 24}.png": f"shots/{'d' * 24}.json",
        "library/pictures/e.png": "library/v1/character.json",
    }.items():
        for file in (name, beside):
            (place / file).parent.mkdir(parents=True, exist_ok=True)
        picture(len(name)).save(place / name)
        (place / beside).write_text("{}")
    loaded = load(place)
    assert equal(loaded.character, character)
    for folder in ("gallery", "training", "report", "shots", "library"):
        assert f"! {folder}: holds what Facet made beside the datasets" in loaded.report


def test_a_strangers_folder_of_such_a_name_is_read(tmp_path):
    for name in ("gallery/a.png", "training/b.png", "shots/c.png", "report/d.png"):
        (tmp_path / name).parent.mkdir()
        picture(len(name)).save(tmp_path / name)
    assert len(load(tmp_path, Names(trigger="zqx")).character.pictures) == 4


def test_of_several_datasets_one_has_to_be_chosen(tmp_path):
    for layout in (Layout.FLAT, Layout.KOHYA):
        export(ann(), tmp_path / layout.value, layout)
    with pytest.raises(ValueError, match=r"holds 2 datasets \(flat, kohya\); give the folder"):
        load(tmp_path)


def test_pictures_around_a_dataset_of_ours_are_read_and_that_is_said(tmp_path):
    export(ann(), tmp_path / "old", Layout.FLAT)
    picture(1).save(tmp_path / "new.png")
    loaded = load(tmp_path, Names(trigger="zqx"))
    assert len(loaded.character.pictures) == 5
    assert "old/facet.json: was not used" in loaded.report


def test_a_file_is_only_begun_when_it_is_not_too_large(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", encoded(Image.new("RGB", (8, 8))))
        archive.writestr("facet.json", b"[" * (41 << 20))
    loaded = load(tmp_path / "a.zip", Names(trigger="zqx"))
    assert "facet.json: larger than 32 MiB" in loaded.report
    with Tree(tmp_path / "a.zip", Faults()) as tree, pytest.raises(OSError, match="1 KiB"):
        tree.read("facet.json", 1 << 10)
