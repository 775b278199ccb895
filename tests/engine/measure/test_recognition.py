import re
import sys
from pathlib import Path

import pytest
import torch

from facet.engine.measure.iresnet import load_iresnet
from facet.engine.measure.recognition import NO_LICENCE, OnnxRecogniser, licence_in, open_face_model
from harness.face_models import (
    BLOCKS,
    folded_state,
    random_iresnet,
    write_onnx,
    write_safetensors,
)

NARROW = 8
"""Width of networks with the layers of the real ones and few of their weights."""


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return torch.rand(3, 3, 112, 112, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network():
    """The smallest network that people have, in its full width."""
    return random_iresnet(18)


@pytest.fixture(scope="module")
def expected(network, faces) -> torch.Tensor:
    with torch.inference_mode():
        return network(faces * 2 - 1)


@pytest.mark.parametrize("layout", [lambda net: net.state_dict(), folded_state])
def test_both_layouts_give_the_numbers_of_the_network_as_it_is_written(
    tmp_path, network, faces, expected, layout
):
    model = open_face_model(write_safetensors(tmp_path / "mine.safetensors", layout(network)))
    assert (model.name, model.kind, model.dimensions) == ("mine", "IResNet-18", 512)
    assert torch.allclose(model.recogniser(faces), expected, atol=1e-5)


@pytest.mark.parametrize("batch", [None, 1])
def test_an_onnx_export_gives_the_same_numbers(tmp_path, network, faces, expected, batch):
    model = open_face_model(write_onnx(tmp_path / "glintr100.onnx", network, batch))
    assert (model.name, model.dimensions) == ("glintr100", 512)
    assert torch.allclose(model.recogniser(faces), expected, atol=1e-4)


@pytest.mark.parametrize("depth", BLOCKS)
@torch.inference_mode()
def test_the_depth_is_read_off_the_file(depth, faces):
    network = random_iresnet(depth, NARROW)
    loaded = load_iresnet(network.state_dict())
    assert loaded.depth == depth
    assert torch.allclose(loaded(faces), network(faces), atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_half_precision_and_a_prefix_do_not_matter(faces):
    network = random_iresnet(18, NARROW)
    state = {f"module.backbone.{key}": value for key, value in network.state_dict().items()}
    state["module.head.weight"] = torch.ones(4, 512)
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    assert torch.allclose(load_iresnet(state)(faces), network(faces), atol=1e-4)
    likeness = torch.cosine_similarity(load_iresnet(half)(faces), network(faces))
    assert likeness.min() > 0.999


def damaged(change) -> dict[str, torch.Tensor]:
    state = dict(random_iresnet(18, NARROW).state_dict())
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.clear(), "no IResNet in arcface_torch's layout"),
        (lambda state: state.pop("layer2.1.conv2.weight"), "lacks 'layer2.1.conv2.weight'"),
        (
            lambda state: state.update({"layer1.2.conv1.weight": torch.ones(8, 8, 3, 3)}),
            "3-2-2-2 blocks",
        ),
        (
            lambda state: state.update({"layer1.0.se.fc1.weight": torch.ones(1)}),
            "'layer1.0.se.fc1.weight', which an IResNet has not",
        ),
        (
            lambda state: state.update({"fc.weight": torch.ones(512, 99)}),
            re.escape("(512, 99); faces of 112 px need one of 3136 inputs"),
        ),
        (lambda state: state["fc.bias"].fill_(torch.nan), "'fc.bias' is not all numbers"),
        (
            lambda state: state.update({"layer1.0.conv1.weight": torch.ones(8, 4, 3, 3)}),
            "do not fit one another",
        ),
    ],
)
def test_a_file_that_is_no_iresnet_says_what_it_is_not(tmp_path, change, said):
    file = write_safetensors(tmp_path / "other.safetensors", damaged(change))
    with pytest.raises(ValueError, match=said) as caught:
        open_face_model(file)
    assert "other.safetensors" in str(caught.value)


@pytest.mark.parametrize("name", ["broken.safetensors", "broken.onnx"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(b"this is no model")
    with pytest.raises(ValueError, match=f"{name} cannot be read .*; fetch it again"):
        open_face_model(file)


@pytest.mark.parametrize("name", ["r100.pth", "r100.pt", "r100.bin", "r100"])
def test_pickles_are_not_opened(tmp_path, name):
    file = tmp_path / name
    torch.save({"a": torch.ones(1)}, file)
    with pytest.raises(ValueError, match="neither safetensors nor ONNX"):
        open_face_model(file)


def test_without_onnxruntime_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match="pip install onnxruntime"):
        open_face_model(tmp_path / "glintr100.onnx")


def test_an_onnx_model_of_something_else_is_told_from_a_face_recogniser(tmp_path):
    detector = torch.nn.Conv2d(3, 4, 3)
    with pytest.raises(ValueError, match=r"no face recognition model.*glintr100 or w600k_r50"):
        open_face_model(write_onnx(tmp_path / "finder.onnx", detector))


def test_a_graph_that_normalises_itself_is_given_bytes(tmp_path, network, faces, expected):
    class FromBytes(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = network

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.inside((pixels - 127.5) * (1 / 127.5))

    file = write_onnx(tmp_path / "old.onnx", FromBytes())
    # The names that MXNet's exports have for these two nodes.
    file.write_bytes(file.read_bytes().replace(b"/Sub_output_0", b"_minusscalar0"))
    model = open_face_model(file)
    assert isinstance(model.recogniser, OnnxRecogniser) and model.recogniser.takes_bytes
    assert torch.allclose(model.recogniser(faces), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"license": "apache-2.0"}, "apache-2.0"),
        ({"modelspec.license": "MIT\nno warranty"}, "MIT no warranty"),
        ({"License": " "}, NO_LICENCE),
        ({}, NO_LICENCE),
    ],
)
def test_the_licence_is_the_one_that_the_file_states(metadata, said):
    assert licence_in(metadata) == said


def test_the_licence_of_a_file_is_kept(tmp_path):
    state = random_iresnet(18, NARROW).state_dict()
    file: Path = write_safetensors(tmp_path / "a.safetensors", state, {"license": "CC0"})
    assert open_face_model(file).licence == "CC0"
