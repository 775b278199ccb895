import random
import re
import sys
from pathlib import Path

import comfy.model_management
import pytest
import torch

from facet.engine.measure.iresnet import load_iresnet
from facet.engine.measure.onnx_file import read_graph
from facet.engine.measure.recognition import (
    NO_LICENCE,
    OnnxRecogniser,
    TorchRecogniser,
    licence_in,
    open_face_model,
)
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


def test_an_onnx_export_gives_the_same_numbers_without_onnxruntime(
    tmp_path, monkeypatch, network, faces, expected
):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    model = open_face_model(write_onnx(tmp_path / "r18.onnx", network))
    assert (model.name, model.kind, model.dimensions) == ("r18", "IResNet-18", 512)
    assert isinstance(model.recogniser, TorchRecogniser)
    assert model.recogniser.patcher in comfy.model_management.loaded_models()
    assert torch.allclose(model.recogniser(faces), expected, atol=1e-5)


class Changed(torch.nn.Module):
    """A narrow IResNet with something done to its faces and to its embeddings."""

    def __init__(self, before=lambda faces: faces, after=lambda embeddings: embeddings) -> None:
        super().__init__()
        self.inside, self.before, self.after = random_iresnet(18, NARROW), before, after

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.after(self.inside(self.before(faces)))


def in_onnxruntime(file: Path, pixels: torch.Tensor) -> torch.Tensor:
    """What the official runtime makes of each picture by itself."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return torch.cat(
        [torch.from_numpy(session.run(None, {"input": one[None].numpy()})[0]) for one in pixels]
    )


def test_an_export_for_one_face_takes_many(tmp_path, faces):
    network = Changed(after=lambda embeddings: embeddings.reshape(1, 512))
    file = write_onnx(tmp_path / "one.onnx", network, batch=1)
    assert "Reshape" in {node.operation for node in read_graph(file.read_bytes()).nodes}
    model = open_face_model(file)
    assert isinstance(model.recogniser, TorchRecogniser)
    assert torch.allclose(model.recogniser(faces), in_onnxruntime(file, faces * 2 - 1), atol=1e-4)


def test_a_graph_that_normalises_itself_is_given_bytes(tmp_path, faces):
    file = write_onnx(tmp_path / "old.onnx", Changed(lambda faces: (faces - 127.5) * 0.0078125))
    model = open_face_model(file)
    assert isinstance(model.recogniser, TorchRecogniser) and model.kind == "IResNet-18"
    assert torch.allclose(model.recogniser(faces), in_onnxruntime(file, faces * 255), atol=1e-4)


@pytest.mark.parametrize("batch", [None, 1])
def test_a_graph_with_operations_of_its_own_goes_to_onnxruntime(tmp_path, faces, batch):
    file = write_onnx(tmp_path / "own.onnx", Changed(after=torch.nn.functional.softplus), batch)
    model = open_face_model(file)
    assert isinstance(model.recogniser, OnnxRecogniser) and model.kind == "ONNX"
    assert torch.allclose(model.recogniser(faces), in_onnxruntime(file, faces * 2 - 1), atol=1e-4)


def test_without_onnxruntime_such_a_graph_says_what_to_do(tmp_path, monkeypatch):
    file = write_onnx(tmp_path / "own.onnx", Changed(after=torch.nn.functional.softplus))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match=r"own.onnx needs onnxruntime: .*pip install onnxruntime"):
        open_face_model(file)


def test_a_damaged_onnx_file_is_refused_or_read_and_nothing_else(tmp_path):
    whole = write_onnx(tmp_path / "a.onnx", random_iresnet(18, 2, dimensions=4)).read_bytes()
    rng = random.Random(0)
    refused = 0
    for _ in range(300):
        data = bytearray(whole[: rng.randrange(len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(min(len(data), 4000))] = rng.randrange(256)
        try:
            read_graph(bytes(data))
        except ValueError as error:
            assert "no ONNX file, or a damaged one" in str(error)
            refused += 1
    assert refused > 100


def test_a_file_that_names_another_file_for_its_weights_reads_none(tmp_path):
    import onnx

    file = write_onnx(tmp_path / "a.onnx", random_iresnet(18, 2, dimensions=4))
    graph = onnx.load(file)
    onnx.save(graph, file, save_as_external_data=True, location="secret", size_threshold=0)
    with pytest.raises(ValueError, match=r"a\.onnx keeps its weights in another file"):
        open_face_model(file)


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


def test_an_onnx_model_of_something_else_is_told_from_a_face_recogniser(tmp_path):
    for network in (torch.nn.Conv2d(3, 4, 3), torch.nn.AvgPool2d(2)):
        with pytest.raises(ValueError, match=r"no face recognition model.*glintr100 or w600k_r50"):
            open_face_model(write_onnx(tmp_path / "finder.onnx", network))


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
