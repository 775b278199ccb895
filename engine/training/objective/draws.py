"""What one step trains on: which samples, under which captions, at which noise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..data.masks import joined_masks
from ..data.pictures import TrainingSample, WeightedBatches
from ..settings import TrainingSettings
from .timesteps import WHOLE, Range, draw_sigmas, sigmas_at

VALIDATION_LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
_VALIDATION_SEED = 20


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples of one size, on the CPU: latent and noise (B, C, …), sigmas (B,), float32.

    prior_captions: of anyone of the class, needed where that is trained. mask: (B, 1, …, h, w)
    with 1 on the subject, or None.
    """

    latent: torch.Tensor
    captions: list[str]
    sigmas: torch.Tensor
    noise: torch.Tensor
    prior_captions: Sequence[str] = ()
    mask: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.captions)

    def part(self, indices: Sequence[int], device: torch.device | None = None) -> Batch:
        """The samples at ``indices``, their tensors on ``device``."""
        chosen = list(indices)
        return Batch(
            self.latent[chosen].to(device),
            [self.captions[index] for index in chosen],
            self.sigmas[chosen].to(device),
            self.noise[chosen].to(device),
            [self.prior_captions[index] for index in chosen] if self.prior_captions else (),
            None if self.mask is None else self.mask[chosen].to(device),
        )


def draw_batch(
    number: int,
    settings: TrainingSettings,
    samples: Sequence[TrainingSample],
    batches: WeightedBatches,
    sampling: Any,
    patch: int = 2,
    again: int = 0,
) -> Batch:
    """What step ``number``, counted from 0, trains on; ``patch`` is the model's, in latent pixels.

    again: how often its loss was not a number before; each time it draws something else. The order
    of the draws is part of what a seed means, and so must not change.
    """
    generator = step_generator(settings.seed, number, again)
    picked = [samples[i] for i in batches.draw(settings.batch_size, generator)]
    kept = torch.rand(len(picked), generator=generator) >= settings.caption_dropout
    latent = torch.cat([sample.latent for sample in picked])
    sigmas = draw_sigmas(
        sampling,
        len(picked),
        generator,
        settings.timestep_shift,
        settings.timesteps,
        latent.shape[-1] * latent.shape[-2] // patch**2,
        [_range(sample, settings) for sample in picked],
    )
    noise = torch.randn(latent.shape, generator=generator)
    if settings.noise_offset:
        # One value for each channel: Guttenberg, "Diffusion with offset noise", 2023.
        channels = (*latent.shape[:2], *[1] * (latent.ndim - 2))
        noise = noise + settings.noise_offset * torch.randn(channels, generator=generator)
    return Batch(
        latent,
        [sample.caption if keep else "" for sample, keep in zip(picked, kept, strict=True)],
        sigmas,
        noise,
        [sample.prior_caption for sample in picked],
        joined_masks([sample.mask for sample in picked]),
    )


def validation_batch(sample: TrainingSample, number: int, sampling: Any) -> Batch:
    """Held-out ``sample`` at five fixed noise levels; its noise depends on ``number`` alone."""
    count = len(VALIDATION_LEVELS)
    latent = sample.latent.expand(count, *sample.latent.shape[1:])
    noise = torch.randn(latent.shape, generator=step_generator(_VALIDATION_SEED, number))
    return Batch(
        latent,
        [sample.caption] * count,
        sigmas_at(sampling, torch.tensor(VALIDATION_LEVELS)),
        noise,
        mask=joined_masks([sample.mask] * count),
    )


def step_generator(seed: int, step: int, again: int = 0) -> torch.Generator:
    """The source of every draw of one step, on the CPU, the same wherever a run is taken up.

    again: how often the step was drawn before.
    """
    name = f"{seed}:{step}:{again}" if again else f"{seed}:{step}"
    digest = hashlib.sha256(name.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _range(sample: TrainingSample, settings: TrainingSettings) -> Range:
    if sample.provenance.source != "generated":
        return WHOLE
    return settings.generated_from, settings.generated_to
