"""How a model is shown the reference picture, and in which words it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch

from ..character import Character, Tags
from ..sampling import Conditioning, encode_prompt, with_reference


class ReferenceMode(str, Enum):
    """The ways a model takes a reference picture."""

    AUTO = "auto"
    REFERENCE_LATENTS = "reference_latents"
    IMG2IMG = "img2img"
    PATCHED_MODEL = "patched_model"


UNAMBIGUOUS = {
    "Flux2": ReferenceMode.REFERENCE_LATENTS,
    "Omnigen2": ReferenceMode.REFERENCE_LATENTS,
}
"""Model classes of ComfyUI that always take their reference in one way."""

TAKES_REFERENCE_LATENTS = frozenset({"Flux", "Flux2", "QwenImage", "Omnigen2", "Lumina2"})


@dataclass(frozen=True)
class Reference:
    """A model's view of the original: what to add to the conditioning, what to start from.

    latents: reference latents (1, C, h, w). start: a latent to start from, or None for noise.
    """

    latents: tuple[torch.Tensor, ...]
    start: torch.Tensor | None
    denoise: float
    prompt: Callable[[Tags], str]

    def conditioning(self, clip: Any, text: str, guidance: float | None = None) -> Conditioning:
        """``text`` as CONDITIONING, with the reference in it."""
        conditioning = encode_prompt(clip, text, guidance)
        return with_reference(conditioning, self.latents) if self.latents else conditioning


def resolve_mode(mode: ReferenceMode, model: Any) -> ReferenceMode:
    """The mode to use for ``model``; ValueError when it cannot be known, or cannot work."""
    family = type(model.model).__name__
    if mode is ReferenceMode.AUTO:
        if family not in UNAMBIGUOUS:
            raise ValueError(
                f"A {family} model may or may not take reference pictures; its file does not say. "
                "Set reference_mode: 'reference_latents' for an edit model such as Kontext, "
                "'patched_model' with IP-Adapter or PuLID applied, 'img2img' for any other."
            )
        return UNAMBIGUOUS[family]
    if mode is ReferenceMode.REFERENCE_LATENTS and family not in TAKES_REFERENCE_LATENTS:
        raise ValueError(
            f"A {family} model takes no reference latents. "
            "Set reference_mode to 'img2img', or 'patched_model' with IP-Adapter applied."
        )
    return mode


def reference_for(
    mode: ReferenceMode,
    model: Any,
    vae: Any,
    character: Character,
    width: int,
    height: int,
    denoise: float = 0.75,
) -> Reference:
    """Prepares the original of ``character`` for ``model``, at the size of the shots to make."""
    resolved = resolve_mode(mode, model)
    if resolved is ReferenceMode.PATCHED_MODEL:
        return Reference((), None, 1.0, describe_prompt(character))
    latent = vae.encode(fit(character.source.image, width, height)[None])
    if resolved is ReferenceMode.IMG2IMG:
        return Reference((), latent, denoise, describe_prompt(character))
    return Reference((latent,), None, 1.0, instruct_prompt)


def instruct_prompt(tags: Tags) -> str:
    """The prompt of an edit model, which sees the character: only what is to change."""
    return ", ".join(["same character", *tags.phrases()])


def describe_prompt(character: Character) -> Callable[[Tags], str]:
    """Prompts of a text model, which is told what it draws."""
    return lambda tags: ", ".join([character.class_word, *tags.phrases()])


def fit(image: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """``image`` (H, W, 3) inside ``width`` by ``height``, whole, centred, borders repeated.

    Nothing is cropped and the aspect ratio is kept, so that the face does not zoom or shift.
    """
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))
    picture = image.permute(2, 0, 1)[None]
    if size != tuple(image.shape[:2]):
        picture = torch.nn.functional.interpolate(
            picture, size=size, mode="bicubic", antialias=True, align_corners=False
        ).clamp(0, 1)
    left, top = (width - size[1]) // 2, (height - size[0]) // 2
    padding = (left, width - size[1] - left, top, height - size[0] - top)
    return torch.nn.functional.pad(picture, padding, mode="replicate")[0].permute(1, 2, 0)
