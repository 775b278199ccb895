"""At which noise a picture is trained: the distributions, and the range that a shot is held to.

A level is a share of the model's own noise: 0 clean, 1 noise alone. For flow models it is sigma,
for the others the place in their table of noise levels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...core.errors import FacetError

Range = tuple[float, float]
"""The lowest and the highest level, within 0..1."""

WHOLE: Range = (0.0, 1.0)

# At no noise at all, a flow model's velocity cannot be told from its answer.
_LOWEST = 1e-3

# What sets a character apart is decided at high noise: without a shift, likeness takes twice the
# steps. 3 is near what Flux's own sampler does at a megapixel (3.16).
_SUITABLE_SHIFT = 3.0


def draw_sigmas(
    sampling: Any,
    count: int,
    generator: torch.Generator,
    shift: float = 1.0,
    timesteps: str = "auto",
    tokens: int = 4096,
    ranges: Sequence[Range] | None = None,
) -> torch.Tensor:
    """``count`` noise levels for training, (count,) float32 on the CPU, in the model's own scale.

    auto: for flow models logit-normal (Esser et al. 2024, section 3.1), shifted by ``shift``, or
    by 3 where that is 1; for the others evenly from their table of noise levels. uniform: evenly.
    logit-normal: without a shift. shift: as auto, but shifted as the model's own samplers do where
    ``shift`` is 1. flux_shift: by the number of ``tokens`` in the picture, as Flux's sampler does.
    ``ranges`` holds each sample to levels of its own: the same distribution, cut off there.
    The number of values drawn from ``generator`` is the same for every range.
    Raises FacetError for a model that does not start from noise, and for a shift of one that is
    no flow model.
    """
    import comfy.model_sampling as kinds

    check_timesteps(sampling, timesteps)
    held = [WHOLE] * count if ranges is None else list(ranges)
    if not is_flow(sampling):
        table = sampling.sigmas.detach().to("cpu", torch.float32)
        return table[_places(len(table), timesteps, count, generator, held)]
    if timesteps == "uniform":
        levels = _uniform(count, generator, held).clamp(min=_LOWEST)
    else:
        levels = _LogitNormal(_shift(sampling, timesteps, shift, tokens)).draw(generator, held)
    return levels if isinstance(sampling, kinds.CONST) else levels / (1 - levels)


def sigmas_at(sampling: Any, levels: torch.Tensor) -> torch.Tensor:
    """The sigmas of ``levels`` (N,), float32 on the CPU, in the model's own scale."""
    import comfy.model_sampling as kinds

    if isinstance(sampling, kinds.CONST):
        return levels.float()
    if is_flow(sampling):
        return (levels / (1 - levels)).float()
    table = sampling.sigmas.detach().to("cpu", torch.float32)
    return table[_place(levels, len(table))]


def is_flow(sampling: Any) -> bool:
    """Whether the model predicts a velocity between the picture and the noise."""
    import comfy.model_sampling as kinds

    return isinstance(sampling, kinds.CONST | kinds.COSMOS_RFLOW)


def check_timesteps(sampling: Any, timesteps: str) -> None:
    """Raises FacetError when a model of this kind cannot be trained at such noise levels."""
    import comfy.model_sampling as kinds

    if isinstance(sampling, kinds.X0 | kinds.IMG_TO_IMG_FLOW):
        raise FacetError(
            "This model turns one image into another and is not trained from noise; "
            "use a text-to-image model."
        )
    if timesteps in ("shift", "flux_shift") and not is_flow(sampling):
        raise FacetError(
            f"timesteps is {timesteps!r}, which is for flow models such as Flux, and this model "
            "is none; choose auto, uniform or logit-normal."
        )


def flux_shift(tokens: int) -> float:
    """How far Flux's sampler shifts a picture of so many tokens (patches of 16 by 16 pixels).

    The exponential of a line through (256, 0.5) and (4096, 1.15): get_schedule in Black Forest
    Labs' flux/sampling.py, and ComfyUI's node ModelSamplingFlux.
    """
    slope = (1.15 - 0.5) / (4096 - 256)
    return math.exp(0.5 + slope * (tokens - 256))


def model_shift(sampling: Any) -> float:
    """How far a flow model's own samplers shift, read off the middle of their noise levels."""
    table = sampling.sigmas
    middle = float(table[len(table) // 2 - 1])
    return middle / (1 - middle)


def _shift(sampling: Any, timesteps: str, shift: float, tokens: int) -> float:
    if timesteps == "logit-normal":
        return 1.0
    if timesteps == "flux_shift":
        return flux_shift(tokens)
    if shift != 1.0:
        return shift
    return model_shift(sampling) if timesteps == "shift" else _SUITABLE_SHIFT


@dataclass(frozen=True)
class _LogitNormal:
    """The sigmoid of a normal variable, shifted: s u / (1 + (s - 1) u)."""

    shift: float

    def draw(self, generator: torch.Generator, held: Sequence[Range]) -> torch.Tensor:
        z = torch.randn(len(held), generator=generator)
        levels = self._level(z)
        for index, (low, high) in enumerate(held):
            if (low, high) != WHOLE:
                levels[index] = self._within(z[index], low, high)
        return levels

    def _level(self, z: torch.Tensor) -> torch.Tensor:
        u = z.sigmoid()
        return self.shift * u / (1 + (self.shift - 1) * u)

    def _within(self, z: torch.Tensor, low: float, high: float) -> float:
        """The level as far into the range, by probability, as ``z`` is into the whole."""
        ends = torch.tensor([max(low, _LOWEST), high], dtype=torch.float64)
        below = torch.special.ndtr((ends / (self.shift + (1 - self.shift) * ends)).logit())
        share = torch.special.ndtr(z.double())
        level = self._level(torch.special.ndtri(below[0] + share * (below[1] - below[0])))
        return min(max(float(level), low, _LOWEST), max(high, _LOWEST))


def _uniform(count: int, generator: torch.Generator, held: Sequence[Range]) -> torch.Tensor:
    low, high = torch.tensor(held).T
    return low + torch.rand(count, generator=generator) * (high - low)


def _places(
    length: int, timesteps: str, count: int, generator: torch.Generator, held: Sequence[Range]
) -> torch.Tensor:
    """Places in a table of ``length`` noise levels, (count,) int64."""
    if timesteps == "logit-normal":
        return _place(_LogitNormal(1.0).draw(generator, held), length)
    places = torch.randint(length, (count,), generator=generator)
    for index, (low, high) in enumerate(held):
        if (low, high) != WHOLE:
            level = low + (int(places[index]) + 0.5) / length * (high - low)
            places[index] = min(int(level * length), length - 1)
    return places


def _place(levels: torch.Tensor, length: int) -> torch.Tensor:
    return (levels * length).long().clamp(0, length - 1)
