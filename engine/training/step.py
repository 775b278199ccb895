"""One optimizer step, whose every draw comes from the seed and the step's number."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Any

import torch

from .conditioning import Conds, groups, joined, model_conds
from .exact import OutOfPlace
from .loss import add_noise, draw_sigmas, squared_error
from .pictures import Sample, WeightedBatches
from .settings import TrainingSettings
from .state import Weights


class TrainingDiverged(RuntimeError):
    """The loss or a gradient was not a number; what was good until then is saved."""


class Step:
    """Takes steps over encoded pictures and captions, in a model that is ready for them."""

    def __init__(
        self,
        model: Any,
        settings: TrainingSettings,
        samples: list[Sample],
        prompts: dict[str, dict[str, Any]],
        options: dict[str, Any],
    ) -> None:
        self._model = model.model
        self._device = model.load_device
        self._settings = settings
        self._samples = samples
        self._prompts = prompts
        self._options = options
        self._conds: dict[tuple[str, tuple[int, ...]], Conds] = {}

    def take(self, number: int, batches: WeightedBatches, weights: Weights) -> float:
        """Takes step ``number``, counted from 0, and returns its loss."""
        settings = self._settings
        generator = step_generator(settings.seed, number)
        picked = [self._samples[i] for i in batches.draw(settings.batch_size, generator)]
        kept = torch.rand(len(picked), generator=generator) >= settings.caption_dropout
        captions = [s.caption if keep else "" for s, keep in zip(picked, kept, strict=True)]
        latent = torch.cat([sample.latent for sample in picked])
        sampling = self._model.model_sampling
        sigmas = draw_sigmas(sampling, len(picked), generator, settings.timestep_shift)
        noise = torch.randn(latent.shape, generator=generator)

        weights.optimizer.zero_grad(set_to_none=True)
        loss = self.backward(latent, captions, sigmas, noise)
        norm = torch.nn.utils.clip_grad_norm_(weights.parameters, settings.clip)
        if not (math.isfinite(loss) and bool(torch.isfinite(norm))):
            raise TrainingDiverged(
                f"The loss was not a number at step {number + 1}; the LoRA of the steps before is "
                f"kept. Use a lower learning_rate than {settings.learning_rate:g}, or precision "
                "fp32."
            )
        for group in weights.optimizer.param_groups:
            group["lr"] = settings.learning_rate_at(number)
        weights.optimizer.step()
        # A young average follows quickly, so that a short run is not held back by its start.
        weights.average_in(min(settings.ema, (1 + number) / (10 + number)))
        return loss

    def check_forward(self) -> None:
        """Compares the model's prediction in training with the one it makes otherwise.

        Raises ValueError when they differ: then the model writes over its own tensors in a way
        that ``OutOfPlace`` does not follow, and would be trained as something that it is not.
        """
        sample = self._samples[0]
        given = (
            sample.latent,
            [sample.caption],
            torch.tensor([0.5]),
            torch.ones(sample.latent.shape),
        )
        trained, _, _ = next(self._predictions(*given))
        with torch.no_grad():
            plain, _, _ = next(self._predictions(*given))
        difference = (trained.detach() - plain).norm() / plain.norm()
        # The two may round differently, in bfloat16 by a percent at most.
        if not difference < 0.05:
            raise ValueError(
                f"{type(self._model).__name__} predicts something else while it is trained "
                f"({float(difference):.0%} off), so it cannot be trained through ComfyUI's modules "
                "yet; use another model."
            )

    def backward(
        self,
        latent: torch.Tensor,
        captions: list[str],
        sigmas: torch.Tensor,
        noise: torch.Tensor,
    ) -> float:
        """Adds the gradient of the batch's mean loss, each picture with its own caption."""
        total = 0.0
        for denoised, x0, sigma in self._predictions(latent, captions, sigmas, noise):
            errors = squared_error(self._model.model_sampling, denoised, x0, sigma)
            loss = errors.sum() / len(latent)
            loss.backward()
            total += float(loss.detach())
        return total

    def _predictions(
        self,
        latent: torch.Tensor,
        captions: list[str],
        sigmas: torch.Tensor,
        noise: torch.Tensor,
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """The denoised latent, the clean one and the noise level, of samples that go together."""
        conds = [
            self._conds_of(caption, sample[None])
            for caption, sample in zip(captions, latent, strict=True)
        ]
        sampling = self._model.model_sampling
        for group in groups(conds):
            x0 = latent[group].to(self._device)
            sigma = sigmas[group].to(self._device)
            noised = add_noise(sampling, x0, noise[group].to(self._device), sigma)
            options = {
                **self._options,
                "cond_or_uncond": [0] * len(group),
                "sigmas": sigma,
            }
            given = joined([conds[i] for i in group])
            with OutOfPlace():
                denoised = self._model.apply_model(
                    noised, sigma, transformer_options=options, **given
                )
            yield denoised, x0, sigma

    def _conds_of(self, caption: str, sample: torch.Tensor) -> Conds:
        key = (caption, tuple(sample.shape))
        if key not in self._conds:
            self._conds[key] = model_conds(
                self._model,
                self._prompts[caption],
                sample.to(self._device),
                self._settings.guidance,
            )
        return self._conds[key]


def step_generator(seed: int, step: int) -> torch.Generator:
    """The source of every draw of one step, on the CPU, the same wherever a run is taken up."""
    digest = hashlib.sha256(f"{seed}:{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
