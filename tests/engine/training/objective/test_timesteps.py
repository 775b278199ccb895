"""Where noise levels are drawn, and how a shot is held to some of them."""

from __future__ import annotations

import math
from typing import Any

import comfy.model_sampling as kinds
import pytest
import torch
from comfy_extras.nodes_model_advanced import ModelSamplingFlux

from facet.engine.training.objective.timesteps import draw_sigmas, sigmas_at
from harness.small_models import SmallModels


def sampling(schedule: type, kind: type) -> Any:
    return type("ModelSampling", (schedule, kind), {})()


FLOW = sampling(kinds.ModelSamplingDiscreteFlow, kinds.CONST)
FLUX = sampling(kinds.ModelSamplingFlux, kinds.CONST)
COSMOS = sampling(kinds.ModelSamplingCosmosRFlow, kinds.COSMOS_RFLOW)
EPS = sampling(kinds.ModelSamplingDiscrete, kinds.EPS)
V = sampling(kinds.ModelSamplingDiscrete, kinds.V_PREDICTION)
MANY = 20_000


def drawn(kind: Any, count: int = MANY, **how: Any) -> torch.Tensor:
    return draw_sigmas(kind, count, torch.Generator().manual_seed(0), **how)


def median(values: torch.Tensor) -> float:
    return float(values.median())


@pytest.mark.parametrize(("timesteps", "mean"), [("auto", math.log(3)), ("logit-normal", 0)])
def test_flow_noise_levels_are_logit_normal(timesteps: str, mean: float) -> None:
    logits = drawn(FLUX, timesteps=timesteps).logit()
    assert float(logits.mean()) == pytest.approx(mean, abs=0.03)
    assert float(logits.std()) == pytest.approx(1, abs=0.03)


def test_uniform_levels_are_spread_evenly() -> None:
    quarters = torch.histc(drawn(FLUX, timesteps="uniform"), bins=4, min=0, max=1) / MANY
    assert quarters.tolist() == pytest.approx([0.25] * 4, abs=0.015)


@pytest.mark.parametrize("timesteps", ["auto", "shift"])
def test_a_shift_of_three_puts_half_of_the_draws_above_three_quarters(timesteps: str) -> None:
    assert median(drawn(FLOW, shift=3.0, timesteps=timesteps)) == pytest.approx(0.75, abs=0.01)


def test_a_logit_normal_is_not_shifted() -> None:
    assert median(drawn(FLOW, shift=3.0, timesteps="logit-normal")) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_the_shift_of_the_model_is_that_of_its_sampler(shift: float) -> None:
    """Half of the draws lie above the middle of what its sampler steps through."""
    model = sampling(kinds.ModelSamplingDiscreteFlow, kinds.CONST)
    model.set_parameters(shift=shift)
    middle = float(model.sigma(torch.tensor(500.0)))
    assert median(drawn(model, timesteps="shift")) == pytest.approx(middle, abs=0.01)


def test_flux_dev_is_shifted_by_3_16() -> None:
    above = median(drawn(FLUX, timesteps="shift"))
    assert above / (1 - above) == pytest.approx(3.16, rel=0.05)


