import json
import re
import shutil
from pathlib import Path

import folder_paths
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from facet.engine.studio.judge import Judge
from facet.engine.vision.embedder_card import card_from
from facet.engine.vision.embedders import FaceEmbedder, label
from facet.nodes.studio.face_embedder import FacetFaceEmbedder, chosen
from harness.comfy_server import Run
from harness.demo_lora import true_character
from harness.face_models import (
    SEEN_AS,
    demo_recogniser,
    random_iresnet,
    write_card,
    write_onnx,
    write_safetensors,
)
from harness.faces import astronaut
from harness.prompts import node, studio_node


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """A models folder of its own, with the folders that the node looks in."""
    for folder in ("face_recognition", "insightface"):
        monkeypatch.setitem(
            folder_paths.folder_names_and_paths, folder, ([str(tmp_path / folder)], set())
        )
        folder_paths.filename_list_cache.pop(folder, None)
        (tmp_path / folder).mkdir()
    return tmp_path


def put(models: Path, name: str, **metadata: str) -> Path:
    return write_safetensors(models / name, random_iresnet(18, 8).state_dict(), metadata)


def listed() -> list[str]:
    (face_model, *_) = FacetFaceEmbedder.define_schema().inputs
    return list(face_model.options)


def test_the_folders_that_people_have_are_looked_in():
    from facet.nodes.studio import face_embedder as embedders

    for folder in embedders.FOLDERS:
        own = Path(folder_paths.models_dir) / folder
        assert str(own) in folder_paths.get_folder_paths(folder)


def test_what_recognises_faces_is_listed_and_nothing_else(models):
    put(models, "face_recognition/mine.safetensors")
    pack = models / "insightface" / "models" / "antelopev2"
    pack.mkdir(parents=True)
    for name in (
        "glintr100.onnx",
        "scrfd_10g_bnkps.onnx",
        "1k3d68.onnx",
        "genderage.onnx",
        "2d106det.onnx",
        "r100.pth",
        "notes.txt",
    ):
        (pack / name).touch()
    assert listed() == ["mine.safetensors", str(Path("models/antelopev2/glintr100.onnx"))]


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/passwd", "gone.safetensors", "r100.pth", ""]
)
def test_only_what_is_listed_is_opened(models, name):
    save_file({"a": torch.ones(1)}, models / "secret.safetensors")
    (models / "face_recognition" / "r100.pth").touch()
    with pytest.raises(ValueError, match=r"put a safetensors or ONNX file into models/face_reco"):
        chosen(name)
    with pytest.raises(ValueError, match=r"^Facet Face Embedder: There is no face recognition"):
        FacetFaceEmbedder.execute(name)


@torch.inference_mode()
def test_the_node_gives_an_embedder_and_says_what_it_is(comfy, models):
    put(models, "face_recognition/own/mine.safetensors", license="CC-BY-4.0")
    prompt = {
        "1": node("FacetFaceEmbedder", face_model="own/mine.safetensors"),
        "2": node("PreviewAny", source=["1", 1]),
    }
    result = comfy.run(prompt)
    about = "mine (IResNet-18): 512 numbers for a face of 112 px. Licence: CC-BY-4.0."
    assert result.ui["2"]["text"] == [about]
    embedder, said = FacetFaceEmbedder.execute("own/mine.safetensors").result
    assert isinstance(embedder, FaceEmbedder) and embedder.mirrored and said == about
    assert label(embedder) == "face recognition by mine (IResNet-18), aligned face"
    image, face = astronaut()
    assert embedder.embed([image], faces=[face]).vectors.shape == (1, 512)


def test_a_file_without_a_licence_says_so(models):
    write_onnx(models / "insightface" / "w600k_r50.onnx", random_iresnet(18, 8))
    _, about = FacetFaceEmbedder.execute("w600k_r50.onnx", mirrored=False).result
    assert about.startswith("w600k_r50 (")
    assert "Licence: not stated in the file" in about


def test_a_wrong_file_is_refused_in_the_nodes_name(models):
    save_file({"a": torch.ones(1)}, models / "face_recognition" / "lora.safetensors")
    with pytest.raises(ValueError, match=r"^Facet Face Embedder: lora\.safetensors: The file hol"):
        FacetFaceEmbedder.execute("lora.safetensors")


def test_a_file_that_was_replaced_is_loaded_again(models):
    file = put(models, "face_recognition/mine.safetensors")
    before = FacetFaceEmbedder.fingerprint_inputs("mine.safetensors", mirrored=True)
    assert FacetFaceEmbedder.fingerprint_inputs("mine.safetensors", mirrored=True) == before
    write_safetensors(file, random_iresnet(34, 8).state_dict())
    assert FacetFaceEmbedder.fingerprint_inputs("mine.safetensors", mirrored=True) != before


