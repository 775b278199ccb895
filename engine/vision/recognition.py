"""Recognition models read from files: safetensors run by PyTorch, ONNX by onnxruntime.

What a file does not say of itself stands in a JSON beside it, see `embedder_card`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..comfyui.fingerprint import weights_fingerprint
from ..core.errors import FacetError
from ..store.keys import key
from .alignment import SIDE
from .embedder_card import EmbedderCard, Normalisation, read_card
from .iresnet import load_iresnet
from .onnx_model import OnnxModel, first_line

SUFFIXES = (".safetensors", ".onnx")
LICENCE_KEYS = ("license", "licence", "modelspec.license", "license_name")
NO_LICENCE = "not stated in the file"

Recogniser = Callable[[torch.Tensor], torch.Tensor]
"""Pictures (N, 3, S, S) in 0..1 to embeddings (N, D) float32 on the CPU."""


@dataclass(frozen=True, eq=False)
class FaceModel:
    """A recognition model. kind: its architecture in words.

    card: what is known of it, with its size and its licence. weights: a hash of them and of how the
    model is shown a picture, the same in the next process.
    """

    name: str
    kind: str
    dimensions: int
    recogniser: Recogniser
    weights: str
    card: EmbedderCard


def open_face_model(path: Path) -> FaceModel:
    """The model in ``path``, a safetensors or an ONNX file, as the JSON beside it says.

    Raises FacetError with a sentence when it is no recognition model, when it does not fit what the
    JSON says, or when it is one that needs onnxruntime and that is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise FacetError(f"{path.name} is neither safetensors nor ONNX; give one of those.")
    card = read_card(path)
    opened = _open_onnx if path.suffix.lower() == ".onnx" else _open_safetensors
    return opened(path, card)


def _open_safetensors(path: Path, said: EmbedderCard | None) -> FaceModel:
    import comfy.utils
    from safetensors import SafetensorError

    card = said or EmbedderCard()
    card = replace(card, size=card.size or SIDE)
    try:
        state, metadata = comfy.utils.load_torch_file(
            str(path), safe_load=True, return_metadata=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise FacetError(
            f"{path.name} cannot be read ({first_line(error)}); fetch it again."
        ) from error
    try:
        network = load_iresnet(state, card.size)
        network(torch.zeros(1, 3, card.size, card.size))
    except RuntimeError as error:
        raise FacetError(
            f"The layers in {path.name} do not fit one another ({first_line(error)}); fetch it "
            "again."
        ) from error
    except ValueError as error:
        raise FacetError(f"{path.name}: {error}") from error
    return FaceModel(
        path.stem,
        f"IResNet-{network.depth}",
        network.dimensions,
        TorchRecogniser(network, Normalisation.of(card)),
        _hash_of(weights_fingerprint([network]), said),
        _licensed(card, metadata or {}),
    )


class TorchRecogniser:
    """An IResNet on the device that ComfyUI gives it."""

    def __init__(self, network: torch.nn.Module, normalisation: Normalisation) -> None:
        import comfy.model_management as management
        import comfy.model_patcher

        self.normalisation = normalisation
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
        pixels = self.normalisation(faces.to("cpu", torch.float32))
        return network(pixels.to(self.patcher.load_device)).to("cpu", torch.float32)


def _open_onnx(path: Path, said: EmbedderCard | None) -> FaceModel:
    model = OnnxModel(path, said)
    return FaceModel(
        path.stem,
        "ONNX",
        model.dimensions,
        model,
        _hash_of(model.digest, said),
        _licensed(model.card, model.metadata),
    )


def _hash_of(weights: str, said: EmbedderCard | None) -> str:
    """``weights`` with what a card says of how the model is shown a picture; alone without any."""
    if said is None:
        return weights
    shown = {name: getattr(said, name) for name in ("size", "mean", "std", "colours", "output")}
    return f"{weights} {key(1, card=EmbedderCard(**shown))}"


def _licensed(card: EmbedderCard, metadata: Mapping[str, Any]) -> EmbedderCard:
    return replace(card, licence=card.licence or licence_in(metadata))


def licence_in(metadata: Mapping[str, Any]) -> str:
    """The licence that a file's metadata states, on one line."""
    for name, value in metadata.items():
        if name.lower() in LICENCE_KEYS and str(value).strip():
            return " ".join(str(value).split())[:200]
    return NO_LICENCE
