import json
import shutil
from pathlib import Path

import folder_paths
import pytest
import torch
from PIL import Image

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.store.captions_by_hand import FILE, captions_by_hand
from facet.nodes.dataset.files import FacetDatasetExporter, FacetDatasetLoader
from harness.prompts import node


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    for name in ("output", "input"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))


@pytest.fixture
def character() -> Character:
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(16, 16, 3, generator=generator) for _ in range(3)]
    shots = [Shot(picture, Provenance("generated"), caption="zqx person") for picture in pictures]
    return Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))


def test_a_dataset_goes_out_and_comes_back(character, tmp_path):
    exported = FacetDatasetExporter.execute(character, "kohya", "", 10)
    (path,) = exported.args
    assert Path(path) == tmp_path / "output" / "facet" / "Ada" / "dataset" / "kohya"
    assert "never written over" in exported.ui.as_dict()["text"][0]
    for folder in (path, "facet/Ada/dataset/kohya"):
        back, report = FacetDatasetLoader.execute(folder).args
        assert back.hash == character.hash
        assert report.startswith("3 images read")


def test_a_folder_of_the_users_own_is_read_from_input(tmp_path):
    (tmp_path / "input" / "mine").mkdir()
    Image.new("L", (8, 8), 90).save(tmp_path / "input" / "mine" / "a.png")
    loaded, _ = FacetDatasetLoader.execute("mine", trigger="zqx").args
    assert (loaded.name, loaded.trigger) == ("mine", "zqx")


@pytest.mark.parametrize("folder", ["../elsewhere", "/etc", ".", ""])
def test_the_loader_stays_in_comfyuis_folders(folder):
    with pytest.raises(ValueError, match=r"^Facet Dataset Loader: "):
        FacetDatasetLoader.execute(folder)


@pytest.mark.parametrize("folder", ["../../../elsewhere", "/etc/facet", "."])
def test_the_exporter_stays_in_the_characters_folder(character, folder, tmp_path):
    with pytest.raises(ValueError, match=r"^Facet Dataset Exporter: "):
        FacetDatasetExporter.execute(character, "flat", folder, 10)
    assert not list(tmp_path.rglob("*.png"))


def test_an_edited_caption_makes_the_loader_run_again(character, tmp_path):
    (path,) = FacetDatasetExporter.execute(character, "flat", "", 10).args
    before = FacetDatasetLoader.fingerprint_inputs(path, name="")
    assert FacetDatasetLoader.fingerprint_inputs(path, name="") == before
    next(Path(path).glob("*.txt")).write_text("zqx person, smiling")
    assert FacetDatasetLoader.fingerprint_inputs(path, name="") != before


@pytest.mark.parametrize("layout", ["flat", "zip", "ai_toolkit", "onetrainer", "asset_library"])
def test_every_layout_goes_out_and_comes_back(character, layout):
    (path,) = FacetDatasetExporter.execute(character, layout, "", 10).args
    back, report = FacetDatasetLoader.execute(path).args
    assert back.hash == character.hash and "!" not in report


def test_a_zip_is_loaded_by_its_name(character, tmp_path):
    (path,) = FacetDatasetExporter.execute(character, "zip", "", 10).args
    shutil.copy(Path(path) / "Ada.zip", tmp_path / "input" / "sent.zip")
    before = FacetDatasetLoader.fingerprint_inputs("sent.zip")
    back, _ = FacetDatasetLoader.execute("sent.zip").args
    assert back.hash == character.hash
    (tmp_path / "input" / "sent.zip").write_bytes(b"another")
    assert FacetDatasetLoader.fingerprint_inputs("sent.zip") != before


def test_a_file_that_is_no_zip_is_one_sentence(tmp_path):
    (tmp_path / "input" / "a.txt").write_text("zqx")
    with pytest.raises(ValueError, match=r"^Facet Dataset Loader: There is no folder and no zip"):
        FacetDatasetLoader.execute("a.txt")


def test_a_caption_edited_on_disk_counts_as_written_by_hand(character, tmp_path):
    (path,) = FacetDatasetExporter.execute(character, "flat", "", 10).args
    edited = character.shots[0].hash
    (Path(path) / f"shot_{edited[:16]}.txt").write_text("zqx person, smiling", "utf-8")
    again = FacetDatasetExporter.execute(character, "flat", "", 10)
    assert "by hand, for every later run: 1" in again.ui.as_dict()["text"][0]
    own = tmp_path / "output" / "facet" / "Ada"
    assert captions_by_hand(own) == {edited: "zqx person, smiling"}
    back, _ = FacetDatasetLoader.execute(path).args
    assert [shot.by_hand for shot in back.pictures] == [False, True, False]


def test_captions_by_hand_that_cannot_be_kept_stop_the_export_before_it_begins(character, tmp_path):
    own = tmp_path / "output" / "facet" / "Ada"
    own.mkdir(parents=True)
    (own / FILE).write_text("{")
    with pytest.raises(ValueError, match=r"^Facet Dataset Exporter: .* Mend it or move it away"):
        FacetDatasetExporter.execute(character, "flat", "", 10)
    assert not list(tmp_path.rglob("*.png"))


def test_pictures_can_be_smaller(character):
    args = (character, "flat", "small", 10, "webp", 80)
    (path,) = FacetDatasetExporter.execute(*args).args
    assert len(list(Path(path).glob("*.webp"))) == 3
    _, report = FacetDatasetLoader.execute(path).args
    assert "near the image that was exported" in report


def test_a_name_that_is_too_long_for_the_disk_is_one_sentence(character):
    with pytest.raises(ValueError, match=r"^Facet Dataset Exporter: .*give a shorter name"):
        FacetDatasetExporter.execute(character, "flat", "x" * 400, 10)


@pytest.mark.parametrize("save_workflow", [True, False])
def test_each_picture_carries_the_workflow_that_made_it(comfy, save_workflow):
    prompt = {
        "1": node("EmptyImage", width=16, height=16, batch_size=1, color=255),
        "2": node("FacetCharacter", image=["1", 0], name="Ada", trigger="zqx", class_word="person"),
        "3": node(
            "FacetDatasetExporter", character=["2", 0], layout="flat", save_workflow=save_workflow
        ),
    }
    comfy.run(prompt)
    [path] = (comfy.output / "facet" / "Ada" / "dataset" / "flat").glob("*.png")
    with Image.open(path) as opened:
        assert json.loads(opened.info["facet"])["provenance"]["source"] == "original"
        assert ("prompt" in opened.info) == save_workflow
        if save_workflow:
            assert json.loads(opened.info["prompt"]) == prompt
