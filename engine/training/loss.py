"""What the model is asked to predict, at which noise, and how far off it is."""

from __future__ import annotations

from typing import Any

import torch


def draw_sigmas(
    sampling: Any, count: int, generator: torch.Generator, shift: float = 1.0
) -> torch.Tensor:
    """``count`` noise levels for training, (count,) float32 on the CPU, in the model's own scale.

    Flow models: logit-normal (Esser et al. 2024, section 3.1), then shifted as their samplers
    shift. The others: evenly from the model's table of noise levels.
    Raises ValueError for a model that does not start from noise.
    """
    import comfy.model_sampling as kinds

    _refuse_without_noise(sampling)
    flow = isinstance(sampling, kinds.CONST)
    if flow or isinstance(sampling, kinds.COSMOS_RFLOW):
        u = torch.randn(count, generator=generator).sigmoid()
        u = shift * u / (1 + (shift - 1) * u)
        return u if flow else u / (1 - u)
    table = sampling.sigmas.detach().to("cpu", torch.float32)
    return table[torch.randint(len(table), (count,), generator=generator)]


def add_noise(
    sampling: Any, latent: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor
) -> torch.Tensor:
    """``latent`` (B, …) at noise levels ``sigmas`` (B,), as the model's sampler would have it."""
    return sampling.noise_scaling(sigmas, noise, latent.clone(), False)


def squared_error(
    sampling: Any, denoised: torch.Tensor, latent: torch.Tensor, sigmas: torch.Tensor
) -> torch.Tensor:
    """Each sample's mean squared error of what the network itself predicts: (B,) float32.

    ComfyUI hands out the denoised latent, which is affine in the network's output: velocity for
    flow models, noise or v for the others. Its slope turns the error of one into that of the
    other: error of the output = (denoised - latent) / slope. An error of the denoised latent
    alone would weigh a flow model by σ², and starve fine detail.
    """
    ones = torch.ones_like(latent[:, :1])
    slope = sampling.calculate_denoised(sigmas, ones, torch.zeros_like(ones))
    return ((denoised.float() - latent) / slope).square().flatten(1).mean(1)


def _refuse_without_noise(sampling: Any) -> None:
    import comfy.model_sampling as kinds

    if isinstance(sampling, kinds.X0 | kinds.IMG_TO_IMG_FLOW):
        raise ValueError(
            "This model turns one picture into another and is not trained from noise; "
            "use a text-to-image model."
        )
