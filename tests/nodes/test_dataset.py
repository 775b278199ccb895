from pathlib import Path

import folder_paths
import pytest
import torch
from PIL import Image

from facet.engine.character import Character, Provenance, Shot
from facet.nodes.dataset import FacetDatasetExporter, FacetDatasetLoader


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
        assert report.startswith("3 pictures read")


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
