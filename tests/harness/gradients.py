"""Gradients of a training loss, and the slopes that central finite differences measure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import comfy.conds
import torch

from facet.engine.training.data.conditioning import joined, model_conds
from facet.engine.training.model.checkpoint import checkpointed
from facet.engine.training.model.exact import OutOfPlace, exact_gradients
from facet.engine.training.model.loading import Precision, loaded
from facet.engine.training.model.lora import Adapter, adapters
from facet.engine.training.model.targets import target_modules, transformer_blocks

from .families import Family, conditioning

Sizes = Sequence[tuple[int, int]]


class Problem:
    """The loss of a few latents, each with a text and a noise level of its own.

    sizes: height and width of each, in latent pixels; those of one size run as one batch.
    """

    def __init__(
        self,
        patcher: Any,
        family: Family,
        options: dict[str, Any],
        sizes: Sizes,
        narrow: bool,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.model = patcher.model
        self._options = options
        generator = torch.Generator().manual_seed(5)
        texts = conditioning(family, len(sizes), narrow)
        sampling = self.model.model_sampling
        self._groups = []
        for size in dict.fromkeys(sizes):
            rows = [i for i, one in enumerate(sizes) if one == size]
            shape = (len(rows), *family.latent, *size)
            latent = torch.randn(shape, generator=generator)
            noise = torch.randn(shape, generator=generator)
            levels = [sampling.percent_to_sigma(0.3 + 0.5 * row / len(sizes)) for row in rows]
            sigma = torch.tensor([float(level) for level in levels])
            given = [{**texts[row], **(extra or {})} for row in rows]
            conds = [model_conds(self.model, one, latent[:1], 1.0) for one in given]
            for cond, row in zip(conds, rows, strict=True):
                # Flux2 pads its text to 512 tokens, of which a few do.
                text = texts[row]["cross_attn"]
                cond["c_crossattn"] = comfy.conds.CONDRegular(text)
            self._groups.append((latent, noise, sigma, joined(conds)))
        self._count = len(sizes)

    def loss(self) -> torch.Tensor:
        """The mean squared error, () float64."""
        total = torch.zeros((), dtype=torch.float64)
        for error in self._errors():
            total = total + error.square().flatten(1).mean(1).double().sum()
        return total / self._count

    def predict(self) -> torch.Tensor:
        """All that the model predicts, less what is right, as one vector."""
        return torch.cat([error.flatten() for error in self._errors()])

    def _errors(self) -> Iterator[torch.Tensor]:
        sampling = self.model.model_sampling
        for latent, noise, sigma, conds in self._groups:
            noised = sampling.noise_scaling(sigma, noise, latent.clone(), False)
            options = {**self._options, "cond_or_uncond": [0] * len(latent), "sigmas": sigma}
            with OutOfPlace():
                denoised = self.model.apply_model(
                    noised, sigma, transformer_options=options, **conds
                )
            yield (denoised - latent) / sigma.view(-1, *[1] * (latent.ndim - 1))


@contextlib.contextmanager
def prepared(
    patcher: Any,
    family: Family,
    sizes: Sizes,
    narrow: bool = True,
    checkpoint: bool = False,
    products: torch.dtype | None = None,
    options: dict[str, Any] | None = None,
    targets: tuple[str, ...] | None = None,
    extra: dict[str, Any] | None = None,
) -> Iterator[tuple[Problem, list[Adapter]]]:
    """A model of ``family`` ready for training, with random adapters in it."""
    diffusion_model = patcher.model.diffusion_model
    targets = targets or target_modules(diffusion_model)
    blocks = transformer_blocks(diffusion_model, targets)
    shape = (len(sizes), *family.latent, *sizes[0])
    with (
        torch.inference_mode(False),
        loaded(patcher, shape, Precision(torch.float32, products)) as given,
        adapters(diffusion_model, targets, rank=4, seed=1) as made,
        exact_gradients(diffusion_model, patcher.load_device, products),
        checkpointed(blocks) if checkpoint else contextlib.nullcontext(),
    ):
        generator = torch.Generator().manual_seed(7)
        for adapter in made:
            adapter.values["lora_up.weight"].data.normal_(
                0, 0.3 / adapter.values["lora_up.weight"].shape[1], generator=generator
            )
        yield Problem(patcher, family, given | (options or {}), sizes, narrow, extra), made


def weights_of(made: list[Adapter]) -> list[torch.nn.Parameter]:
    return [weight for adapter in made for weight in adapter.parameters().values()]


def gradient(problem: Problem, made: list[Adapter]) -> list[torch.Tensor]:
    """The gradient of each weight by backward, which is left without one; zero for a weight that
    the prediction does not depend on."""
    problem.loss().backward()
    found = []
    for weight in weights_of(made):
        found.append(torch.zeros_like(weight) if weight.grad is None else weight.grad)
        weight.grad = None
    return found


def slope(
    problem: Problem, made: list[Adapter], direction: list[torch.Tensor], step: float = 0.01
) -> float:
    """How fast the loss rises along ``direction``, by central differences."""
    start = [weight.detach().clone() for weight in weights_of(made)]
    values = []
    with torch.no_grad():
        for distance in (-step, step):
            for weight, value, part in zip(weights_of(made), start, direction, strict=True):
                weight.copy_(value + distance * part)
            values.append(float(problem.loss()))
        for weight, value in zip(weights_of(made), start, strict=True):
            weight.copy_(value)
    return (values[1] - values[0]) / (2 * step)


def slope_at_zero(loss_at: Callable[[float], float], step: float) -> float:
    """The derivative of ``loss_at`` at 0 from four values, with an error of order step^4.

    A float32 loss of 1 is rounded to 1e-7. Where a short step changes it by little, that is a part
    in a thousand; a long one drowns it, and here its curvature falls out.
    """
    near = loss_at(step) - loss_at(-step)
    far = loss_at(2 * step) - loss_at(-2 * step)
    return (8 * near - far) / (12 * step)


def every_weight_alike(gradients: list[torch.Tensor]) -> list[torch.Tensor]:
    """The direction, of length one, in which each weight tensor's own gradient counts by its norm
    alone, so that an error in the smallest shows as well; a weight said to have none is moved at
    random."""
    generator = torch.Generator().manual_seed(9)
    directions = []
    for part in gradients:
        chosen = part if part.any() else torch.randn(part.shape, generator=generator)
        directions.append(chosen / chosen.norm() / len(gradients) ** 0.5)
    return directions


def along(gradients: list[torch.Tensor], direction: list[torch.Tensor]) -> float:
    """The slope that ``gradients`` say the loss has along ``direction``."""
    return sum(
        float(g.double().flatten() @ d.double().flatten())
        for g, d in zip(gradients, direction, strict=True)
    )


def distance(one: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    """How far ``one`` is from ``other``, as a part of its length."""
    far = sum(float((a - b).double().square().sum()) for a, b in zip(one, other, strict=True))
    return (far / sum(float(b.double().square().sum()) for b in other)) ** 0.5
