"""Makes the pictures of a scoring, with and without LoRAs, and makes none twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..comfyui.apply import LoraWeights, with_lora
from ..comfyui.sampling import (
    Sampling,
    encode_prompt,
    model_fingerprint,
    sample,
    weights_fingerprint,
)
from ..vision.embedders import Embedder
from .cache import PictureCache, picture_key, weights_key

Make = Callable[[str, int], torch.Tensor]
"""A picture (H, W, 3) of a text with a seed."""


@dataclass(frozen=True)
class Candidate:
    """A LoRA that may be the best: ``load`` reads its weights when its turn comes."""

    name: str
    strength: float
    load: Callable[[], LoraWeights]
    step: int | None = None
    path: str = ""
    loss: float | None = None

    @property
    def label(self) -> str:
        """As in 'step 200 at strength 0.8'."""
        return f"{self.name} at strength {self.strength:g}"


@dataclass(frozen=True)
class Bench:
    """The models to sample and to measure with, and how to sample.

    embedder: tells likeness; without it the CLIP_VISION does, on the whole picture. background:
    what goes over BACKGROUND_REMOVAL, to look at the person alone.
    """

    model: Any
    clip: Any
    vae: Any
    clip_vision: Any
    sampling: Sampling
    face_model: Any = None
    negative: str = ""
    embedder: Embedder | None = None
    background: Any = None


class Sampler:
    """Samples with the models of ``bench``; what is in ``cache`` is not sampled again."""

    def __init__(self, bench: Bench, cache: PictureCache | None = None) -> None:
        self.bench, self.cache = bench, cache
        self.models = (
            model_fingerprint(bench.model),
            weights_fingerprint([bench.clip.cond_stage_model, bench.vae.first_stage_model]),
        )

    def check(self, candidates: Sequence[Candidate]) -> None:
        """Raises ValueError when one of the LoRAs does not belong to the model."""
        for first in {one.name: one for one in candidates}.values():
            with_lora(self.bench.model, self.bench.clip, first.load(), 1.0)

    def make(self, candidate: Candidate | None) -> Make:
        """What makes pictures with ``candidate``; without a LoRA for None."""
        bench = self.bench
        if candidate is None:
            return self._making(bench.model, bench.clip, "")
        weights = candidate.load()
        model, clip = with_lora(bench.model, bench.clip, weights, candidate.strength)
        # The LoRA is told by its own weights: what a patched model shows of itself is few values.
        return self._making(model, clip, f"{weights_key(weights)} {candidate.strength}")

    def _making(self, model: Any, clip: Any, lora: str) -> Make:
        bench, cache = self.bench, self.cache
        guidance = bench.sampling.guidance

        def picture(text: str, seed: int) -> torch.Tensor:
            key = picture_key(self.models, lora, bench.sampling, text, bench.negative, seed)
            known = None if cache is None else cache.load(key)
            if known is not None:
                return known
            made = sample(
                model,
                bench.vae,
                encode_prompt(clip, text, guidance),
                encode_prompt(clip, bench.negative, guidance),
                bench.sampling,
                seed,
            )[0].detach()
            return made if cache is None else cache.save(key, made)

        return picture
