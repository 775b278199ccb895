"""What masks and priors are for: a background that every picture has stays out of the character."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.training.data.encoded import TrainingData, encode_data
from facet.engine.training.data.pictures import WeightedBatches
from facet.engine.training.model.network import Network
from facet.engine.training.model.weights import Weights
from facet.engine.training.objective.loss import add_noise
from facet.engine.training.settings import TrainingSettings
from harness.live_step import batch_of, live_step
from harness.small_models import SmallModels

SETTINGS = TrainingSettings(
    steps=8, learning_rate=3e-3, batch_size=2, schedule="constant", warmup=0.0, precision="fp32"
)
SUBJECT = torch.zeros(128, 128)
SUBJECT[16:, 32:96] = 1

Moved = tuple[float, float]
"""How far a prediction has moved from the base model's, squared: outside and on the subject."""


@pytest.fixture(scope="module")
def demo(demo_models: DemoModels) -> SmallModels:
    return SmallModels(demo_models.model, demo_models.clip, demo_models.vae)


def before_stripes(words: str, phase: int) -> Shot:
    """One person, always before red stripes, which no caption speaks of."""
    stripes = torch.zeros(128, 128, 3)
    stripes[..., 0] = ((torch.arange(128) + 8 * phase) // 8 % 2).float()[:, None]
    image = torch.where(SUBJECT[..., None] > 0, demo_picture(3), stripes)
    return Shot(image, Provenance("original"), mask=SUBJECT, caption=words)


@pytest.fixture(scope="module")
def trained(
    demo: SmallModels, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[TrainingSettings, str], Moved]:
    """Trains a little; how far the prediction for a caption has moved, on a picture not seen."""
    shots = [
        before_stripes(f"zqx person, {words}", index)
        for index, words in enumerate(["close-up", "smiling", "standing", "neutral expression"])
    ]
    character = Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))
    folder = tmp_path_factory.mktemp("ada")

    def encoded(settings: TrainingSettings, given: list[Shot]) -> TrainingData:
        return encode_data(demo.model, demo.clip, demo.vae, character, given, settings, folder)

    @cache
    def train(settings: TrainingSettings) -> dict[str, Moved]:
        data = encoded(settings, shots)
        captions = ("zqx person, in a park", "person, in a park")
        unseen = encoded(TrainingSettings(), [before_stripes(caption, 6) for caption in captions])
        with live_step(
            demo.model, demo.clip, [*data.samples, *unseen.samples], settings, moved=0
        ) as live:
            weights, batches = (
                Weights.starting(live.adapters, settings),
                WeightedBatches(
                    [*data.samples, *(replace(sample, weight=0.0) for sample in unseen.samples)]
                ),
            )
            for number in range(settings.steps):
                live.step.take(number, batches, weights)
            network = Network(demo.model, unseen.prompts, {}, 1.0)
            return {one.caption: moved(network, one) for one in unseen.samples}

    def moved(network: Network, sample: Any) -> Moved:
        batch = batch_of([sample], [0.8])
        noised = add_noise(network.sampling, batch.latent, batch.noise, batch.sigmas)
        given = (batch.captions, noised, batch.sigmas)
        with torch.no_grad():
            far = (network.denoised(*given) - network.untrained(*given)).square().mean((0, 1))
        inside = SUBJECT[4::8, 4::8] > 0
        return float(far[~inside].mean()), float(far[inside].mean())

    return lambda settings, caption: train(settings)[caption]


@pytest.mark.slow
def test_a_mask_and_a_prior_keep_the_background_out(
    trained: Callable[[TrainingSettings, str], Moved],
) -> None:
    caption = "zqx person, in a park"
    masked = replace(SETTINGS, masked_loss=True)
    plain, _ = trained(SETTINGS, caption)
    inside_only, _ = trained(masked, caption)
    with_prior, subject = trained(replace(masked, prior_outside=3.0), caption)
    assert inside_only < 0.25 * plain
    assert with_prior < 0.6 * inside_only
    assert subject > 2 * with_prior


@pytest.mark.slow
def test_the_class_word_keeps_its_meaning(
    trained: Callable[[TrainingSettings, str], Moved],
) -> None:
    caption = "person, in a park"
    without = sum(trained(SETTINGS, caption))
    assert sum(trained(replace(SETTINGS, prior_class=4.0), caption)) < 0.6 * without


@pytest.mark.parametrize("products", [None, torch.bfloat16], ids=["fp32", "bf16"])
def test_the_untrained_model_is_the_base_model(
    models: SmallModels, picture: Callable[..., Shot], tmp_path: Path, products: torch.dtype | None
) -> None:
    """Adapters that are off count for nothing, and those that are at their start say the same."""
    who = Character("Ada", "zqx", "person", picture(0))
    settings = TrainingSettings()
    data = encode_data(models.model, models.clip, models.vae, who, who.dataset, settings, tmp_path)
    batch = batch_of(data.samples, [0.6])
    given = (batch.captions, batch.latent, batch.sigmas)

    def predictions(moved: float) -> tuple[torch.Tensor, torch.Tensor]:
        with live_step(models.model, models.clip, data.samples, settings, moved, products) as live:
            network = Network(models.model, data.prompts, {}, 1.0)
            found = network.denoised(*given).detach(), network.untrained(*given)
            assert all(parameter.requires_grad for parameter in live.parameters)
            assert network.denoised(*given).requires_grad
        return found

    at_start, base = predictions(0.0)
    later, same_base = predictions(0.3)
    assert torch.equal(base, same_base)
    assert not torch.allclose(later, base, rtol=1e-2)
    if products is None:
        assert torch.equal(at_start, base)
    assert torch.allclose(at_start, base, rtol=1e-2, atol=1e-2)
