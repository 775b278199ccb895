"""A step of training over chosen samples, with adapters that have moved from their start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from facet.engine.training.data.conditioning import encode_captions
from facet.engine.training.data.pictures import TrainingSample
from facet.engine.training.model.exact import exact_gradients
from facet.engine.training.model.loading import Precision, loaded
from facet.engine.training.model.lora import Adapter, adapters
from facet.engine.training.model.targets import target_modules
from facet.engine.training.objective.draws import Batch
from facet.engine.training.objective.step import Step
from facet.engine.training.settings import TrainingSettings


@dataclass(frozen=True)
class LiveStep:
    """A step, and the adapters that it would move."""

    step: Step
    adapters: list[Adapter]

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        return [value for one in self.adapters for value in one.parameters().values()]

    def gradient(self, batch: Batch) -> tuple[float, torch.Tensor]:
        """The loss of a batch and its gradient, flat."""
        for parameter in self.parameters:
            parameter.grad = None
        loss = self.step.backward(batch)
        given = [
            torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for parameter in self.parameters
        ]
        return loss, torch.cat([gradient.flatten() for gradient in given])

    def move(self, direction: torch.Tensor, distance: float) -> None:
        """Moves every parameter along ``direction``, flat."""
        parts = direction.split([parameter.numel() for parameter in self.parameters])
        for parameter, part in zip(self.parameters, parts, strict=True):
            parameter.data.add_(part.view_as(parameter), alpha=distance)


@contextlib.contextmanager
def live_step(
    model: Any,
    clip: Any,
    samples: Sequence[TrainingSample],
    settings: TrainingSettings,
    moved: float = 0.3,
    products: torch.dtype | None = None,
) -> Iterator[LiveStep]:
    """``samples`` in a model with adapters, whose half that starts at zero is drawn instead."""
    diffusion_model = model.model.diffusion_model
    captions = [caption for one in samples for caption in (one.caption, one.prior_caption)]
    prompts = encode_captions(clip, ["", *captions])
    shape = (len(samples), *samples[0].latent.shape[1:])
    generator = torch.Generator().manual_seed(7)
    with (
        torch.inference_mode(False),
        loaded(model, shape, Precision(torch.float32, products)) as options,
        adapters(diffusion_model, target_modules(diffusion_model), 4, 1) as made,
        exact_gradients(diffusion_model, model.load_device, products),
    ):
        live = LiveStep(Step(model, settings, samples, prompts, options), made)
        for parameter in live.parameters:
            if moved and not parameter.any():
                parameter.data.normal_(0, moved, generator=generator)
        yield live


def batch_of(samples: Sequence[TrainingSample], sigmas: Sequence[float]) -> Batch:
    """``samples`` at given noise levels, with noise that is always the same."""
    from facet.engine.training.data.masks import joined_masks

    latent = torch.cat([sample.latent for sample in samples])
    return Batch(
        latent,
        [sample.caption for sample in samples],
        torch.tensor(sigmas),
        torch.randn(latent.shape, generator=torch.Generator().manual_seed(3)),
        [sample.prior_caption for sample in samples],
        joined_masks([sample.mask for sample in samples]),
    )
