import json
import shutil

import pytest
import torch

from facet.engine.captions.vision_folder import (
    FolderVisionModel,
    is_model,
    licence_of,
    model_folders,
)
from harness import vlms

QUESTION = "Where is the person?"


@pytest.fixture(scope="module")
def blip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "blip"
    vlms.blip(folder)
    return folder


@pytest.mark.parametrize("kind", list(vlms.KINDS))
def test_every_architecture_answers_without_the_question_and_always_alike(tmp_path, kind):
    vlms.KINDS[kind](tmp_path / "model")
    model = FolderVisionModel(tmp_path / "model", kind)
    assert model.describes == (kind in ("Florence-2", "BLIP"))
    picture = torch.rand(60, 40, 3)
    with torch.inference_mode():
        said = model.say(picture, QUESTION)
        assert said == model.say(picture, QUESTION)
    assert QUESTION[:12] not in said


@pytest.mark.parametrize("template", vlms.PLAIN_CHATS)
def test_a_template_for_plain_texts_works_as_well(tmp_path, template):
    vlms.llava(tmp_path / "joy", template)
    model = FolderVisionModel(tmp_path / "joy", "joy")
    assert not model.describes
    assert isinstance(model.say(torch.rand(60, 40, 3), QUESTION), str)


def test_a_template_without_a_place_for_a_picture_is_refused(tmp_path):
    vlms.llava(tmp_path / "deaf", "{% for message in messages %}hello{% endfor %}")
    with pytest.raises(ValueError, match="no place for an image"):
        FolderVisionModel(tmp_path / "deaf", "deaf").say(torch.rand(60, 40, 3), QUESTION)


def test_folders_are_found_as_deep_as_others_keep_them(tmp_path, blip):
    for name in ("one", "Qwen-VL/two", "a/b/three", "a/b/c/too_deep"):
        shutil.copytree(blip, tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("")
    assert model_folders(tmp_path) == ["Qwen-VL/two", "a/b/three", "one"]
    assert model_folders(tmp_path / "nowhere") == []


def test_pickled_weights_are_no_model(tmp_path, blip):
    shutil.copytree(blip, tmp_path / "old")
    (tmp_path / "old" / "model.safetensors").rename(tmp_path / "old" / "pytorch_model.bin")
    assert is_model(blip) and not is_model(tmp_path / "old")
    with pytest.raises(ValueError, match="holds no model of the transformers library"):
        FolderVisionModel(tmp_path / "old", "old")


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"README.md": "---\nlicense: apache-2.0\ntags:\n- x\n---\n# A"}, "apache-2.0"),
        ({"README.md": "---\nlicense: other\nlicense_name: llama3.1\n---\n"}, "llama3.1"),
        ({"README.md": "# no front matter\nlicense: mit\n"}, ""),
        ({"LICENSE": "\n  MIT License\n\nCopyright"}, "MIT License"),
        ({"README.md": "# A", "LICENSE.txt": "BSD"}, "BSD"),
        ({}, ""),
    ],
)
def test_the_licence_is_what_the_folder_says(tmp_path, files, licence):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert licence_of(tmp_path) == licence


def changed(blip, folder, **values):
    shutil.copytree(blip, folder)
    config = vlms.described(folder) | values
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_code_that_comes_with_a_model_is_not_run(tmp_path, blip):
    folder = changed(
        blip,
        tmp_path / "own",
        model_type="own",
        architectures=["Own"],
        auto_map={"AutoConfig": "own.Config", "AutoModelForImageTextToText": "own.Model"},
    )
    (folder / "own.py").write_text("raise SystemExit('this was run')")
    with pytest.raises(ValueError, match="cannot be loaded without running code of its own"):
        FolderVisionModel(folder, "own").say(torch.rand(60, 40, 3), "")


def test_weights_of_another_model_are_refused(tmp_path, blip):
    shutil.copytree(blip, tmp_path / "mixed")
    vlms.llava(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", tmp_path / "mixed")
    with pytest.raises(ValueError, match=r"'mixed' lacks \d+ of its weights"):
        FolderVisionModel(tmp_path / "mixed", "mixed").say(torch.rand(60, 40, 3), "")


def test_quantised_weights_are_refused_before_anything_is_loaded(tmp_path, blip):
    folder = changed(blip, tmp_path / "four", quantization_config={"quant_method": "bitsandbytes"})
    with pytest.raises(ValueError, match="are quantised, which is not supported"):
        FolderVisionModel(folder, "four")


def test_a_damaged_description_is_named(tmp_path, blip):
    shutil.copytree(blip, tmp_path / "broken")
    (tmp_path / "broken" / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json cannot be read"):
        FolderVisionModel(tmp_path / "broken", "broken")


def test_models_are_told_apart_by_their_weights_and_not_by_their_name(tmp_path, blip):
    shutil.copytree(blip, tmp_path / "copy")
    copy = FolderVisionModel(tmp_path / "copy", "copy").digest
    assert copy == FolderVisionModel(blip, "blip").digest
    weights = bytearray((tmp_path / "copy" / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "copy" / "model.safetensors").write_bytes(weights)
    assert FolderVisionModel(tmp_path / "copy", "copy").digest != copy


def test_a_cancelled_run_ends_within_the_answer(blip):
    import comfy.model_management as memory

    model = FolderVisionModel(blip, "blip")
    memory.interrupt_current_processing(True)
    with pytest.raises(memory.InterruptProcessingException):
        model.say(torch.rand(60, 40, 3), "")
    assert not memory.processing_interrupted()
