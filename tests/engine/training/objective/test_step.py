"""A step: every picture with its own caption, each as often as its weight says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import comfy.model_base
import pytest
import torch

from facet.engine.core.character import Shot
from facet.engine.training.data.pictures import TrainingSample, WeightedBatches
from facet.engine.training.model.weights import Weights
from facet.engine.training.objective.draws import step_generator
from facet.engine.training.settings import TrainingSettings
from harness.live_step import batch_of, live_step
from harness.small_models import SmallModels, small_unet
from harness.trainings import encoded

CAPTIONS = ["zqx person, smiling", "zqx person " + "in a red coat " * 30, "a dog", "a zqx dog"]
SIGMAS = [0.3, 0.5, 0.8, 0.9]


@pytest.fixture
def samples(models: SmallModels, picture: Callable[..., Shot]) -> list[TrainingSample]:
    """Four pictures, two with a mask; one caption runs apart from the others."""
    shots = [picture(i, caption=caption) for i, caption in enumerate(CAPTIONS)]
    made = encoded(models, shots, 64)
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    return [
        replace(sample, mask=mask if index % 2 else None, prior_caption="person " * (1 + index))
        for index, sample in enumerate(made)
    ]


def test_a_batch_is_the_mean_of_its_pictures_each_with_its_own_caption(
    models: SmallModels, samples: list[TrainingSample]
) -> None:
    batch = batch_of(samples, SIGMAS)
    with live_step(models.model, models.clip, samples, TrainingSettings()) as live:
        whole_loss, whole = live.gradient(batch)
        parts = [live.gradient(batch.part([index])) for index in range(4)]
        swapped = live.step.backward(replace(batch, captions=CAPTIONS[::-1]))
    assert whole_loss == pytest.approx(sum(loss for loss, _ in parts) / 4, rel=1e-5)
    assert torch.allclose(whole, sum(gradient for _, gradient in parts) / 4, rtol=1e-3, atol=1e-6)
    assert swapped != pytest.approx(whole_loss, rel=1e-4)


@pytest.mark.parametrize("priors", [False, True], ids=["plain", "masks and priors"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_micro_batches_add_up_to_the_whole(
    models: SmallModels, samples: list[TrainingSample], size: int, priors: bool
) -> None:
    settings = TrainingSettings(batch_size=4)
    if priors:
        settings = replace(settings, masked_loss=True, prior_outside=0.5, prior_class=0.7)
    batch = batch_of(samples, SIGMAS)
    seen: list[int] = []
    with live_step(models.model, models.clip, samples, settings) as live:
        assert live.step.micro_batch == 4
        whole_loss, whole = live.gradient(batch)
        live.step.micro_batch = size
        forward = models.model.model.diffusion_model.forward
        models.model.model.diffusion_model.forward = lambda x, *args, **kwargs: (
            seen.append(len(x)) or forward(x, *args, **kwargs)
        )
        try:
            loss, gradient = live.gradient(batch)
        finally:
            del models.model.model.diffusion_model.forward
    assert max(seen) == size
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    assert float((gradient - whole).norm() / whole.norm()) < 1e-5


def test_a_step_that_ran_out_of_memory_can_be_taken_again(
    models: SmallModels, samples: list[TrainingSample]
) -> None:
    """Half of its gradient is there already when it stops; the second try starts afresh."""
    settings = TrainingSettings(batch_size=4, steps=1, warmup=0.0, learning_rate=1e-2)
    ends = []
    for out_of_memory in (False, True):
        with live_step(models.model, models.clip, samples, settings) as live:
            weights = Weights.starting(live.adapters, settings)
            if out_of_memory:
                live.step.micro_batch = 1
                model = models.model.model.diffusion_model
                forward, calls = model.forward, iter([True, True, False])

                def failing(*args: object, **kwargs: object) -> torch.Tensor:
                    if next(calls):  # noqa: B023
                        return forward(*args, **kwargs)  # noqa: B023
                    raise torch.OutOfMemoryError

                model.forward = failing
                try:
                    with pytest.raises(torch.OutOfMemoryError):
                        live.step.take(0, WeightedBatches(samples), weights)
                finally:
                    del model.forward
                live.step.micro_batch = 4
            live.step.take(0, WeightedBatches(samples), weights)
            ends.append(torch.cat([p.detach().flatten().clone() for p in live.parameters]))
    assert torch.equal(*ends)


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings(masked_loss=True, mask_outside=0.2),
        TrainingSettings(prior_outside=2.0),
        TrainingSettings(prior_class=2.0),
        TrainingSettings(masked_loss=True, prior_outside=1.0, prior_class=1.0),
    ],
    ids=["mask", "prior outside", "prior of the class", "all"],
)
def test_gradients_of_masks_and_priors_agree_with_finite_differences(
    models: SmallModels, samples: list[TrainingSample], settings: TrainingSettings
) -> None:
    batch = batch_of(samples[:2], SIGMAS[:2])
    with live_step(models.model, models.clip, samples, replace(settings, batch_size=2)) as live:
        _, gradient = live.gradient(batch)
        unit = gradient / gradient.norm()
        ends = []
        for distance in (3e-3, -6e-3):
            live.move(unit, distance)
            ends.append(live.gradient(batch)[0])
    measured = (ends[0] - ends[1]) / 6e-3
    assert measured == pytest.approx(float(gradient.norm()), rel=1e-3)


def test_a_batch_of_noise_predictions_is_weighted_by_its_noise(models: SmallModels) -> None:
    """min-SNR at sigma 2 and 0.2: signal to noise 1/4 and 25, so weights of 1 and 5/25."""
    unet = small_unet(comfy.model_base.ModelType.EPS)
    generator = torch.Generator().manual_seed(1)
    samples = [
        TrainingSample(torch.randn(1, 4, 8, 8, generator=generator), "zqx person", 1.0)
        for _ in range(2)
    ]
    batch = batch_of(samples, [2.0, 0.2])
    settings = TrainingSettings(batch_size=2)
    with live_step(unet, models.clip, samples, settings) as live:
        (one, first), (other, second) = (live.gradient(batch.part([i])) for i in range(2))
    with live_step(unet, models.clip, samples, replace(settings, loss_weighting="min-SNR")) as live:
        loss, gradient = live.gradient(batch)
    assert loss == pytest.approx((one + other / 5) / 2, rel=1e-4)
    assert torch.allclose(gradient, (first + second / 5) / 2, rtol=1e-3, atol=1e-6)


def test_validation_is_the_same_for_the_same_weights(
    models: SmallModels, samples: list[TrainingSample]
) -> None:
    losses = []
    for settings in (
        TrainingSettings(seed=1),
        TrainingSettings(seed=2, batch_size=4, timesteps="uniform", prior_class=1.0),
    ):
        with live_step(models.model, models.clip, samples, settings) as live:
            losses.append(live.step.validation_loss(samples))
            assert all(parameter.grad is None for parameter in live.parameters)
            live.move(torch.ones(sum(p.numel() for p in live.parameters)), 0.05)
            moved = live.step.validation_loss(samples)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert moved != pytest.approx(losses[0], rel=1e-3)


def test_validation_is_the_mean_over_pictures_and_levels(
    models: SmallModels, samples: list[TrainingSample]
) -> None:
    """With a network that says nothing, the loss of a flow model is the mean of (noise - x)²."""
    silent = replace(samples[0], latent=torch.full((1, 16, 8, 8), 3.0))
    with live_step(models.model, models.clip, samples, TrainingSettings()) as live:
        model = models.model.model.diffusion_model
        model.forward = lambda x, *args, **kwargs: torch.zeros_like(x)
        try:
            loss = live.step.validation_loss([silent] * 4)
        finally:
            del model.forward
    assert loss == pytest.approx(1 + 9, rel=0.02)


def sample(weight: float, side: int = 8) -> TrainingSample:
    return TrainingSample(torch.zeros(1, 16, side, side), "", weight)


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
