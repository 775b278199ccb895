"""Face recognition models read from files: IResNet in PyTorch, anything else as ONNX."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .alignment import SIDE
from .iresnet import load_iresnet

SUFFIXES = (".safetensors", ".onnx")
LICENCE_KEYS = ("license", "licence", "modelspec.license", "license_name")
NO_LICENCE = (
    "not stated in the file; InsightFace's own models are for non-commercial research only"
)
NORMALISES_ITSELF = re.compile(rb"_minusscalar|\bSub_\d")
"""Names of the nodes by which a graph takes pixels of 0..255, as InsightFace looks for them."""

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

    Raises ValueError with a sentence when it is no face recognition model, or when it is ONNX and
    onnxruntime is not installed.
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
    kind = f"IResNet-{network.depth}"
    return FaceModel(
        path.stem, kind, licence_in(metadata or {}), network.dimensions, TorchRecogniser(network)
    )


class TorchRecogniser:
    """An IResNet on the device that ComfyUI gives it."""

    def __init__(self, network: torch.nn.Module) -> None:
        import comfy.model_management as management
        import comfy.model_patcher

        self.patcher = comfy.model_patcher.CoreModelPatcher(
            network,
            load_device=management.text_encoder_device(),
            offload_device=management.text_encoder_offload_device(),
            size=management.module_size(network),
        )

    @torch.no_grad()
    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        import comfy.model_management

        comfy.model_management.load_model_gpu(self.patcher)
        pixels = faces.to(self.patcher.load_device, torch.float32) * 2 - 1
        return self.patcher.model(pixels).to("cpu", torch.float32)


def _open_onnx(path: Path) -> FaceModel:
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError(
            f"{path.name} is ONNX, which needs onnxruntime: install it into ComfyUI's Python with "
            "`pip install onnxruntime`, or use an IResNet as safetensors."
        ) from error
    # What the runtime raises for a bad file derives from Exception alone. Read as bytes, a file
    # cannot name others on the disk to be read for it.
    try:
        data = path.read_bytes()
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read ({_line(error)}); fetch it again.") from error
    taken, given = session.get_inputs(), session.get_outputs()
    if (
        len(taken) != 1
        or len(taken[0].shape) != 4
        or list(taken[0].shape[1:]) != [3, SIDE, SIDE]
        or len(given) != 1
        or len(given[0].shape) != 2
    ):
        raise ValueError(
            f"{path.name} is no face recognition model: it takes {taken[0].shape} and gives "
            f"{len(given)} outputs, where faces (N, 3, {SIDE}, {SIDE}) and one embedding each are "
            "needed. Of InsightFace's packs it is glintr100 or w600k_r50."
        )
    recogniser = OnnxRecogniser(session, bool(NORMALISES_ITSELF.search(data)))
    dimensions = recogniser(torch.zeros(1, 3, SIDE, SIDE)).shape[1]
    metadata = session.get_modelmeta().custom_metadata_map
    return FaceModel(path.stem, "ONNX", licence_in(metadata), dimensions, recogniser)


class OnnxRecogniser:
    """A face recognition graph in onnxruntime, on the processor."""

    def __init__(self, session: Any, takes_bytes: bool) -> None:
        self.session, self.takes_bytes = session, takes_bytes
        (self.input,) = session.get_inputs()

    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        pixels = faces.to("cpu", torch.float32)
        pixels = pixels * 255 if self.takes_bytes else pixels * 2 - 1
        # Many exports take one face at a time.
        step = self.input.shape[0] if isinstance(self.input.shape[0], int) else len(pixels)
        answers = [
            torch.from_numpy(self.session.run(None, {self.input.name: part.numpy()})[0]).float()
            for part in pixels.split(step)
        ]
        return torch.cat(answers)


def licence_in(metadata: Mapping[str, str]) -> str:
    """The licence that a file's metadata states, on one line."""
    for key, value in metadata.items():
        if key.lower() in LICENCE_KEYS and str(value).strip():
            return " ".join(str(value).split())[:200]
    return NO_LICENCE


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
