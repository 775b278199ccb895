"""Batches: every picture with its own caption, each as often as its weight says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch

from facet.engine.character import Shot
from facet.engine.training.conditioning import encode_captions
from facet.engine.training.draws import Batch
from facet.engine.training.exact import exact_gradients
from facet.engine.training.lora import Adapter, adapters, target_modules
from facet.engine.training.memory import Precision, loaded
from facet.engine.training.pictures import Sample, WeightedBatches, encode_pictures
from facet.engine.training.settings import TrainingSettings
from facet.engine.training.step import Step, step_generator
from harness.small_models import SmallModels


def gradient(made: list[Adapter]) -> torch.Tensor:
    weights = [weight for adapter in made for weight in (adapter.down, adapter.up)]
    flat = torch.cat([w.grad.flatten() for w in weights if w.grad is not None])
    for weight in weights:
        weight.grad = None
    return flat


def test_a_batch_is_the_mean_of_its_pictures_each_with_its_own_caption(
    models: SmallModels, picture: Callable[..., Shot]
) -> None:
    captions = ["zqx person, smiling", "zqx person " + "in a red coat " * 30, "a dog"]
    shots = [picture(i, caption=caption) for i, caption in enumerate(captions)]
    samples = encode_pictures(models.model.model, models.vae, shots, 64)
    prompts = encode_captions(models.clip, captions)
    diffusion_model = models.model.model.diffusion_model
    targets = target_modules(diffusion_model)
    latent = torch.cat([sample.latent for sample in samples])
    sigmas, noise = torch.tensor([0.3, 0.5, 0.8]), torch.randn(latent.shape)
    with (
        torch.inference_mode(False),
        loaded(models.model, (3, 16, 8, 8), Precision()) as options,
        adapters(diffusion_model, targets, rank=4, seed=0) as made,
        exact_gradients(diffusion_model),
    ):
        for adapter in made:
            adapter.up.data.normal_(0, 0.3)
        step = Step(models.model, TrainingSettings(), samples, prompts, options)
        whole_loss = step.backward(Batch(latent, captions, sigmas, noise))
        whole = gradient(made)
        losses, parts = [], []
        for i in range(3):
            one = slice(i, i + 1)
            losses.append(step.backward(Batch(latent[one], captions[one], sigmas[one], noise[one])))
            parts.append(gradient(made))
        swapped = step.backward(Batch(latent, captions[::-1], sigmas, noise))
    assert whole_loss == pytest.approx(sum(losses) / 3, rel=1e-5)
    assert torch.allclose(whole, sum(parts) / 3, rtol=1e-3, atol=1e-6)
    assert swapped != pytest.approx(whole_loss, rel=1e-4)


def sample(weight: float, side: int = 8) -> Sample:
    return Sample(torch.zeros(1, 16, side, side), "", weight)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_weight_of_three_is_seen_three_times_as_often(batch: int) -> None:
    batches = WeightedBatches([sample(1), sample(3), sample(0), sample(1)])
    seen: Counter[int] = Counter()
    for step in range(4000 // batch):
        seen.update(batches.draw(batch, step_generator(0, step)))
    assert seen[2] == 0
    assert seen[1] / seen[0] == pytest.approx(3, rel=0.15)
    assert seen[3] / seen[0] == pytest.approx(1, rel=0.15)


def test_a_batch_has_one_size_and_repeats_nothing_needlessly() -> None:
    samples = [sample(1), sample(1), sample(1, 4), sample(1, 4), sample(1)]
    batches = WeightedBatches(samples)
    for step in range(50):
        drawn = batches.draw(2, step_generator(0, step))
        assert len({samples[i].latent.shape for i in drawn}) == 1
        assert len(set(drawn)) == 2


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -1.0], [float("nan")]])
def test_weights_that_cannot_be_drawn_by_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        WeightedBatches([sample(weight) for weight in weights])
