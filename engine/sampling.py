"""Pictures out of a ComfyUI model: the one place where Facet samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Conditioning = list[Any]
"""ComfyUI's CONDITIONING: a list of [tensor, options] pairs."""


@dataclass(frozen=True)
class Sampling:
    """How pictures are sampled; width and height in pixels, both multiples of 16."""

    width: int
    height: int
    steps: int = 20
    cfg: float = 3.0
    sampler_name: str = "euler"
    scheduler: str = "simple"
    guidance: float | None = None

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if side < 64 or side % 16:
                raise ValueError(
                    f"A picture of {self.width} by {self.height} cannot be sampled; "
                    "both sides have to be multiples of 16, and 64 or more."
                )


def encode_prompt(clip: Any, text: str, guidance: float | None = None) -> Conditioning:
    """``text`` as CONDITIONING, with a distilled-guidance value when one is given."""
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(text))
    return conditioning if guidance is None else _with_values(conditioning, {"guidance": guidance})


def with_reference(conditioning: Conditioning, latents: Sequence[torch.Tensor]) -> Conditioning:
    """``conditioning`` with reference pictures, as latents of shape (1, C, h, w), added."""
    return _with_values(conditioning, {"reference_latents": list(latents)}, append=True)


def sample(
    model: Any,
    vae: Any,
    positive: Conditioning,
    negative: Conditioning,
    sampling: Sampling,
    seed: int,
    batch: int = 1,
    latent: torch.Tensor | None = None,
    denoise: float = 1.0,
    on_step: Callable[[int, torch.Tensor], None] | None = None,
) -> torch.Tensor:
    """Samples and decodes pictures: (batch, H, W, 3) float32 in 0..1 on the CPU.

    latent: (batch, C, h, w) to start from with ``denoise`` < 1, as the VAE gives it; empty
    otherwise. ``on_step`` gets each finished step's number and its denoised latent. An interrupt
    in ComfyUI ends it with ``InterruptProcessingException``.
    """
    import comfy.sample

    if latent is None:
        shape = (batch, 4, sampling.height // 8, sampling.width // 8)
        latent = comfy.sample.fix_empty_latent_channels(model, torch.zeros(shape), 8)
    samples = comfy.sample.sample(
        model,
        comfy.sample.prepare_noise(latent, seed),
        sampling.steps,
        sampling.cfg,
        sampling.sampler_name,
        sampling.scheduler,
        positive,
        negative,
        latent,
        denoise=denoise,
        callback=None if on_step is None else lambda step, x0, _x, _total: on_step(step + 1, x0),
        disable_pbar=True,
        seed=seed,
    )
    pictures = vae.decode(samples)
    return pictures.reshape(-1, *pictures.shape[-3:]).clamp(0, 1).to("cpu", torch.float32)


def model_fingerprint(model: Any) -> str:
    """A short hash of what ``model`` (a ModelPatcher) would compute: its class, weights, patches.

    A few values of a few tensors stand for the whole, so that it takes milliseconds.
    """
    digest = hashlib.sha256(type(model.model).__name__.encode())
    state = model.model.state_dict()
    # A model in use carries its patches in its weights, and what they were in its backup.
    state |= {key: saved.weight for key, saved in model.backup.items() if key in state}
    weights = [value for _, value in sorted(state.items()) if value.numel() > 1]
    for value in weights[:: max(1, len(weights) // 16)]:
        digest.update(_few_values(value))
    for key, patches in sorted(model.patches.items(), key=lambda item: str(item[0])):
        digest.update(str(key).encode())
        for patch in patches:
            digest.update(repr(patch[0]).encode())
            for value in getattr(patch[1], "weights", ()):
                if isinstance(value, torch.Tensor):
                    digest.update(_few_values(value))
    return digest.hexdigest()[:16]


def _few_values(value: torch.Tensor) -> bytes:
    flat = value.detach().flatten()
    picked = flat[:: max(1, flat.numel() // 32)][:32]
    return repr((tuple(value.shape), picked.to("cpu", torch.float32).tolist())).encode()


def _with_values(
    conditioning: Conditioning, values: dict[str, Any], append: bool = False
) -> Conditioning:
    import node_helpers

    return node_helpers.conditioning_set_values(conditioning, values, append=append)
