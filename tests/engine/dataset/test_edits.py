"""Captions that a person edits in an exported dataset."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facet.engine.core.character import Character
from facet.engine.dataset.export import Options, export
from facet.engine.dataset.formats import PictureFormat
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load

WRITTEN, EDITED = "zqx person, left profile", "zqx person, left profile, smiling"


def edit(folder: Path, change: Callable[[str], str]) -> None:
    """Has ``change`` made to each caption in ``folder``, whatever the layout."""
    for path in folder.rglob("*.txt"):
        if path.name != "prompts.txt":
            path.write_text(change(path.read_text("utf-8")), "utf-8")
    for path in folder.rglob("metadata.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        rows = [{**row, "text": change(row["text"])} for row in rows]
        path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    for path in folder.rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                text = change(data.decode()).encode() if name.endswith(".txt") else data
                archive.writestr(name, text)


def smiling(caption: str) -> str:
    return EDITED if caption == WRITTEN else caption


def anew(character: Character, caption: str = "zqx person, anew") -> Character:
    return character.captioned({shot.hash: caption for shot in character.pictures})


@pytest.mark.parametrize("layout", Layout)
def test_an_edited_caption_outlives_every_export(character, tmp_path, layout):
    export(character, tmp_path, layout)
    edit(tmp_path, smiling)
    for turn in range(3):
        report = export(anew(character), tmp_path, layout)
        assert len(report.kept_texts) == 1
        assert report.edited == ({character.shots[0].hash: EDITED} if turn == 0 else {})
        back = load(tmp_path).character
        captions = [shot.caption for shot in back.pictures]
        assert captions == ["zqx person, anew", EDITED, "zqx person, anew", "zqx person, anew"]
        assert [shot.by_hand for shot in back.pictures] == [False, True, False, False]


@pytest.mark.parametrize("layout", Layout)
def test_an_edit_is_known_when_it_is_read_back(character, tmp_path, layout):
    export(character, tmp_path, layout)
    edit(tmp_path, smiling)
    back = load(tmp_path).character
    assert [shot.by_hand for shot in back.pictures] == [False, True, False, False]
    assert back.shots[0].caption == EDITED
    assert export(back, tmp_path, layout).kept_texts == []


@pytest.mark.parametrize("layout", [Layout.KOHYA, Layout.ONETRAINER, Layout.ZIP])
def test_an_edit_follows_its_picture_to_another_folder(character, tmp_path, layout):
    export(character, tmp_path, layout)
    edit(tmp_path, smiling)
    first, *others = character.shots
    for change in ({"weight": 3.0}, {"include": False}):
        moved = replace(anew(character), shots=(replace(first, **change), *others))
        moved = moved.captioned({first.hash: "zqx person, anew"})
        report = export(moved, tmp_path, layout)
        assert report.left == [] and len(report.kept_texts) == 1
        (back,) = (s for s in load(tmp_path).character.pictures if s.hash == first.hash)
        assert back.caption == EDITED and back.by_hand
    assert load(tmp_path).report.count("has no image") == 0


def test_what_a_person_wrote_later_goes_over_the_edit(character, tmp_path):
    export(character, tmp_path)
    edit(tmp_path, smiling)
    export(character, tmp_path)
    first = character.shots[0].hash
    newer = character.captioned({first: "zqx person, newer still"}, by_hand=True)
    assert export(newer, tmp_path).kept_texts == []
    assert load(tmp_path).character.shots[0].caption == "zqx person, newer still"


def test_an_edit_is_newer_than_what_was_by_hand_when_it_was_made(character, tmp_path):
    by_hand = character.captioned({character.shots[0].hash: WRITTEN}, by_hand=True)
    export(by_hand, tmp_path)
    edit(tmp_path, smiling)
    for _ in range(2):
        assert len(export(by_hand, tmp_path).kept_texts) == 1
        assert load(tmp_path).character.shots[0].caption == EDITED


def test_white_space_is_no_edit(character, tmp_path):
    export(character, tmp_path)
    edit(tmp_path, lambda caption: f"\ufeff{caption}\r\n")
    assert not any(shot.by_hand for shot in load(tmp_path).character.pictures)
    report = export(anew(character), tmp_path)
    assert report.kept_texts == [] and report.edited == {}


def test_an_edit_keeps_its_very_bytes(character, tmp_path):
    export(character, tmp_path, Layout.FLAT)
    path = tmp_path / f"shot_{character.shots[0].hash[:16]}.txt"
    path.write_bytes("zqx person, in a caf\xe9 ".encode("cp1252"))
    report = export(anew(character), tmp_path, Layout.FLAT)
    assert path.read_bytes() == b"zqx person, in a caf\xe9 "
    assert report.edited == {character.shots[0].hash: "zqx person, in a café"}


@pytest.mark.parametrize("picture", [PictureFormat.PNG, PictureFormat.WEBP, PictureFormat.JPEG])
@pytest.mark.parametrize("finished_before", [False, True])
def test_captions_of_an_export_that_was_cut_off_are_no_edits(
    character, tmp_path, picture, finished_before
):
    def stop(number: int, total: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    options = Options(picture)
    if finished_before:
        export(anew(character, "zqx person, the first"), tmp_path, options=options)
    with pytest.raises(KeyboardInterrupt):
        export(character, tmp_path, on_picture=stop, options=options)
    report = export(anew(character), tmp_path, options=options)
    assert report.kept_texts == [] and report.edited == {}
    back = load(tmp_path).character
    assert {shot.caption for shot in back.pictures} == {"zqx person, anew"}


def test_a_shot_that_has_no_caption_any_more_has_no_text(character, tmp_path):
    export(character, tmp_path)
    export(anew(character, ""), tmp_path)
    assert not list(tmp_path.rglob("*.txt"))
    assert {shot.caption for shot in load(tmp_path).character.pictures} == {""}


def test_a_config_that_a_person_changed_stays(character, tmp_path):
    export(character, tmp_path)
    command = tmp_path / "train.sh"
    command.write_text("my own command", "utf-8")
    report = export(anew(character), tmp_path)
    assert report.kept_texts == ["train.sh"]
    assert command.read_text("utf-8") == "my own command"
    assert export(anew(character), tmp_path).kept_texts == ["train.sh"]


@pytest.mark.parametrize("layout", Layout)
def test_an_edit_outlives_its_shot(character, tmp_path, layout):
    export(character, tmp_path, layout)
    edit(tmp_path, smiling)
    first, *others = character.shots
    report = export(replace(character, shots=tuple(others)), tmp_path, layout)
    assert report.edited == {first.hash: EDITED}


def test_a_dataset_of_an_earlier_version_is_gone_on_with(character, tmp_path):
    export(character, tmp_path)
    path = tmp_path / "facet.json"
    manifest = json.loads(path.read_text("utf-8"))
    del manifest["files"]
    for entry in manifest["pictures"]:
        for key in ("format", "quality", "workflow", "edited_caption"):
            del entry[key]
    path.write_text(json.dumps(manifest), "utf-8")
    edit(tmp_path, smiling)
    fewer = replace(character, shots=character.shots[:2])
    report = export(anew(fewer), tmp_path)
    assert len(report.kept_texts) == 1 and len(report.removed) == 2 and report.left == []
    assert not any(name.endswith(".png") for name in report.written if "excluded" in name)
