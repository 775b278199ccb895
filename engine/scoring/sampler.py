"""Makes the pictures of a scoring, with and without LoRAs, and makes none twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..comfyui.lora_camera import LoraCamera
from ..comfyui.lora_names import LoraWeights
from ..comfyui.lora_place import place
from ..comfyui.models import Models
from ..comfyui.sampling import Conditioning, Sampling
from ..core.errors import FacetError
from ..store.images import ImageStore
from ..studio.judge import Judge
from ..studio.studio import Studio
from ..vision.embedders import Embedder

LOGGER = logging.getLogger(__name__)

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
class Bench(Models):
    """The models to sample and to measure with, and how to sample.

    embedder: tells likeness; without it the CLIP_VISION does, on the whole picture. background:
    what goes over BACKGROUND_REMOVAL, to look at the person alone. held_out: pictures (H, W, 3) of
    the character that nobody has seen.
    """

    clip_vision: Any
    sampling: Sampling
    face_model: Any = None
    negative: str = ""
    embedder: Embedder | None = None
    background: Any = None
    held_out: tuple[torch.Tensor, ...] = ()


def bench_of(
    studio: Studio,
    judge: Judge,
    sampling: Sampling,
    held_out: tuple[torch.Tensor, ...] = (),
) -> Bench:
    """The bench of a studio and a judge; raises FacetError when the judge tells no likeness."""
    embedder = judge.embedder
    if embedder is None:
        raise FacetError(
            "The judge measures no similarity; connect a CLIP_VISION or a face embedder to Facet "
            "Judge."
        )
    if judge.clip_vision is None:
        raise FacetError(
            "The judge has a face embedder and no CLIP_VISION, by which copies of training images "
            "are found; connect one to Facet Judge as well."
        )
    return Bench(
        studio.model,
        studio.clip,
        studio.vae,
        judge.clip_vision,
        sampling,
        judge.face_model,
        studio.negative,
        embedder,
        judge.background,
        held_out,
    )


class CandidateSampler:
    """Samples with the models of ``bench``; what is in ``store`` is not sampled again."""

    def __init__(self, bench: Bench, store: ImageStore | None = None) -> None:
        self.bench, self.store = bench, store
        self._encoded: dict[tuple[Any, str], Conditioning] = {}

    def check(self, candidates: Sequence[Candidate]) -> list[str]:
        """What of the LoRAs has no place in the model, as sentences.

        Raises FacetError when one of them does not belong to it.
        """
        model, clip = self.bench.model, self.bench.clip
        firsts = {one.name: one for one in candidates}.values()
        notes = (place(model, clip, first.load()).note for first in firsts)
        return list(dict.fromkeys(filter(None, notes)))

    def make(self, candidate: Candidate | None) -> Make:
        """What makes images with ``candidate``; without a LoRA for None."""
        bench, store = self.bench, self.store
        lora = None if candidate is None else candidate.load()
        camera = LoraCamera(bench, bench.sampling, lora, self._encoded)
        strength = 0.0 if candidate is None else candidate.strength
        camera.patched(strength)  # a LoRA of another model is said before anything is made
        if candidate is not None and camera.note:
            LOGGER.warning("%s: %s", candidate.name, camera.note)

        def image(text: str, seed: int) -> torch.Tensor:
            if store is None:
                return camera.image(text, bench.negative, seed, strength)
            key = camera.key(text, bench.negative, seed, strength)
            known = store.image(key)
            if known is not None:
                return known
            return store.save_image(key, camera.image(text, bench.negative, seed, strength))

        return image
