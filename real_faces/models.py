"""The real networks, as ComfyUI hands models to nodes."""

from __future__ import annotations

import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .files import RECOGNISER, WEIGHTS, files
from .litert import LiteRTNetwork
from .photographs import Photograph, photographs

MESH_SIDE, SELFIE_SIDE = 256, 256


class PublishedMesh(torch.nn.Module):
    """The published bundle's mesh in the place of core's, which is in no package.

    Faces (N, 3, 256, 256) in 0..1 to landmarks (N, 478, 3) in px of the crop and logits (N,).
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = LiteRTNetwork(files() / "face_landmarks.tflite")

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        landmarks, presence, _ = self.network(faces.movedim(1, -1))
        return landmarks.reshape(-1, 478, 3), presence.reshape(-1)


class SelfieSegmentation:
    """MediaPipe's selfie segmentation, as what goes over BACKGROUND_REMOVAL."""

    def __init__(self) -> None:
        self.network = LiteRTNetwork(files() / "selfie_segmentation.tflite")

    def encode_image(self, image: Tensor, image_size: int | None = None) -> Tensor:
        """Masks (B, H, W) in 0..1, 1 where a person is, of pictures (B, H, W, C) in 0..1."""
        size = (SELFIE_SIDE, SELFIE_SIDE)
        pictures = image[..., :3].movedim(-1, 1).cpu().float()
        small = F.interpolate(pictures, size, mode="bilinear", antialias=True)
        [masks] = self.network(small.movedim(1, -1))
        whole = F.interpolate(masks.movedim(-1, 1), image.shape[1:3], mode="bilinear")
        return whole[:, 0].clamp(0, 1)


def face_model() -> Any:
    """Core's FACE_DETECTION_MODEL with the published networks; raises `files.NotFetched`."""
    from comfy_extras.mediapipe.face_landmarker import FaceLandmarker
    from comfy_extras.nodes_mediapipe import FaceLandmarkerModel
    from safetensors.torch import load_file

    model = FaceLandmarkerModel(load_file(files() / WEIGHTS))
    mesh = PublishedMesh()
    # Core's own function, with the side of this mesh's crop: a constant of its module.
    known = FaceLandmarker.detect_batch.__globals__ | {"_FM_INPUT_SIZE": MESH_SIDE}
    detect_batch = types.FunctionType(FaceLandmarker.detect_batch.__code__, known)
    detect_batch.__kwdefaults__ = FaceLandmarker.detect_batch.__kwdefaults__
    detect_batch.__defaults__ = FaceLandmarker.detect_batch.__defaults__
    for network in model.models.values():
        network.mesh = mesh
        network.detect_batch = types.MethodType(detect_batch, network)
    return model


@dataclass(frozen=True)
class RealFaces:
    """All of it: what goes over FACE_DETECTION_MODEL and BACKGROUND_REMOVAL, a face recogniser's
    ONNX file with its card beside it, and the photographs by name."""

    model: Any
    background: SelfieSegmentation
    recogniser: Path
    photographs: dict[str, Photograph]

    @classmethod
    def load(cls) -> RealFaces:
        """Raises `files.NotFetched`."""
        return cls(face_model(), SelfieSegmentation(), files() / RECOGNISER, photographs())
