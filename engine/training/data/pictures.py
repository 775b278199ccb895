"""The dataset as the model sees it: latents in groups of one size, drawn by weight."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...comfyui.fingerprint import model_fingerprint
from ...comfyui.progress import interruptible
from ...core.character import Provenance, Shot
from ...core.errors import FacetError
from ...core.letters import has_word
from .buckets import View
from .caches import Cache, content_key
from .masks import latent_mask
from .words import mirrored_caption

_UNKNOWN = Provenance("imported")


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """One picture to train on: latent (1, C, …, h, w) float32 in the model's scale, on the CPU.

    mask: (1, 1, …, h, w), 1 on the subject, or None to count everywhere. prior_caption: what the
    caption would be of anyone of the class.
    """

    latent: torch.Tensor
    caption: str
    weight: float
    provenance: Provenance = _UNKNOWN
    mask: torch.Tensor | None = None
    prior_caption: str = ""


def without_trigger(shots: Iterable[Shot], *triggers: str) -> list[Shot]:
    """The shots whose caption has none of ``triggers`` as a word of its own."""
    return [shot for shot in shots if not any(has_word(shot.caption, word) for word in triggers)]


def encode_views(
    model: Any, vae: Any, views: Sequence[View], masked: bool = False, cache: Cache | None = None
) -> list[TrainingSample]:
    """``views`` through the VAE and into the scale of ``model``, a BaseModel.

    Masks are taken along where ``masked``; ``cache`` keeps what the VAE made. An interrupt in
    ComfyUI ends it with ``InterruptProcessingException``.
    """
    vae_key = "" if cache is None else f"{model_fingerprint(vae.patcher)} {vae.vae_dtype}"
    samples = []
    for view in interruptible(views):
        shot = view.shot
        if cache is None:
            encoded = _encoded(vae, view)
        else:
            key = content_key(shot.hash, view.size, view.mirrored, vae_key)
            encoded = cache.fetch("latents", key, functools.partial(_encoded, vae, view))
        with torch.inference_mode(False), torch.no_grad():
            # What was made in inference mode cannot be kept by autograd; a copy can.
            latent = model.process_latent_in(encoded.clone()).to("cpu", torch.float32)
            mask = None
            if masked and shot.mask is not None:
                mask = latent_mask(shot.mask, view.size, latent, view.mirrored)
        caption = mirrored_caption(shot.caption) if view.mirrored else shot.caption
        weight = shot.weight * view.share
        samples.append(TrainingSample(latent, caption, weight, shot.provenance, mask))
    return samples


def _encoded(vae: Any, view: View) -> torch.Tensor:
    """What the VAE makes of a view: (1, C, …, h, w)."""
    import comfy.utils

    width, height = view.size
    picture = view.shot.image.movedim(-1, 0)[None]
    if view.mirrored:
        picture = picture.flip(-1)
    if picture.shape[-2:] != (height, width):
        picture = comfy.utils.common_upscale(picture, width, height, "lanczos", "center")
    with torch.inference_mode():
        encoded: torch.Tensor = vae.encode(picture.movedim(1, -1).clamp(0, 1))
    return encoded


class WeightedBatches:
    """Batches of one size each, every sample as often as its weight says."""

    def __init__(self, samples: Sequence[TrainingSample]) -> None:
        """Raises FacetError when a weight is negative or all are zero."""
        self._sizes: dict[tuple[int, ...], list[int]] = {}
        for index, sample in enumerate(samples):
            if sample.weight > 0:
                self._sizes.setdefault(tuple(sample.latent.shape), []).append(index)
            elif sample.weight < 0 or not math.isfinite(sample.weight):
                raise FacetError(f"An image's weight is {sample.weight}; give one of 0 or more.")
        if not self._sizes:
            raise FacetError("Every image's weight is 0; give at least one a weight above 0.")
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
