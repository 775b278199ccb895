"""What the model is asked to predict, how far off it is, and how much that counts."""

from __future__ import annotations

from typing import Any

import torch

from ...core.errors import FacetError
from .timesteps import is_flow


def add_noise(
    sampling: Any, latent: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor
) -> torch.Tensor:
    """``latent`` (B, …) at noise levels ``sigmas`` (B,), as the model's sampler would have it."""
    return sampling.noise_scaling(sigmas, noise, latent.clone(), False)


def output_error(
    sampling: Any, denoised: torch.Tensor, wanted: torch.Tensor, sigmas: torch.Tensor
) -> torch.Tensor:
    """The squared error of what the network itself predicts, everywhere: (B, C, …) float32.

    ComfyUI hands out the denoised latent, which is affine in the network's output: velocity for
    flow models, noise or v for the others. Its slope turns the error of one into that of the
    other: error of the output = (denoised - wanted) / slope. An error of the denoised latent
    alone would weigh a flow model by σ², and starve fine detail.
    """
    ones = torch.ones_like(wanted[:, :1])
    slope = sampling.calculate_denoised(sigmas, ones, torch.zeros_like(ones))
    return ((denoised.float() - wanted) / slope).square()


def squared_error(
    sampling: Any,
    denoised: torch.Tensor,
    wanted: torch.Tensor,
    sigmas: torch.Tensor,
    where: torch.Tensor | None = None,
) -> torch.Tensor:
    """Each sample's mean squared error of the network's output: (B,) float32.

    ``where`` (B, 1, …) makes it a weighted mean, so that a small subject counts like a large one.
    """
    error = output_error(sampling, denoised, wanted, sigmas)
    if where is None:
        return error.flatten(1).mean(1)
    weighted = (error * where).flatten(1).mean(1)
    # A subject that was all cut off with the picture's edge counts for nothing.
    return weighted / where.flatten(1).mean(1).clamp_min(1e-4)


def loss_weights(
    sampling: Any, sigmas: torch.Tensor, weighting: str, gamma: float = 5.0
) -> torch.Tensor:
    """How much each sample's error counts by its noise: (B,) for ``sigmas`` (B,).

    Both weightings are given by what they make of the denoised picture's error, whose error the
    network's output has SNR times over when it is noise, and SNR + 1 times when it is v:
    min-SNR: min(SNR, gamma) (Hang et al. 2023). debiased: the root of the SNR
    (Yu et al. 2024).
    """
    if weighting == "none":
        return torch.ones_like(sigmas)
    check_objective(sampling, weighting)
    snr = (sampling.sigma_data / sigmas).square()
    of_picture = snr.clamp(max=gamma) if weighting == "min-SNR" else snr.sqrt()
    return of_picture / (snr + 1 if _predicts_v(sampling) else snr)


def check_objective(sampling: Any, weighting: str, noise_offset: float = 0.0) -> None:
    """Raises FacetError when a setting of the loss means nothing for a model of this kind."""
    if not is_flow(sampling):
        return
    kind = "is for models that predict noise or v, and this one is a flow model"
    if weighting != "none":
        raise FacetError(f"loss_weighting is {weighting!r}, which {kind}; choose none.")
    if noise_offset:
        raise FacetError(f"noise_offset is {noise_offset:g}, which {kind}; set it to 0.")


def _predicts_v(sampling: Any) -> bool:
    import comfy.model_sampling as kinds

    # EDM's output is v with its sign turned.
    return isinstance(sampling, kinds.V_PREDICTION | kinds.V_PREDICTION_DDPM)
