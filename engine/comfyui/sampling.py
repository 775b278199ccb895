"""Pictures out of a ComfyUI model: the one place where Facet samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
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

    def __repr__(self) -> str:
        # Shots are found again by this, so it has to be the same in the next process.
        described = [_described(self.sampler)]
        described += [] if self.sigmas is None else [_few_values(self.sigmas).decode()]
        return f"CustomSampling({', '.join(described)})"


def encode_prompt(
    clip: Any, text: str, guidance: float | None = None, tokens: Any = None
) -> Conditioning:
    """``text`` as CONDITIONING, with a distilled-guidance value when one is given.

    tokens: what ``clip`` made of the text, where that took more than the text.
    """
    conditioning = clip.encode_from_tokens_scheduled(tokens or clip.tokenize(text))
    return conditioning if guidance is None else _with_values(conditioning, {"guidance": guidance})


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
    on_step: Callable[[int, torch.Tensor], None] | None = None,
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
            raise ValueError(
                f"The SIGMAS hold {custom.sigmas.numel()} value(s), which is no step; "
                "connect a scheduler with one step or more."
            )
        return sampler, custom.sigmas
    steps = sampling.steps if denoise >= 1 else int(sampling.steps / denoise)
    known = model.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(known, sampling.scheduler, steps)
    return sampler, sigmas[-(sampling.steps + 1) :]


def _described(value: Any, depth: int = 4) -> str:
    """``value`` in words that do not change from one process to the next."""
    if isinstance(value, torch.Tensor):
        return _few_values(value).decode()
    if value is None or isinstance(value, str | int | float | bool):
        return repr(value)
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, list | tuple) and depth:
        return repr([_described(one, depth - 1) for one in value])
    parts = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    if not depth or isinstance(value, torch.nn.Module):
        parts = {}
    items = sorted((str(key), _described(one, depth - 1)) for key, one in parts.items())
    return f"{type(value).__qualname__}{items}"


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


def weights_fingerprint(networks: Iterable[torch.nn.Module]) -> str:
    """A short hash of a few values of a few weights of ``networks``."""
    digest = hashlib.sha256()
    for network in networks:
        weights = [value for _, value in sorted(network.state_dict().items()) if value.numel() > 1]
        for value in weights[:: max(1, len(weights) // 16)]:
            digest.update(_few_values(value))
    return digest.hexdigest()[:16]


def fingerprint(model: Any) -> str:
    """Which model this is, from a few of its weights; the same in the next process, '' for None."""
    if model is None:
        return ""
    return f"{type(model).__name__} {weights_fingerprint(_networks(model))}"


def _networks(model: Any) -> Iterator[torch.nn.Module]:
    """The networks that ``model`` holds, whatever class of ComfyUI's it is."""
    for value in vars(model).values():
        held = value.values() if isinstance(value, dict) else [value]
        yield from (one for one in held if isinstance(one, torch.nn.Module))


def _few_values(value: torch.Tensor) -> bytes:
    flat = value.detach().flatten()
    picked = flat[:: max(1, flat.numel() // 32)][:32]
    return repr((tuple(value.shape), picked.to("cpu", torch.float32).tolist())).encode()


def _with_values(
    conditioning: Conditioning, values: dict[str, Any], append: bool = False
) -> Conditioning:
    import node_helpers

    return node_helpers.conditioning_set_values(conditioning, values, append=append)
