"""The dataset as the model sees it: latents in groups of one size, drawn by weight."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..character import Shot

LARGEST = 1024
SMALLEST_SIDE = 64


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture to train on: latent (1, C, …, h, w) float32 in the model's scale, on the CPU."""

    latent: torch.Tensor
    caption: str
    weight: float


def without_trigger(shots: Iterable[Shot], trigger: str) -> list[Shot]:
    """The shots whose caption does not have ``trigger`` as a word of its own."""
    word = re.compile(rf"(?<!\w){re.escape(trigger)}(?!\w)", re.IGNORECASE)
    return [shot for shot in shots if not word.search(shot.caption)]


def common_resolution(shots: Sequence[Shot]) -> int:
    """The side of the square with the median picture's area, at most 1024 pixels."""
    areas = sorted(shot.image.shape[0] * shot.image.shape[1] for shot in shots)
    return min(round(math.sqrt(areas[len(areas) // 2])), LARGEST)


def fitted_size(width: int, height: int, resolution: int, multiple: int = 16) -> tuple[int, int]:
    """The size (width, height) in pixels to train a picture at.

    Nearest to its own shape, with an area of at most ``resolution`` squared, in multiples of
    ``multiple``; never enlarged but to the smallest side a model can take.
    """
    scale = min(1.0, resolution / math.sqrt(width * height))
    smallest = math.ceil(SMALLEST_SIDE / multiple)

    def fitted(side: int) -> int:
        return max(round(side * scale / multiple), smallest) * multiple

    return fitted(width), fitted(height)


def encode_pictures(model: Any, vae: Any, shots: Iterable[Shot], resolution: int) -> list[Sample]:
    """``shots`` through the VAE and into the scale of ``model``, a BaseModel."""
    import comfy.utils

    samples = []
    multiple = 2 * int(vae.spacial_compression_encode())
    for shot in shots:
        width, height = fitted_size(shot.image.shape[1], shot.image.shape[0], resolution, multiple)
        picture = shot.image.movedim(-1, 0)[None]
        if picture.shape[-2:] != (height, width):
            picture = comfy.utils.common_upscale(picture, width, height, "lanczos", "center")
        with torch.inference_mode():
            encoded = vae.encode(picture.movedim(1, -1).clamp(0, 1))
        with torch.inference_mode(False), torch.no_grad():
            # What was made in inference mode cannot be kept by autograd; a copy can.
            latent = model.process_latent_in(encoded.clone()).to("cpu", torch.float32)
        samples.append(Sample(latent, shot.caption, shot.weight))
    return samples


class WeightedBatches:
    """Batches of one size each, every sample as often as its weight says."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        """Raises ValueError when a weight is negative or all are zero."""
        self._sizes: dict[tuple[int, ...], list[int]] = {}
        for index, sample in enumerate(samples):
            if sample.weight > 0:
                self._sizes.setdefault(tuple(sample.latent.shape), []).append(index)
            elif sample.weight < 0 or not math.isfinite(sample.weight):
                raise ValueError(f"A picture's weight is {sample.weight}; give one of 0 or more.")
        if not self._sizes:
            raise ValueError("Every picture's weight is 0; give at least one a weight above 0.")
        self._weights = torch.tensor([sample.weight for sample in samples], dtype=torch.float64)

    def draw(self, count: int, generator: torch.Generator) -> list[int]:
        """Indices of ``count`` samples of one size.

        Systematic sampling within the size: equally spaced points on the weights laid end to
        end, in shuffled order. Each sample's share is exact, and a batch repeats a sample only
        where its weight asks for that.
        """
        groups = list(self._sizes.values())
        totals = torch.stack([self._weights[group].sum() for group in groups])
        group = groups[int(torch.multinomial(totals, 1, generator=generator))]
        order = torch.tensor(group)[torch.randperm(len(group), generator=generator)]
        ends = self._weights[order].cumsum(0)
        start = torch.rand(1, generator=generator, dtype=torch.float64)
        points = (torch.arange(count) + start) * ends[-1] / count
        places = torch.searchsorted(ends, points, right=True).clamp(max=len(group) - 1)
        return order[places].tolist()
