"""Face recognition models read from files: safetensors and ONNX, both run by PyTorch.

Only an ONNX graph with operations of its own needs onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .alignment import SIDE
from .iresnet import load_iresnet
from .onnx_file import read_graph
from .onnx_network import OnnxNetwork, kind, runs, takes_bytes

SUFFIXES = (".safetensors", ".onnx")
LICENCE_KEYS = ("license", "licence", "modelspec.license", "license_name")
NO_LICENCE = (
    "not stated in the file; InsightFace's own models are for non-commercial research only"
)

Recogniser = Callable[[torch.Tensor], torch.Tensor]
"""Aligned faces (N, 3, 112, 112) in 0..1 to embeddings (N, D) float32 on the CPU."""


@dataclass(frozen=True, eq=False)
class FaceModel:
    """A face recognition model. kind: its architecture in words. licence: as its file states it."""

    name: str
    kind: str
    licence: str
    dimensions: int
    recogniser: Recogniser


def open_face_model(path: Path) -> FaceModel:
    """The model in ``path``, a safetensors or an ONNX file.

    Raises ValueError with a sentence when it is no face recognition model, or when it is one that
    needs onnxruntime and that is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name} is neither safetensors nor ONNX; give one of those.")
    return _open_onnx(path) if path.suffix.lower() == ".onnx" else _open_safetensors(path)


def _open_safetensors(path: Path) -> FaceModel:
    import comfy.utils
    from safetensors import SafetensorError

    try:
        state, metadata = comfy.utils.load_torch_file(
            str(path), safe_load=True, return_metadata=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{path.name} cannot be read ({_line(error)}); fetch it again.") from error
    try:
        network = load_iresnet(state)
        network(torch.zeros(1, 3, SIDE, SIDE))
    except RuntimeError as error:
        raise ValueError(
            f"The layers in {path.name} do not fit one another ({_line(error)}); fetch it again."
        ) from error
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    return FaceModel(
        path.stem,
        f"IResNet-{network.depth}",
        licence_in(metadata or {}),
        network.dimensions,
        TorchRecogniser(network),
    )


class TorchRecogniser:
    """A network on the device that ComfyUI gives it.

    takes_bytes: it wants pixels of 0..255 rather than of -1..1.
    """

    def __init__(self, network: torch.nn.Module, takes_bytes: bool = False) -> None:
        import comfy.model_management as management
        import comfy.model_patcher

        self.takes_bytes = takes_bytes
        self.patcher = comfy.model_patcher.ModelPatcher(
            network,
            load_device=management.text_encoder_device(),
            offload_device=management.text_encoder_offload_device(),
            size=management.module_size(network),
        )

    @torch.no_grad()
    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        import comfy.model_management

        # These are plain layers, which ComfyUI cannot stream: where it would leave some of them
        # behind, as with --novram, they are sent after the others.
        comfy.model_management.load_models_gpu([self.patcher], force_full_load=True)
        network = self.patcher.model.to(self.patcher.load_device)
        pixels = _ranged(faces.to(self.patcher.load_device, torch.float32), self.takes_bytes)
        return network(pixels).to("cpu", torch.float32)


def _open_onnx(path: Path) -> FaceModel:
    try:
        data = path.read_bytes()
        graph = read_graph(data)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read ({_line(error)}); fetch it again.") from error
    if not graph.whole:
        raise ValueError(
            f"{path.name} keeps its weights in another file; use a file that holds them itself."
        )
    shapes = [list(shape[1:]) for shape in graph.inputs.values()]
    if shapes != [[3, SIDE, SIDE]] or len(graph.outputs) != 1:
        raise ValueError(
            f"{path.name} is no face recognition model: it takes {shapes} and gives "
            f"{len(graph.outputs)} outputs, where [[3, {SIDE}, {SIDE}]] and one are needed. Of "
            "InsightFace's packs it is glintr100 or w600k_r50."
        )
    recogniser: Recogniser
    if runs(graph):
        recogniser = TorchRecogniser(OnnxNetwork(graph), takes_bytes(graph))
    else:
        recogniser = OnnxRecogniser(_session(path.name, data), takes_bytes(graph))
    try:
        answer = recogniser(torch.zeros(1, 3, SIDE, SIDE))
    except RuntimeError as error:
        raise ValueError(
            f"The layers in {path.name} do not fit one another ({_line(error)}); fetch it again."
        ) from error
    if answer.ndim != 2 or len(answer) != 1:
        raise ValueError(
            f"{path.name} is no face recognition model: for a face it gives {list(answer.shape)} "
            "numbers. Of InsightFace's packs it is glintr100 or w600k_r50."
        )
    return FaceModel(
        path.stem, kind(graph), licence_in(graph.metadata), answer.shape[1], recogniser
    )


def _session(name: str, data: bytes) -> Any:
    """onnxruntime's session for a graph with operations that `OnnxNetwork` does not have."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError(
            f"{name} needs onnxruntime: install it into ComfyUI's Python with `pip install "
            "onnxruntime`, or use an IResNet."
        ) from error
    # What the runtime raises for a bad file derives from Exception alone.
    try:
        return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ValueError(f"{name} cannot be read ({_line(error)}); fetch it again.") from error


class OnnxRecogniser:
    """A face recognition graph in onnxruntime, on the processor."""

    def __init__(self, session: Any, takes_bytes: bool) -> None:
        self.session, self.takes_bytes = session, takes_bytes
        (self.input,) = session.get_inputs()

    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        pixels = _ranged(faces.to("cpu", torch.float32), self.takes_bytes)
        # Many exports take one face at a time.
        step = self.input.shape[0] if isinstance(self.input.shape[0], int) else len(pixels)
        answers = [
            torch.from_numpy(self.session.run(None, {self.input.name: part.numpy()})[0]).float()
            for part in pixels.split(step)
        ]
        return torch.cat(answers)


def _ranged(faces: torch.Tensor, takes_bytes: bool) -> torch.Tensor:
    return faces * 255 if takes_bytes else faces * 2 - 1


def licence_in(metadata: Mapping[str, str]) -> str:
    """The licence that a file's metadata states, on one line."""
    for key, value in metadata.items():
        if key.lower() in LICENCE_KEYS and str(value).strip():
            return " ".join(str(value).split())[:200]
    return NO_LICENCE


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
