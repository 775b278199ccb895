import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import folder_paths
import numpy as np
import pytest
import torch
from PIL import Image

from facet.engine.captions.vision import FILE
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.lint import trigger_fault
from facet.engine.store.captions_by_hand import keep_by_hand
from facet.nodes.captions.writer import FacetCaptionWriter
from facet.nodes.common.folders import character_folder
from facet.nodes.common.vision_models import roots, vlm_folders
from facet.world.identity import HELD_OUT_FROM
from harness import vlms
from harness.families import SDXL, load_family
from harness.prompts import node
from harness.small_models import SmallModels, small_clip, small_flux
from harness.studios import studio_of
from harness.taught_vlm import examples, taught_llava
from harness.text_models import seeing_language_model

POLICY = "bind_to_trigger"


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch) -> Iterator[None]:
    """An output folder and a models/vlm of the test's own."""
    before = folder_paths.get_output_directory()
    folder_paths.set_output_directory(str(tmp_path / "output"))
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "vlm", ([str(tmp_path / "vlm")], set())
    )
    yield
    folder_paths.set_output_directory(before)


@pytest.fixture
def character() -> Character:
    source = Shot(torch.zeros(16, 16, 3), Provenance("original"), tags=Tags(view="front"))
    return Character("Ada", "zqx", "person", source)


def write(character, keep_existing=True, policy=POLICY, **given):
    output = FacetCaptionWriter.execute(character, policy, keep_existing, **given)
    return output.args


def test_the_default_policy_writes_trigger_class_and_tags(character):
    written, report = write(character)
    assert written.source.caption == "zqx person, front view"
    assert "1 of 1 captions written" in report


