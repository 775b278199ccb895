from pathlib import Path

import folder_paths
import pytest
import torch
from safetensors.torch import save_file

from facet.engine.vision.embedders import FaceEmbedder, label
from facet.nodes.studio.face_embedder import FacetFaceEmbedder, chosen
from harness.face_models import random_iresnet, write_onnx, write_safetensors
from harness.faces import astronaut
from harness.prompts import node


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
    about = "mine (IResNet-18): 512 numbers a face. Licence: CC-BY-4.0."
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
