import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, where pytest brings it along
    import tomli as tomllib

from facet.engine.core.character import Character, shot_record
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load


def listing(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("layout", Layout)
def test_what_is_exported_comes_back_bit_for_bit(character, tmp_path, layout):
    export(character, tmp_path, layout)
    back = load(tmp_path).character
    assert (back.name, back.trigger, back.class_word) == ("Ada Löve/..", "zqx", "person")
    assert back.hash == character.hash
    for one, other in zip(back.pictures, character.pictures, strict=True):
        assert one.image.equal(other.image)
        assert shot_record(one) == shot_record(other)
        assert (one.mask is None) == (other.mask is None)
        if one.mask is not None:
            assert (one.mask - other.mask).abs().max() <= 1 / 65535


def test_kohya_folders_carry_repeats_trigger_and_class(character, tmp_path):
    export(character, tmp_path, Layout.KOHYA, repeats=10)
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders == {"10_zqx person", "20_zqx person", "masks", "excluded"}
    texts = [path.read_text("utf-8") for path in tmp_path.glob("10_zqx person/*.txt")]
    assert sorted(texts) == ["zqx person, front view, in a café", "zqx person, left profile"]


def test_kohyas_dataset_file_says_where_and_how_often(character, tmp_path):
    folder = tmp_path / 'a "café"'
    export(character, folder, Layout.KOHYA, repeats=10)
    read = tomllib.loads((folder / "dataset.toml").read_text("utf-8"))
    [dataset] = read["datasets"]
    assert dataset["resolution"] == 64 and dataset["enable_bucket"] is True
    found = {subset["image_dir"]: subset["num_repeats"] for subset in dataset["subsets"]}
    assert found == {f"{repeats}_zqx person": repeats for repeats in (10, 20)}
    assert {subset["class_tokens"] for subset in dataset["subsets"]} == {"zqx person"}
    assert read["general"]["caption_extension"] == ".txt"


def test_companions_come_back_too(character, tmp_path):
    export(replace(character, companions=("zqb dog",)), tmp_path)
    assert load(tmp_path).character.triggers == ("zqx", "zqb")


def test_metadata_lists_each_included_picture_once(character, tmp_path):
    export(character, tmp_path, Layout.METADATA)
    rows = (tmp_path / "train" / "metadata.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(row) for row in rows]
    assert [row["text"] for row in rows] == [shot.caption for shot in character.dataset]
    assert all((tmp_path / "train" / row["file_name"]).is_file() for row in rows)


def test_each_png_says_where_it_came_from(character, tmp_path):
    export(character, tmp_path, Layout.FLAT)
    shot = character.shots[0]
    with Image.open(tmp_path / f"shot_{shot.hash[:16]}.png") as opened:
        assert json.loads(opened.info["facet"]) == shot_record(shot)


def test_a_second_export_touches_nothing(character, tmp_path):
    export(character, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    assert export(character, tmp_path).written == []
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}


def test_a_shot_that_leaves_the_dataset_leaves_the_training_folder(character, tmp_path):
    export(character, tmp_path, Layout.FLAT)
    without = replace(
        character, shots=(replace(character.shots[0], include=False), *character.shots[2:])
    )
    export(without, tmp_path, Layout.FLAT)
    assert len(list(tmp_path.glob("*.png"))) == 1
    assert len(list(tmp_path.glob("*.txt"))) == 1
    assert load(tmp_path).character.hash == without.hash


def test_an_export_that_was_cut_off_is_finished_by_the_next(character, tmp_path):
    def stop(number: int, total: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(character, tmp_path, on_picture=stop)
    assert "facet.json" not in listing(tmp_path)
    export(character, tmp_path)
    assert load(tmp_path).character.hash == character.hash


def test_two_layouts_do_not_share_a_folder(character, tmp_path):
    export(character, tmp_path, Layout.KOHYA)
    with pytest.raises(ValueError, match="another folder name"):
        export(character, tmp_path, Layout.FLAT)


def test_a_class_word_cannot_leave_the_folder(character, tmp_path):
    sly = replace(character, class_word="../../x")
    export(sly, tmp_path / "in")
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


def test_a_character_without_included_pictures_is_refused(character: Character, tmp_path):
    nobody = replace(character, source=replace(character.source, include=False), shots=())
    with pytest.raises(ValueError, match="include one"):
        export(nobody, tmp_path)