def test_a_missing_description_is_one_sentence_that_names_the_node(character):
    with pytest.raises(ValueError, match=r"^Facet Caption Writer: .* needs a description"):
        write(character, policy="describe_identity")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"fill": "hair"}, "'fill' has 'hair'"),
        ({"vlm_folder": "gone"}, "The model 'gone' is not in models/vlm"),
        ({"vlm_folder": "../gone"}, "The model '../gone' is not in models/vlm"),
        ({"vlm": small_clip}, "The CLIP connected to 'vlm' only encodes text"),
        ({"vlm": small_clip, "vlm_folder": "x"}, "Both 'vlm' and 'vlm_folder' are given"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_that_names_the_node(character, given, sentence):
    given = {name: value() if callable(value) else value for name, value in given.items()}
    with pytest.raises(ValueError, match=rf"^Facet Caption Writer: {sentence}"):
        write(character, **given)


def test_form_and_language_are_chosen_on_the_node(character):
    written, _ = write(character, form="sentences", language="it")
    assert written.source.caption == "zqx person, in vista frontale."


def test_the_form_follows_the_family_of_the_studio_that_it_is_for(character):
    flux, sdxl = (
        studio_of(SmallModels(model, None, None))
        for model in (small_flux(), load_family(SDXL, narrow=True))
    )
    sentences, phrases = (write(character, form=form)[0] for form in ("sentences", "phrases"))
    assert sentences.source.caption != phrases.source.caption
    assert write(character, studio=flux)[0].source.caption == sentences.source.caption
    assert write(character, studio=sdxl)[0].source.caption == phrases.source.caption
    chosen = write(character, studio=flux, form="phrases")[0]
    assert chosen.source.caption == phrases.source.caption


def test_a_person_s_caption_wins_over_everything_and_outlives_a_rerun(character):
    kept = {character.source.hash: "zqx by hand"}
    keep_by_hand(character_folder(character), kept)
    for keep_existing in (True, False):
        written, report = write(character, keep_existing=keep_existing, form="tags")
        assert written.source.caption == "zqx by hand"
        assert written.source.by_hand
        assert "0 of 1 captions written, 0 kept as they were, 1 by hand." in report
    assert character.source.caption == ""


def test_a_caption_known_to_be_by_hand_is_not_written_over(character):
    by_hand = character.captioned({character.source.hash: "zqx mine"}, by_hand=True)
    assert write(by_hand, keep_existing=False)[0].source.caption == "zqx mine"


def test_free_text_that_stands_as_it_came_is_named(character):
    tags = Tags(outfit="a red coat", background="in a park")
    told = replace(character, source=replace(character.source, tags=tags))
    _, report = write(told, language="it")
    assert "1 free text was not translated: 'a red coat'" in report


def test_folders_of_models_are_offered_also_those_that_others_use(tmp_path):
    vlms.blip(tmp_path / "vlm" / "blip")
    assert list(vlm_folders()) == ["blip"]
    assert roots()[0] == tmp_path / "vlm"
    assert roots()[-1].name == "LLM"
    offered = FacetCaptionWriter.GET_SCHEMA()
    schema = next(
        one for one in FacetCaptionWriter.define_schema().inputs if one.id == "vlm_folder"
    )
    assert schema.options == ["none", "blip"]
    assert offered.node_id == "FacetCaptionWriter"


@torch.inference_mode()
def test_a_model_in_a_folder_sees_where_strangers_are_and_is_asked_once(tmp_path, character):
    with torch.inference_mode(False):
        taught_llava(tmp_path / "vlm" / "taught")
    shown = examples(HELD_OUT_FROM, 30, seed=1)
    shots = [Shot(image, Provenance("imported")) for image, _ in shown]
    seen = character.adding([*shots, Shot(torch.ones(16, 16, 3), Provenance("imported"))])
    known = replace(seen.shots[-1], tags=Tags(background="in a room"))
    seen = seen.adding([known])

    written, report = write(seen, vlm_folder="taught", fill="background")

    captions = [shot.caption for shot in written.shots]
    right = sum(caption == f"zqx person, {place}" for caption, (_, place) in zip(captions, shown))
    assert right >= 20
    assert captions[-1] == "zqx person, in a room"
    assert "Tagged by taught. Its licence: mit." in report
    assert "background: found in 31 of 31 images where it was not known" in report

    answers = character_folder(character, FILE)
    stamp = answers.stat().st_mtime_ns
    again, _ = write(seen, vlm_folder="taught", fill="background", form="sentences")
    assert answers.stat().st_mtime_ns == stamp
    assert [shot.tags for shot in again.shots] == [shot.tags for shot in written.shots]


@torch.inference_mode()
def test_a_connected_clip_that_sees_is_asked_once_and_the_trigger_stays_alone(character):
    clip = seeing_language_model()
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))
    seen = character.adding([Shot(image, Provenance("imported"))])
    written, report = write(seen, vlm=clip, fill="background, details")
    assert "Tagged by Qwen3VL. Its licence: not stated; check where you downloaded it." in report
    for shot in written.pictures:
        assert trigger_fault(shot.caption, "zqx") == ""
        assert len(shot.caption) < 500 and "\n" not in shot.caption
    answers = json.loads(character_folder(character, FILE).read_text("utf-8"))
    assert set(answers) == {shot.hash for shot in seen.pictures}
    assert write(seen, vlm=clip, fill="background, details")[0].hash == written.hash


def test_comfyui_runs_it_again_when_a_person_wrote_a_caption(comfy):
    pixels = np.full((32, 32, 3), 90, np.uint8)
    Image.fromarray(pixels).save(comfy.input / "ada.png")
    prompt = {
        "1": node("LoadImage", image="ada.png"),
        "2": node("FacetCharacter", image=["1", 0], name="Ada", trigger="zqx", class_word="person"),
        "3": node("FacetCaptionWriter", character=["2", 0]),
        "4": node("PreviewAny", source=["3", 1]),
    }
    # ComfyUI writes into the prompt that it runs.
    written = comfy.run(deepcopy(prompt)).value("3")
    assert "3" in comfy.run(deepcopy(prompt)).cached
    keep_by_hand(comfy.output / "facet" / "Ada", {written.source.hash: "zqx by hand"})
    assert comfy.run(prompt).value("3").source.caption == "zqx by hand"
    known = json.loads((comfy.output / "facet" / "Ada" / "captions_by_hand.json").read_text())
    assert known == {written.source.hash: "zqx by hand"}
