import re
import sys
from pathlib import Path

import comfy.model_management
import pytest
import torch

from facet.engine.vision.iresnet import load_iresnet
from facet.engine.vision.onnx_model import session_of
from facet.engine.vision.recognition import (
    NO_LICENCE,
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


def test_an_onnx_export_gives_the_same_numbers(tmp_path, network, faces, expected):
    model = open_face_model(write_onnx(tmp_path / "r18.onnx", network))
    assert (model.name, model.kind, model.dimensions) == ("r18", "ONNX", 512)
    assert torch.allclose(model.recogniser(faces), expected, atol=1e-4)


def test_only_safetensors_go_to_the_device_that_comfyui_gives(tmp_path, faces):
    network = random_iresnet(18, NARROW)
    model = open_face_model(write_safetensors(tmp_path / "a.safetensors", network.state_dict()))
    model.recogniser(faces)
    assert isinstance(model.recogniser, TorchRecogniser)
    assert model.recogniser.patcher in comfy.model_management.loaded_models()


class Changed(torch.nn.Module):
    """A narrow IResNet with something done to its faces and to its embeddings."""

    def __init__(self, before=lambda faces: faces, after=lambda embeddings: embeddings) -> None:
        super().__init__()
        self.inside, self.before, self.after = random_iresnet(18, NARROW), before, after

    @torch.inference_mode()
    def of(self, pixels: torch.Tensor) -> torch.Tensor:
        """What it makes of each picture by itself."""
        return torch.cat([self(one[None]) for one in pixels])

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.after(self.inside(self.before(faces)))


def test_an_export_for_one_face_takes_many(tmp_path, faces):
    network = Changed(after=lambda embeddings: embeddings.reshape(1, 512)).eval()
    model = open_face_model(write_onnx(tmp_path / "one.onnx", network, batch=1))
    assert torch.allclose(model.recogniser(faces), network.of(faces * 2 - 1), atol=1e-4)


def test_a_graph_that_normalises_itself_as_mxnet_does_is_given_bytes(tmp_path, faces):
    import onnx

    network = Changed(lambda faces: (faces - 127.5) * 0.0078125).eval()
    file = write_onnx(tmp_path / "old.onnx", network)
    graph = onnx.load(file)
    for kind, name in (("Sub", "_minusscalar0"), ("Mul", "_mulscalar0")):
        next(node for node in graph.graph.node if node.op_type == kind).name = name
    onnx.save(graph, file)
    model = open_face_model(file)
    assert torch.allclose(model.recogniser(faces), network.of(faces * 255), atol=1e-4)


def test_without_onnxruntime_an_onnx_file_says_what_to_do(tmp_path, monkeypatch):
    file = write_onnx(tmp_path / "own.onnx", random_iresnet(18, NARROW))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match=r"own.onnx needs onnxruntime: .*pip install onnxruntime"):
        open_face_model(file)


def test_an_onnx_file_that_is_not_whole_is_refused(tmp_path):
    whole = write_onnx(tmp_path / "a.onnx", random_iresnet(18, 2, dimensions=4)).read_bytes()
    file = tmp_path / "part.onnx"
    for share in (0.01, 0.3, 0.6, 0.9, 0.999):
        file.write_bytes(whole[: round(share * len(whole))])
        with pytest.raises(ValueError, match=r"part\.onnx cannot be read .*; fetch it again"):
            open_face_model(file)


def test_an_onnx_file_whose_layers_do_not_fit_is_refused(tmp_path):
    import onnx

    file = write_onnx(tmp_path / "a.onnx", random_iresnet(18, 2, dimensions=4))
    graph = onnx.load(file)
    linear = next(node for node in graph.graph.node if node.op_type == "Gemm")
    next(one for one in linear.attribute if one.name == "transB").i = 0
    onnx.save(graph, file)
    with pytest.raises(ValueError, match=r"a\.onnx.*fetch it again"):
        open_face_model(file)


OUTSIDE = ["secret", "../secret", "/etc/passwd", "*/_ORT_MEM_ADDR_/*"]


def external(folder: Path, location: str) -> Path:
    """An export that says that its weights are at ``location``, and weights called secret."""
    import onnx

    file = write_onnx(folder / "a.onnx", random_iresnet(18, 2, dimensions=4))
    graph = onnx.load(file)
    onnx.save(graph, file, save_as_external_data=True, location="secret", size_threshold=0)
    graph = onnx.load(file, load_external_data=False)
    for tensor in graph.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    file.write_bytes(graph.SerializeToString())
    return file


@pytest.mark.parametrize("location", OUTSIDE)
def test_a_file_that_names_another_place_for_its_weights_is_refused(tmp_path, location):
    file = external(tmp_path, location)
    with pytest.raises(ValueError, match=r"a\.onnx keeps its weights in another file"):
        open_face_model(file)


@pytest.mark.parametrize("location", OUTSIDE)
def test_the_runtime_reads_no_other_file_either(tmp_path, monkeypatch, location):
    (tmp_path / "below").mkdir()
    data = external(tmp_path / "below", location).read_bytes()
    (tmp_path / "secret").write_bytes((tmp_path / "below" / "secret").read_bytes())
    monkeypatch.chdir(tmp_path / "below")  # where a relative place would be looked for
    with pytest.raises(ValueError, match=r"a\.onnx cannot be read"):
        session_of("a.onnx", data)


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


def test_the_licence_of_an_onnx_file_is_kept(tmp_path):
    import onnx

    file = write_onnx(tmp_path / "a.onnx", random_iresnet(18, 2, dimensions=4))
    graph = onnx.load(file)
    onnx.helper.set_model_props(graph, {"license": "apache-2.0"})
    onnx.save(graph, file)
    assert open_face_model(file).card.licence == "apache-2.0"


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
    assert open_face_model(file).card.licence == "CC0"