def test_a_json_beside_the_file_makes_a_recogniser_of_drawings_of_it(models, demo_models):
    file = demo_recogniser(models / "face_recognition" / "ccip.onnx", demo_models.clip_vision)
    write_card(file, **SEEN_AS, crop="whole", good_for="drawings", licence="CC0", origin="here")
    assert listed() == ["ccip.onnx"]
    before = FacetFaceEmbedder.fingerprint_inputs("ccip.onnx", mirrored=True)
    embedder, about = FacetFaceEmbedder.execute("ccip.onnx").result
    assert about == (
        "ccip (ONNX): 64 numbers for a whole image of 128 px. Good for: drawings. Licence: CC0. "
        "Origin: here."
    )
    # Where faces are not looked at, no model that finds them is needed.
    assert Judge(face_embedder=embedder).embedder is embedder
    write_card(file, size=0)
    assert FacetFaceEmbedder.fingerprint_inputs("ccip.onnx", mirrored=True) != before
    with pytest.raises(ValueError, match=r"^Facet Face Embedder: ccip\.facet\.json: size is 0"):
        FacetFaceEmbedder.execute("ccip.onnx")


def test_the_example_on_the_help_page_is_a_card(root):
    page = (root / "js/docs/FacetFaceEmbedder.md").read_text("utf-8")
    [example] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    card = card_from(json.loads(example))
    assert card.crop == "whole" and card.licence and card.origin


def put_person(folder: Path) -> None:
    """Somebody of the demo world in a few true pictures."""
    folder.mkdir(parents=True)
    for number, shot in enumerate(true_character(3, 5).pictures):
        Image.fromarray(shot.pixels.numpy()).save(folder / f"{number}.png")


@pytest.mark.slow
def test_a_recogniser_with_a_json_scores_a_lora_over_http(server, demo_models, demo_lora):
    """Embedder, judge and scorer, with what the demo's own encoder says to compare with."""
    place = server.server.base / "models"
    file = demo_recogniser(place / "face_recognition" / "ccip.onnx", demo_models.clip_vision)
    card = write_card(file, **SEEN_AS, crop="whole", good_for="drawings", licence="CC0")
    (place / "loras").mkdir(exist_ok=True)
    shutil.copy(demo_lora, place / "loras" / "drawn.safetensors")
    put_person(server.input / "drawn")
    few = {"samples": 2, "trigger_only": 0, "attributes": 0, "leak_probes": 0, "stamp": "off"}
    links = {"character": ["loaded", 0], "studio": ["studio", 0]}

    def prompt(judge: list[object]) -> dict[str, dict]:
        return {
            "models": node("FacetDemoModels"),
            "studio": studio_node(steps=4, width=128, height=128),
            "embedder": node("FacetFaceEmbedder", face_model="ccip.onnx", mirrored=False),
            "judge": node("FacetJudge", face_embedder=["embedder", 0], judge=["models", 1]),
            "loaded": node("FacetDatasetLoader", folder="drawn", trigger="zqx", name="Drawn"),
            "score": node(
                "FacetIdentityScorer",
                **links,
                judge=judge,
                **few,
                lora_name="drawn.safetensors",
            ),
            "about": node("PreviewAny", source=["embedder", 1]),
        }

    def scored(judge: list[object]) -> tuple[Run, dict]:
        run = server.run(prompt(judge))
        assert run.error == ""
        return run, json.loads((server.output / "facet/Drawn/report/score.json").read_text("utf-8"))

    run, recognised = scored(["judge", 0])
    assert "Good for: drawings. Licence: CC0." in run.outputs["about"]["text"][0]
    assert (
        recognised["settings"]["measured_by"]
        == "character recognition by ccip (ONNX), whole picture"
    )
    _, seen = scored(["models", 1])
    assert seen["settings"]["measured_by"] == "appearance by Facet's demo encoder, whole picture"
    # Behind the JSON there is the same encoder.
    for ours, theirs in zip(*(one["calibration"]["positives"] for one in (recognised, seen))):
        assert ours == pytest.approx(theirs, abs=1e-3)
    card.write_bytes(b'{"mean": NaN}')
    broken = server.run(prompt(["judge", 0]))
    assert broken.status == "error"
    assert broken.error.startswith("Facet Face Embedder: ") and "NaN is no number" in broken.error
