"""What Facet needs of ComfyUI's MODEL, CLIP and VAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch


class Model(Protocol):
    """ComfyUI's ModelPatcher. model: its BaseModel. patches: what is put on the weights, by key."""

    model: Any
    patches: dict[Any, Any]
    load_device: Any

    def clone(self) -> Any:
        """Another patcher of the same weights."""

    def get_model_object(self, name: str) -> Any:
        """A part of the model, such as its ``model_sampling``."""


class Clip(Protocol):
    """ComfyUI's CLIP. patcher: the ModelPatcher of its text encoders."""

    cond_stage_model: Any
    patcher: Any
    tokenizer: Any

    def tokenize(self, text: str) -> Any:
        """The tokens of ``text``, by encoder."""

    def encode_from_tokens_scheduled(self, tokens: Any) -> list[Any]:
        """CONDITIONING of the tokens."""


class Vae(Protocol):
    """ComfyUI's VAE."""

    first_stage_model: Any

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Latents of images (B, H, W, 3) in 0..1."""

    def decode(self, samples: torch.Tensor) -> torch.Tensor:
        """Images (B, H, W, 3) of latents."""


@dataclass(frozen=True)
class Models:
    """What samples: a diffusion model, the text encoder and the VAE that belong to it."""

    model: Any
    clip: Any
    vae: Any
