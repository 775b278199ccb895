"""The loss is that of what the network itself predicts, for every kind of model."""

from __future__ import annotations

from typing import Any

import comfy.model_sampling as kinds
import pytest
import torch

from facet.engine.training.loss import add_noise, squared_error
from facet.engine.training.timesteps import draw_sigmas


def sampling(schedule: type, kind: type) -> Any:
    return type("ModelSampling", (schedule, kind), {})()


FLOW = sampling(kinds.ModelSamplingDiscreteFlow, kinds.CONST)
FLUX = sampling(kinds.ModelSamplingFlux, kinds.CONST)
EPS = sampling(kinds.ModelSamplingDiscrete, kinds.EPS)
V = sampling(kinds.ModelSamplingDiscrete, kinds.V_PREDICTION)


def error_of_output(kind: Any, latent: torch.Tensor, noise: torch.Tensor, wanted: Any) -> None:
    """A network that is off by 0.5 everywhere has a loss of 0.25 at every noise level."""
    sigmas = torch.tensor([0.05, 0.4, 0.9])
    noised = add_noise(kind, latent, noise, sigmas)
    output = wanted(sigmas.view(-1, 1, 1, 1)) + 0.5
    denoised = kind.calculate_denoised(sigmas, output, noised)
    loss = squared_error(kind, denoised, latent, sigmas)
    assert loss.tolist() == pytest.approx([0.25] * 3, rel=1e-3)


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(3, 4, 8, 8, generator=generator),
        torch.randn(3, 4, 8, 8, generator=generator),
    )


@pytest.mark.parametrize("kind", [FLOW, FLUX])
def test_flow_models_predict_velocity(kind: Any, pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    latent, noise = pair
    error_of_output(kind, latent, noise, lambda _: noise - latent)


def test_eps_models_predict_noise(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    latent, noise = pair
    error_of_output(EPS, latent, noise, lambda _: noise)


def test_v_models_predict_v(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    """v is the noise less sigma times the latent, over the root of one plus sigma squared."""
    latent, noise = pair
    error_of_output(
        V, latent, noise, lambda sigma: (noise - sigma * latent) / (1 + sigma**2).sqrt()
    )


def test_flow_noise_levels_are_logit_normal() -> None:
    drawn = draw_sigmas(FLUX, 20_000, torch.Generator().manual_seed(0))
    logits = drawn.logit()
    assert float(logits.mean()) == pytest.approx(0, abs=0.03)
    assert float(logits.std()) == pytest.approx(1, abs=0.03)


def test_a_shift_moves_towards_noise() -> None:
    plain = draw_sigmas(FLOW, 1000, torch.Generator().manual_seed(0))
    shifted = draw_sigmas(FLOW, 1000, torch.Generator().manual_seed(0), shift=3.0)
    assert torch.allclose(shifted, 3 * plain / (1 + 2 * plain))


@pytest.mark.parametrize("kind", [EPS, V])
def test_others_take_their_own_noise_levels(kind: Any) -> None:
    drawn = draw_sigmas(kind, 500, torch.Generator().manual_seed(0))
    assert torch.isin(drawn, kind.sigmas).all()
    assert len(drawn.unique()) > 300


def test_a_model_that_does_not_start_from_noise_is_refused() -> None:
    restorer = sampling(kinds.ModelSamplingDiscrete, kinds.IMG_TO_IMG)
    with pytest.raises(ValueError, match="text-to-image"):
        draw_sigmas(restorer, 1, torch.Generator())
