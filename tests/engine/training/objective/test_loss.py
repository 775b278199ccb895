"""The loss is that of what the network itself predicts, for every kind of model."""

from __future__ import annotations

from typing import Any

import comfy.model_sampling as kinds
import pytest
import torch

from facet.engine.training.objective.loss import (
    add_noise,
    check_objective,
    loss_weights,
    squared_error,
)


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


def test_a_weighted_mean_counts_only_where_its_weights_are(
    pair: tuple[torch.Tensor, torch.Tensor],
) -> None:
    """A subject of any size counts the same: 1 on four of 64 points is the mean of those four."""
    latent, noise = pair
    sigmas = torch.tensor([0.2, 0.5, 0.9])
    output = noise - latent + 0.5
    output[..., :2, :2] = (noise - latent)[..., :2, :2] + 2.0
    denoised = FLOW.calculate_denoised(sigmas, output, add_noise(FLOW, latent, noise, sigmas))
    where = torch.zeros(3, 1, 8, 8)
    where[0, :, :2, :2] = 1
    where[1, :, 2:, 2:] = 1
    where[2] = 1
    loss = squared_error(FLOW, denoised, latent, sigmas, where)
    assert loss.tolist() == pytest.approx([4.0, 0.25, (4 * 4 + 60 * 0.25) / 64], rel=1e-3)


def test_an_empty_mask_is_no_loss_rather_than_no_number(
    pair: tuple[torch.Tensor, torch.Tensor],
) -> None:
    latent, noise = pair
    loss = squared_error(FLOW, noise, latent, torch.full((3,), 0.5), torch.zeros(3, 1, 8, 8))
    assert loss.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "weighting", "expected"),
    [
        # At sigma 2, 1 and 0.2 the signal-to-noise ratio is 1/4, 1 and 25.
        (EPS, "min-SNR", [1, 1, 1 / 5]),
        (V, "min-SNR", [1 / 5, 1 / 2, 5 / 26]),
        (EPS, "debiased", [2, 1, 1 / 5]),
        (V, "debiased", [2 / 5, 1 / 2, 5 / 26]),
    ],
)
def test_weights_by_the_signal_to_noise_ratio(
    kind: Any, weighting: str, expected: list[float]
) -> None:
    weights = loss_weights(kind, torch.tensor([2.0, 1.0, 0.2]), weighting, gamma=5.0)
    assert weights.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weighting", ["min-SNR", "debiased"])
def test_an_error_of_the_picture_counts_the_same_for_noise_and_v(
    weighting: str, pair: tuple[torch.Tensor, torch.Tensor]
) -> None:
    latent, _ = pair
    sigmas = torch.tensor([0.05, 0.8, 6.0])
    losses = [
        loss_weights(kind, sigmas, weighting) * squared_error(kind, latent + 0.1, latent, sigmas)
        for kind in (EPS, V)
    ]
    assert torch.allclose(*losses, rtol=1e-4)


@pytest.mark.parametrize("kind", [FLOW, FLUX])
def test_flow_models_have_no_such_weights(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"loss_weighting is 'min-SNR'.*choose none"):
        loss_weights(kind, torch.tensor([0.5]), "min-SNR")
    assert loss_weights(kind, torch.tensor([0.5]), "none").tolist() == [1.0]
    with pytest.raises(ValueError, match=r"noise_offset is 0.05, which .*set it to 0"):
        check_objective(kind, "none", 0.05)
