from dataclasses import replace

import folder_paths
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.nodes.dataset.library import FacetCompareVersions, FacetOpenCharacter, FacetSaveCharacter
from harness.prompts import node


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    return tmp_path


@pytest.fixture
def character() -> Character:
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(16, 16, 3, generator=generator) for _ in range(3)]
    shots = [
        Shot(picture, Provenance("generated"), caption="zqx person", tags=Tags(view="front"))
        for picture in pictures
    ]
    return Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))


def options() -> list[str]:
    return FacetOpenCharacter.GET_SCHEMA().inputs[0].options


def test_what_is_saved_can_be_opened_at_once(character, output):
    assert options() == []
    saved = FacetSaveCharacter.execute(character, "first")
    assert saved.args == ("Ada/v1",)
    assert (output / "facet" / "Ada" / "library" / "v1" / "character.json").is_file()
    assert saved.ui.as_dict()["text"][0].startswith("Saved as Ada/v1.\n")
    assert options() == ["Ada/newest", "Ada/v1"]
    opened, report = FacetOpenCharacter.execute("Ada/v1").args
    assert opened.hash == character.hash
    assert report.startswith("Ada/v1  ") and report.endswith("3 images, 3 included  first")


def test_saving_again_says_which_version_it_is(character):
    FacetSaveCharacter.execute(character)
    FacetSaveCharacter.execute(replace(character, trigger="zqy"))
    again = FacetSaveCharacter.execute(character)
    assert again.args == ("Ada/v1",)
    text = again.ui.as_dict()["text"][0]
    assert text.startswith("Ada/v1 is just this; nothing was saved.")
    assert text.index("Ada/v2") < text.rindex("Ada/v1")


@pytest.mark.parametrize("version", ["Ada/v2", "../Ada/v1", "/etc/v1", "Ada", ""])
def test_what_is_not_there_is_refused_before_anything_runs(character, version):
    FacetSaveCharacter.execute(character)
    assert FacetOpenCharacter.validate_inputs("Ada/v1") is True
    assert isinstance(FacetOpenCharacter.validate_inputs(version), str)
    with pytest.raises(ValueError, match=r"^Facet Open Character: "):
        FacetOpenCharacter.execute(version)


def test_the_newest_runs_again_when_there_is_a_newer_one(character):
    FacetSaveCharacter.execute(character)
    first = FacetOpenCharacter.fingerprint_inputs("Ada/v1")
    newest = FacetOpenCharacter.fingerprint_inputs("Ada/newest")
    FacetSaveCharacter.execute(replace(character, trigger="zqy"))
    assert FacetOpenCharacter.fingerprint_inputs("Ada/v1") == first
    assert FacetOpenCharacter.fingerprint_inputs("Ada/newest") != newest


def test_two_versions_are_compared_in_words_and_as_a_picture(character):
    other = replace(character, shots=character.shots[:1])
    text, picture = FacetCompareVersions.execute(character, other).args
    assert text.startswith("3 images in the dataset before, 2 after.")
    assert picture.shape[0] == 1 and picture.shape[2:] == (1600, 3)


def test_a_version_that_was_just_saved_passes_comfyuis_own_checks(character, comfy):
    FacetSaveCharacter.execute(character)  # into the executor's output folder
    prompt = {
        "open": node("FacetOpenCharacter", version="Ada/newest"),
        "keep": node("FacetSaveCharacter", character=["open", 0]),
    }
    result = comfy.run(prompt)
    assert result.value("keep") == "Ada/v1"
    assert result.value("open").hash == character.hash
    assert comfy.run(prompt).cached >= {"open"}
