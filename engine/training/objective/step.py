"""One optimizer step, whose every draw comes from the seed and the step's number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from ...core.errors import FacetError
from ..data.buckets import patch_size
from ..data.pictures import TrainingSample, WeightedBatches
from ..model.network import Network
from ..model.text_encoder import TextEncoder
from ..model.weights import Weights
from ..settings import TrainingSettings
from .divergence import TrainingDiverged
from .draws import Batch, draw_batch, validation_batch
from .loss import add_noise, loss_weights, output_error, squared_error
from .optimizers import set_learning_rate

DRAWS = 4
"""How often a step is drawn before its loss is taken for lost."""


class Step:
    """Takes steps over encoded pictures and captions, in a model that is ready for them.

    micro_batch: how many samples run at once. May be set between steps and before one is taken
    again; the gradient is that of the whole batch all the same. drawn_again: how often the last
    step was drawn anew, for that its loss was not a number.
    """

    def __init__(
        self,
        model: Any,
        settings: TrainingSettings,
        samples: Sequence[TrainingSample],
        prompts: Mapping[str, dict[str, Any]],
        options: dict[str, Any],
        text_encoder: TextEncoder | None = None,
    ) -> None:
        self._settings = settings
        self._samples = samples
        self._network = Network(model, prompts, options, settings.guidance, text_encoder)
        self._patch = patch_size(model.model)
        self.micro_batch = settings.micro_batch or settings.batch_size
        self.drawn_again = 0

    def take(self, number: int, batches: WeightedBatches, weights: Weights) -> float:
        """Takes step ``number``, counted from 0, and returns its loss.

        When it runs out of memory, nothing has moved and the same step can be taken again. One
        whose loss or gradient is not a number is drawn anew, ``DRAWS`` times in all; then
        TrainingDiverged is raised.
        """
        settings = self._settings
        sampling = self._network.sampling
        for again in range(DRAWS):
            self.drawn_again = again
            batch = draw_batch(
                number, settings, self._samples, batches, sampling, self._patch, again
            )
            weights.optimizer.zero_grad(set_to_none=True)
            loss = self.backward(batch)
            norm = torch.nn.utils.clip_grad_norm_(weights.parameters, settings.clip)
            if math.isfinite(loss) and bool(torch.isfinite(norm)):
                break
        else:
            raise TrainingDiverged(
                f"The loss was not a number at step {number + 1}, whatever it was drawn from; the "
                "LoRA of the steps before is kept. Use a lower learning_rate than "
                f"{settings.learning_rate:g}, or precision fp32."
            )
        set_learning_rate(weights.optimizer, settings, number)
        weights.optimizer.step()
        # A young average follows quickly, so that a short run is not held back by its start.
        weights.average_in(min(settings.ema, (1 + number) / (10 + number)))
        return loss

    def check_forward(self) -> None:
        """Compares the model's prediction in training with the one it makes otherwise.

        Raises FacetError when they differ: then the model writes over its own tensors in a way
        that ``OutOfPlace`` does not follow, and would be trained as something that it is not.
        """
        sample = self._samples[0]
        latent = sample.latent.to(self._network.device)
        sigmas = torch.full((1,), 0.5, device=latent.device)
        noised = add_noise(self._network.sampling, latent, torch.ones_like(latent), sigmas)
        trained = self._network.denoised([sample.caption], noised, sigmas)
        with torch.no_grad():
            plain = self._network.denoised([sample.caption], noised, sigmas)
        difference = (trained.detach() - plain).norm() / plain.norm()
        # The two may round differently, in bfloat16 by a percent at most.
        if not difference < 0.05:
            raise FacetError(
                f"{self._network.name} predicts something else while it is trained "
                f"({float(difference):.0%} off), so it cannot be trained through ComfyUI's modules "
                "yet; use another model."
            )

    def validation_loss(self, samples: Sequence[TrainingSample]) -> float:
        """The mean loss on held-out ``samples`` at five fixed noise levels, with fixed noise.

        The same for the same weights, whatever the run's seed and settings of noise.
        """
        losses = []
        sampling = self._network.sampling
        with torch.no_grad():
            for number, sample in enumerate(samples):
                batch = validation_batch(sample, number, sampling)
                for part in self._parts(batch, batch.captions):
                    noised = add_noise(sampling, part.latent, part.noise, part.sigmas)
                    denoised = self._network.denoised(part.captions, noised, part.sigmas)
                    where = self._where(part)
                    losses += squared_error(
                        sampling, denoised, part.latent, part.sigmas, where
                    ).tolist()
        return math.fsum(losses) / len(losses)

    def backward(self, batch: Batch) -> float:
        """Adds the gradient of the batch's mean loss, each picture with its own caption."""
        total = 0.0
        for part in self._parts(batch, batch.captions):
            total += self._add_gradient(self._errors(part), part, len(batch))
        if self._settings.prior_class > 0:
            for part in self._parts(batch, batch.prior_captions):
                total += self._add_gradient(self._class_errors(part), part, len(batch))
        return total

    def _add_gradient(self, errors: torch.Tensor, part: Batch, count: int) -> float:
        if self._settings.loss_weighting != "none":
            errors = errors * loss_weights(
                self._network.sampling,
                part.sigmas,
                self._settings.loss_weighting,
                self._settings.snr_gamma,
            )
        loss = errors.sum() / count
        loss.backward()
        return float(loss.detach())

    def _errors(self, part: Batch) -> torch.Tensor:
        """How far each sample's prediction is off, and off the untrained one's outside: (B,)."""
        sampling, outside = self._network.sampling, self._settings.prior_outside
        noised = add_noise(sampling, part.latent, part.noise, part.sigmas)
        prior = None
        if outside > 0 and part.mask is not None:
            prior = self._network.untrained(part.captions, noised, part.sigmas)
        denoised = self._network.denoised(part.captions, noised, part.sigmas)
        where = self._where(part)
        errors = squared_error(sampling, denoised, part.latent, part.sigmas, where)
        if prior is not None and part.mask is not None:
            moved = output_error(sampling, denoised, prior, part.sigmas) * (1 - part.mask)
            errors = errors + outside * moved.flatten(1).mean(1)
        return errors

    def _class_errors(self, part: Batch) -> torch.Tensor:
        """How far anyone of the class has moved from what the untrained model says: (B,)."""
        sampling = self._network.sampling
        noised = add_noise(sampling, part.latent, part.noise, part.sigmas)
        prior = self._network.untrained(part.prior_captions, noised, part.sigmas)
        denoised = self._network.denoised(part.prior_captions, noised, part.sigmas)
        return self._settings.prior_class * squared_error(sampling, denoised, prior, part.sigmas)

    def _where(self, part: Batch) -> torch.Tensor | None:
        if part.mask is None or not self._settings.masked_loss:
            return None
        outside = self._settings.mask_outside
        return outside + (1 - outside) * part.mask

    def _parts(self, batch: Batch, captions: Sequence[str]) -> Iterator[Batch]:
        for indices in self._network.parts(captions, batch.latent, max(1, self.micro_batch)):
            yield batch.part(indices, self._network.device)
