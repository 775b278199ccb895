"""Pictures out of a ComfyUI model: the one place where Facet samples."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..core.errors import FacetError
from .fingerprint import described

LONGEST_PROMPT = 5000
"""Letters: some thousand tokens, more than any text encoder was trained with."""

Conditioning = list[Any]
"""ComfyUI's CONDITIONING: a list of [tensor, options] pairs."""

OnStep = Callable[[int, torch.Tensor], None]
"""Hears of each finished step: its number, from 1, and its denoised latent."""


@dataclass(frozen=True)
class Sampling:
    """How pictures are sampled; width and height in pixels, multiples of 16, or 0 while not set."""

    width: int = 0
    height: int = 0
    steps: int = 20
    cfg: float = 3.0
    sampler_name: str = "euler"
    scheduler: str = "simple"
    guidance: float | None = None

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if side and (side < 64 or side % 16):
                raise FacetError(
                    f"A picture of {self.width} by {self.height} cannot be sampled; "
                    "both sides have to be multiples of 16, and 64 or more."
                )


@dataclass(frozen=True)
class CustomSampling:
    """A SAMPLER and SIGMAS of the user's own; each that is None is made from ``Sampling``.

    sigmas: (steps + 1,), falling; with them, they and not ``denoise`` say how much is made anew.
    """

    sampler: Any = None
    sigmas: torch.Tensor | None = None

    def steps(self, sampling: Sampling) -> int:
        """How many steps a picture takes."""
        return sampling.steps if self.sigmas is None else max(1, len(self.sigmas) - 1)

    def key_values(self) -> dict[str, object]:
        """What tells it from another, the same in the next process; see ``store.keys``."""
        return {"sampler": described(self.sampler), "sigmas": self.sigmas}


def encode_prompt(
    clip: Any, text: str, guidance: float | None = None, tokens: Any = None
) -> Conditioning:
    """``text`` as CONDITIONING, with a distilled-guidance value when one is given.

    tokens: what ``clip`` made of the text, where that took more than the text. Raises FacetError
    as ``tokenized`` does.
    """
    conditioning = clip.encode_from_tokens_scheduled(tokens or tokenized(clip, text))
    return conditioning if guidance is None else _with_values(conditioning, {"guidance": guidance})


def tokenized(clip: Any, text: str, **more: Any) -> Any:
    """The tokens that ``clip`` makes of ``text``, with ``more`` for its tokenizer.

    Raises FacetError for a text that nobody wrote: encoding takes minutes of it, and cannot be
    cancelled; and for brackets nested deeper than Python can go.
    """
    if len(text) > LONGEST_PROMPT:
        raise FacetError(
            f"A prompt has {len(text)} letters ({text[:40]!r} …); shorten it to {LONGEST_PROMPT}."
        )
    try:
        return clip.tokenize(text, **more)
    except RecursionError as error:
        raise FacetError(
            f"A prompt has too many brackets inside each other ({text[:40]!r} …); take some out."
        ) from error


def literal(text: str) -> str:
    """``text`` as ComfyUI's tokenizers read it letter by letter: its brackets are no weights.

    They take a bracket behind a backslash for the bracket itself (comfy/sd1_clip.py,
    escape_important), so one that has a backslash already means what it means in a prompt.
    """
    return re.sub(r"(?<!\\)([()])", r"\\\1", text)


def with_reference(
    conditioning: Conditioning, latents: Sequence[torch.Tensor], method: str | None = None
) -> Conditioning:
    """``conditioning`` with reference pictures, as latents of shape (1, C, h, w), added.

    method: how the model tells them apart, where that is not the model's own way.
    """
    told = {} if method is None else {"reference_latents_method": method}
    conditioning = _with_values(conditioning, told) if told else conditioning
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
    on_step: OnStep | None = None,
    custom: CustomSampling | None = None,
    noise: torch.Tensor | None = None,
) -> torch.Tensor:
    """Samples and decodes pictures: (batch, H, W, 3) float32 in 0..1 on the CPU.

    latent: (batch, C, h, w) to start from with ``denoise`` < 1, as the VAE gives it; empty
    otherwise. ``on_step`` gets each finished step's number and its denoised latent. noise: of the
    latent's shape, in the place of the seed's. An interrupt in ComfyUI ends it with
    ``InterruptProcessingException``.
    """
    import comfy.model_management
    import comfy.sample

    if latent is None:
        shape = (batch, 4, sampling.height // 8, sampling.width // 8)
        latent = comfy.sample.fix_empty_latent_channels(model, torch.zeros(shape), 8)
    if noise is None:
        noise = comfy.sample.prepare_noise(latent, seed)

    def after_step(step: int, x0: torch.Tensor, _x: torch.Tensor, _total: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        if on_step is not None:
            on_step(step + 1, x0)

    common = {"latent_image": latent, "callback": after_step, "disable_pbar": True, "seed": seed}
    if custom is None:
        samples = comfy.sample.sample(
            model,
            noise,
            sampling.steps,
            sampling.cfg,
            sampling.sampler_name,
            sampling.scheduler,
            positive,
            negative,
            denoise=denoise,
            **common,
        )
    else:
        sampler, sigmas = _sampler_and_sigmas(model, sampling, custom, denoise)
        samples = comfy.sample.sample_custom(
            model, noise, sampling.cfg, sampler, sigmas, positive, negative, **common
        )
    pictures = vae.decode(samples)
    return pictures.reshape(-1, *pictures.shape[-3:]).clamp(0, 1).to("cpu", torch.float32)


def _sampler_and_sigmas(
    model: Any, sampling: Sampling, custom: CustomSampling, denoise: float
) -> tuple[Any, torch.Tensor]:
    import comfy.samplers

    sampler = custom.sampler or comfy.samplers.sampler_object(sampling.sampler_name)
    if custom.sigmas is not None:
        if custom.sigmas.ndim != 1 or len(custom.sigmas) < 2:
            raise FacetError(
                f"The SIGMAS hold {custom.sigmas.numel()} value(s), which is no step; "
                "connect a scheduler with one step or more."
            )
        return sampler, custom.sigmas
    steps = sampling.steps if denoise >= 1 else int(sampling.steps / denoise)
    known = model.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(known, sampling.scheduler, steps)
    return sampler, sigmas[-(sampling.steps + 1) :]


def _with_values(
    conditioning: Conditioning, values: dict[str, Any], append: bool = False
) -> Conditioning:
    import node_helpers

    return node_helpers.conditioning_set_values(conditioning, values, append=append)
