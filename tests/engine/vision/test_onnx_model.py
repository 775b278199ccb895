"""Recognition models of any shape as ONNX, shown pictures as the JSON beside them says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from facet.engine.demo.models import DemoModels
from facet.engine.vision.embedders import AppearanceEmbedder, FaceEmbedder, about, label
from facet.engine.vision.faces import find_face
from facet.engine.vision.recognition import open_face_model
from harness.demo_lora import true_character
from harness.face_models import SEEN_AS, demo_recogniser, random_iresnet, write_card, write_onnx
from harness.faces import astronaut

WHOLE = {**SEEN_AS, "crop": "whole"}


class Mean(torch.nn.Module):
    """The mean colour of a picture, in any size, with the cells that pooling leaves."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.mean(dim=(2, 3), keepdim=True)


class TwoAnswers(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return pixels, pixels.mean(dim=(2, 3)) + 1


@pytest.mark.parametrize("channels_last", [False, True])
@torch.inference_mode()
def test_a_recogniser_of_drawings_needs_no_code(
    tmp_path: Path, demo_models: DemoModels, channels_last: bool
) -> None:
    file = demo_recogniser(tmp_path / "ccip.onnx", demo_models.clip_vision, channels_last)
    write_card(file, **WHOLE, good_for="drawings", licence="MIT", origin="the demo world")
    embedder = FaceEmbedder(open_face_model(file), mirrored=False)
    images = [shot.image for shot in true_character(3).pictures]
    own = AppearanceEmbedder(demo_models.clip_vision).embed(images).vectors
    assert torch.allclose(embedder.embed(images).vectors, own, atol=1e-4)
    assert label(embedder) == "character recognition by ccip (ONNX), whole picture"
    assert about(embedder) == (
        "ccip (ONNX): 64 numbers for a whole image of 128 px. Good for: drawings. Licence: MIT. "
        "Origin: the demo world."
    )


@torch.inference_mode()
def test_the_order_of_colours_and_the_normalisation_matter(
    tmp_path: Path, demo_models: DemoModels
) -> None:
    file = demo_recogniser(tmp_path / "ccip.onnx", demo_models.clip_vision)
    images = [shot.image for shot in true_character(3).pictures]
    seen = []
    for said in (WHOLE, WHOLE | {"colours": "rgb"}, {"crop": "whole"}):
        write_card(file, **said)
        seen.append(FaceEmbedder(open_face_model(file)))
    vectors = [one.embed(images).vectors for one in seen]
    assert all((vectors[0] - other).abs().max() > 0.01 for other in vectors[1:])
    assert len({one.fingerprint for one in seen}) == 3


@torch.inference_mode()
def test_heads_are_seen_with_their_hair_and_faces_without(
    tmp_path: Path, demo_models: DemoModels
) -> None:
    file = demo_recogniser(tmp_path / "a.onnx", demo_models.clip_vision)
    images = [shot.image for shot in true_character(3).pictures]
    faces = [find_face(demo_models.face, image) for image in images]
    for crop, seen in (("head", "head"), ("aligned face", "face")):
        write_card(file, **SEEN_AS, crop=crop)
        embedder = FaceEmbedder(open_face_model(file))
        found = embedder.embed(images, faces=[*faces[:-1], None])
        assert found.found.tolist()[-1] is False and found.found[0]
        assert label(embedder) == f"face recognition by a (ONNX), {crop}"
        assert f"for a {seen} of 128 px" in about(embedder)
        with pytest.raises(ValueError, match="needs the faces of the pictures"):
            embedder.embed(images)


@torch.inference_mode()
def test_any_size_is_the_cards_and_pooled_cells_are_numbers(tmp_path: Path) -> None:
    file = write_onnx(tmp_path / "free.onnx", Mean(), any_size=True)
    write_card(file, crop="whole")
    with pytest.raises(ValueError, match=r"images of any size; write its size into free.facet.js"):
        open_face_model(file)
    write_card(file, crop="whole", size=160)
    model = open_face_model(file)
    assert (model.dimensions, model.card.size) == (3, 160)
    embedder = FaceEmbedder(model)
    image, _ = astronaut()
    [vector] = embedder.embed([image]).vectors
    expected = torch.nn.functional.normalize((image * 2 - 1).mean(dim=(0, 1)), dim=0)
    assert torch.allclose(vector, expected, atol=0.01)


@torch.inference_mode()
def test_of_several_outputs_one_is_named(tmp_path: Path) -> None:
    file = write_onnx(tmp_path / "two.onnx", TwoAnswers(), outputs=("cells", "pooled"))
    for said, sentence in (
        ({}, r"gives 'cells', 'pooled'; name the one to take as output in two.facet.json"),
        ({"output": "logits"}, r"gives 'cells', 'pooled' and no 'logits'; name the one"),
        ({"output": "cells"}, r"for one image it gives \[1, 3, 112, 112\] numbers"),
    ):
        write_card(file, **said)
        with pytest.raises(ValueError, match=sentence):
            open_face_model(file)
    write_card(file, output="pooled")
    assert open_face_model(file).dimensions == 3


def test_half_precision_is_taken(tmp_path: Path) -> None:
    network = torch.nn.Sequential(Mean()).half()
    file = tmp_path / "half.onnx"
    torch.onnx.export(
        network, (torch.zeros(1, 3, 64, 64).half(),), file, dynamo=False, input_names=["input"]
    )
    write_card(file, crop="whole")
    assert open_face_model(file).card.size == 64


@pytest.mark.parametrize(
    ("shape", "said", "sentence"),
    [
        ((3, 160, 160), None, r"takes \[\[3, 160, 160\]\], where .* Say in a\.facet\.json beside"),
        ((3, 160, 160), {"size": 112}, r"images of 160 px, and a\.facet\.json says 112; write 160"),
        ((3, 112, 96), {}, r"takes \[3, 112, 96\]; an embedder takes square images"),
        ((1, 112, 112), {}, r"takes \[1, 112, 112\]; an embedder takes square images of three c"),
        ((3, 112), {}, "an embedder takes one batch of images in floating point"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    tmp_path: Path, shape: tuple[int, ...], said: dict[str, object] | None, sentence: str
) -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.ReLU())
    file = write_onnx(tmp_path / "a.onnx", network, shape=shape)
    if said is not None:
        write_card(file, **said)
    with pytest.raises(ValueError, match=sentence):
        open_face_model(file)


def test_whole_numbers_for_pixels_are_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    file = tmp_path / "a.onnx"
    taken = helper.make_tensor_value_info("input", TensorProto.UINT8, [1, 3, 112, 112])
    given = helper.make_tensor_value_info("output", TensorProto.UINT8, [1, 37632])
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["input"], ["output"])], "bytes", [taken], [given]
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), file)
    write_card(file, crop="whole")
    with pytest.raises(ValueError, match=r"takes tensor\(uint8\) .* in floating point"):
        open_face_model(file)


def test_a_card_beside_an_ordinary_file_changes_only_what_it_says(tmp_path: Path) -> None:
    file = write_onnx(tmp_path / "r18.onnx", random_iresnet(18, 8))
    faces = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    plain = open_face_model(file)
    write_card(file, licence="CC0", origin="me")
    told = open_face_model(file)
    assert torch.equal(plain.recogniser(faces), told.recogniser(faces))
    assert (told.card.licence, told.card.origin) == ("CC0", "me")
