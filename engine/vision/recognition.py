"""Face recognition models read from files: safetensors run by PyTorch, ONNX by onnxruntime."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..comfyui.fingerprint import weights_fingerprint
from ..core.errors import FacetError
from .alignment import SIDE
from .iresnet import load_iresnet

SUFFIXES = (".safetensors", ".onnx")
BYTES_NODES = (b"_minusscalar0", b"_mulscalar0")
"""What old MXNet exports call their first nodes, which bring pixels of 0..255 into their range;
InsightFace tells by these names which pixels a file wants, and so do we."""
LICENCE_KEYS = ("license", "licence", "modelspec.license", "license_name")
NO_LICENCE = "not stated in the file; InsightFace's own models are for non-commercial research only"

Recogniser = Callable[[torch.Tensor], torch.Tensor]
"""Aligned faces (N, 3, 112, 112) in 0..1 to embeddings (N, D) float32 on the CPU."""


@dataclass(frozen=True, eq=False)
class FaceModel:
    """A face recognition model. kind: its architecture in words. licence: as its file states it.

    weights: a hash of them, the same in the next process.
    """

    name: str
    kind: str
    licence: str
    dimensions: int
    recogniser: Recogniser
    weights: str = ""


def open_face_model(path: Path) -> FaceModel:
    """The model in ``path``, a safetensors or an ONNX file.

    Raises FacetError with a sentence when it is no face recognition model, or when it is one that
    needs onnxruntime and that is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise FacetError(f"{path.name} is neither safetensors nor ONNX; give one of those.")
    return _open_onnx(path) if path.suffix.lower() == ".onnx" else _open_safetensors(path)


def _open_safetensors(path: Path) -> FaceModel:
    import comfy.utils
    from safetensors import SafetensorError

    try:
        state, metadata = comfy.utils.load_torch_file(
            str(path), safe_load=True, return_metadata=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise FacetError(f"{path.name} cannot be read ({_line(error)}); fetch it again.") from error
    try:
        network = load_iresnet(state)
        network(torch.zeros(1, 3, SIDE, SIDE))
    except RuntimeError as error:
        raise FacetError(
            f"The layers in {path.name} do not fit one another ({_line(error)}); fetch it again."
        ) from error
    except ValueError as error:
        raise FacetError(f"{path.name}: {error}") from error
    return FaceModel(
        path.stem,
        f"IResNet-{network.depth}",
        licence_in(metadata or {}),
        network.dimensions,
        TorchRecogniser(network),
        weights_fingerprint([network]),
    )


class TorchRecogniser:
    """An IResNet on the device that ComfyUI gives it."""

    def __init__(self, network: torch.nn.Module) -> None:
        import comfy.model_management as management
        import comfy.model_patcher

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
        pixels = faces.to(self.patcher.load_device, torch.float32) * 2 - 1
        return network(pixels).to("cpu", torch.float32)


def _open_onnx(path: Path) -> FaceModel:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FacetError(f"{path.name} cannot be read ({_line(error)}); fetch it again.") from error
    # A tensor in another file says its "location". Newer runtimes refuse such graphs when they are
    # given bytes, as here; older ones would read any file that the graph names.
    if b"location" in data:
        raise FacetError(
            f"{path.name} keeps its weights in another file; use a file that holds them itself."
        )
    session = session_of(path.name, data)
    shapes = [list(one.shape[1:]) for one in session.get_inputs()]
    if shapes != [[3, SIDE, SIDE]] or len(session.get_outputs()) != 1:
        raise FacetError(
            f"{path.name} is no face recognition model: it takes {shapes} and gives "
            f"{len(session.get_outputs())} outputs, where [[3, {SIDE}, {SIDE}]] and one are "
            "needed. Of InsightFace's packs it is glintr100 or w600k_r50."
        )
    recogniser = OnnxRecogniser(path.name, session, all(name in data for name in BYTES_NODES))
    answer = recogniser(torch.zeros(1, 3, SIDE, SIDE))
    if answer.ndim != 2 or len(answer) != 1:
        raise FacetError(
            f"{path.name} is no face recognition model: for a face it gives {list(answer.shape)} "
            "numbers. Of InsightFace's packs it is glintr100 or w600k_r50."
        )
    licence = licence_in(session.get_modelmeta().custom_metadata_map)
    weights = hashlib.sha256(data).hexdigest()[:16]
    return FaceModel(path.stem, "ONNX", licence, answer.shape[1], recogniser, weights)


def session_of(name: str, data: bytes) -> Any:
    """onnxruntime's session for the graph in ``data``."""
    try:
        import onnxruntime
    except ImportError as error:
        raise FacetError(
            f"{name} needs onnxruntime: install it into ComfyUI's Python with `pip install "
            "onnxruntime`, or use a safetensors file."
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said by us
    # What the runtime raises for a bad file derives from Exception alone.
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise FacetError(f"{name} cannot be read ({_line(error)}); fetch it again.") from error


class OnnxRecogniser:
    """A face recognition graph in onnxruntime, on the processor.

    takes_bytes: it wants pixels of 0..255 rather than of -1..1.
    """

    def __init__(self, name: str, session: Any, takes_bytes: bool) -> None:
        self.name, self.session, self.takes_bytes = name, session, takes_bytes
        (self.input,) = session.get_inputs()

    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        faces = faces.to("cpu", torch.float32)
        pixels = faces * 255 if self.takes_bytes else faces * 2 - 1
        # Many exports take one face at a time.
        step = self.input.shape[0] if isinstance(self.input.shape[0], int) else len(pixels)
        return torch.cat([self._run(part) for part in pixels.split(step)])

    def _run(self, pixels: torch.Tensor) -> torch.Tensor:
        try:
            (answer,) = self.session.run(None, {self.input.name: pixels.numpy()})
        except Exception as error:
            raise FacetError(
                f"The layers in {self.name} do not fit one another ({_line(error)}); fetch it "
                "again."
            ) from error
        return torch.from_numpy(answer).float()


def licence_in(metadata: Mapping[str, str]) -> str:
    """The licence that a file's metadata states, on one line."""
    for key, value in metadata.items():
        if key.lower() in LICENCE_KEYS and str(value).strip():
            return " ".join(str(value).split())[:200]
    return NO_LICENCE


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