@pytest.mark.parametrize("side", [256, 768, 1024])
def test_flux_shift_is_that_of_comfyuis_sampler_at_this_size(
    models: SmallModels, side: int
) -> None:
    (patched,) = ModelSamplingFlux().patch(models.model, 1.15, 0.5, side, side)
    middle = float(patched.get_model_object("model_sampling").sigma(torch.tensor(0.5)))
    found = median(drawn(FLUX, timesteps="flux_shift", tokens=(side // 16) ** 2))
    assert found == pytest.approx(middle, abs=0.01)


def test_sigmas_of_cosmos_are_noise_over_picture() -> None:
    sigmas = drawn(COSMOS, timesteps="logit-normal")
    assert median(sigmas) == pytest.approx(1, abs=0.03)
    assert sigmas_at(COSMOS, torch.tensor([0.5, 0.75])).tolist() == pytest.approx([1, 3])


@pytest.mark.parametrize("kind", [EPS, V])
@pytest.mark.parametrize("timesteps", ["auto", "uniform"])
def test_others_take_their_own_noise_levels_evenly(kind: Any, timesteps: str) -> None:
    sigmas = drawn(kind, timesteps=timesteps)
    assert torch.isin(sigmas, kind.sigmas).all()
    places = torch.searchsorted(kind.sigmas, sigmas) / 1000
    assert torch.histc(places, bins=4, min=0, max=1).div(MANY).tolist() == pytest.approx(
        [0.25] * 4, abs=0.015
    )


def test_others_can_be_trained_in_the_middle() -> None:
    places = torch.searchsorted(EPS.sigmas, drawn(EPS, timesteps="logit-normal")) / 1000
    assert float((places - 0.5).abs().lt(0.25).float().mean()) == pytest.approx(0.728, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "timesteps", "shift"),
    [
        (FLUX, "auto", 1.0),
        (FLUX, "auto", 3.0),
        (FLUX, "uniform", 1.0),
        (FLUX, "flux_shift", 1.0),
        (EPS, "auto", 1.0),
        (EPS, "logit-normal", 1.0),
    ],
)
def test_a_range_cuts_the_distribution_and_keeps_its_shape(
    kind: Any, timesteps: str, shift: float
) -> None:
    low, high = sigmas_at(kind, torch.tensor([0.4, 0.7])).tolist()
    whole = drawn(kind, timesteps=timesteps, shift=shift)
    held = drawn(kind, timesteps=timesteps, shift=shift, count=3000, ranges=[(0.4, 0.7)] * 3000)
    assert low <= float(held.min()) and float(held.max()) <= high
    inside = whole[(whole >= low) & (whole <= high)]
    for share in (0.1, 0.5, 0.9):
        assert float(held.quantile(share)) == pytest.approx(float(inside.quantile(share)), rel=0.05)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.002), (0.999, 1.0), (0.0, 0.5)])
@pytest.mark.parametrize("kind", [FLUX, EPS])
def test_narrow_ranges_at_the_ends_hold(kind: Any, low: float, high: float) -> None:
    sigmas = drawn(kind, 500, ranges=[(low, high)] * 500)
    lowest, highest = sigmas_at(kind, torch.tensor([low, high])).tolist()
    assert max(lowest, 1e-3) <= float(sigmas.min())
    assert float(sigmas.max()) <= highest


@pytest.mark.parametrize("kind", [FLUX, EPS])
def test_a_range_leaves_the_other_samples_alone(kind: Any) -> None:
    free, some = drawn(kind, 4), drawn(kind, 4, ranges=[(0, 1), (0.1, 0.2), (0.0, 1.0), (0, 1)])
    assert torch.equal(free[[0, 2, 3]], some[[0, 2, 3]])
    assert free[1] != some[1]


@pytest.mark.parametrize("timesteps", ["shift", "flux_shift"])
def test_a_shift_is_refused_for_what_is_no_flow_model(timesteps: str) -> None:
    with pytest.raises(ValueError, match="choose auto, uniform or logit-normal"):
        drawn(EPS, 1, timesteps=timesteps)


def test_a_model_that_does_not_start_from_noise_is_refused() -> None:
    restorer = sampling(kinds.ModelSamplingDiscrete, kinds.IMG_TO_IMG)
    with pytest.raises(ValueError, match="text-to-image"):
        drawn(restorer, 1)


def test_levels_are_places_in_the_models_own_noise() -> None:
    assert sigmas_at(FLUX, torch.tensor([0.1, 0.9])).tolist() == pytest.approx([0.1, 0.9])
    assert float(sigmas_at(EPS, torch.tensor([0.5]))) == pytest.approx(float(EPS.sigmas[500]))
    assert math.isfinite(float(sigmas_at(EPS, torch.tensor([1.0]))))
