"""Everything a run trains on, encoded once: pictures through the VAE, captions through the CLIP."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...core.character import LONGEST_CAPTION, Character, Shot, mask_hash
from ...core.errors import FacetError
from ...store.files import contained
from ..model.loading import choose_precision
from ..objective.loss import check_objective
from ..objective.timesteps import WHOLE, check_timesteps
from ..settings import TrainingSettings
from .buckets import cut_pictures, size_multiple, smaller_pictures, trained_sides, views
from .caches import Cache
from .conditioning import encode_captions
from .masks import check_masks, masks_matter
from .pictures import TrainingSample, encode_views
from .words import class_caption

CACHE_FOLDER = "cache"


@dataclass(frozen=True)
class TrainingData:
    """samples: to train on; held_out: to validate with; prompts: every caption of them, encoded.

    notes: sentences about what may surprise.
    """

    samples: list[TrainingSample]
    held_out: list[TrainingSample]
    prompts: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()


def encode_data(
    model: Any,
    clip: Any,
    vae: Any,
    character: Character,
    shots: Sequence[Shot],
    settings: TrainingSettings,
    folder: Path,
    held_out: Sequence[Shot] = (),
) -> TrainingData:
    """``shots`` and ``held_out`` of ``character`` as ``settings`` want them.

    ``model`` is a ModelPatcher. With the cache "disk", what is encoded is kept below ``folder``,
    the character's, and found there by the next run. Raises FacetError before anything is encoded
    when the settings do not suit the model or the pictures.
    """
    check_data(shots, settings)
    sampling = model.get_model_object("model_sampling")
    check_timesteps(sampling, settings.timesteps)
    check_objective(sampling, settings.loss_weighting, settings.noise_offset)
    cache = Cache(contained(folder, CACHE_FOLDER)) if settings.cache == "disk" else None
    multiple = size_multiple(model.model, vae)
    ways = views(shots, settings, multiple)
    # Held-out pictures are looked at once each, at the largest of the sizes that are trained.
    largest = max(trained_sides(shots, settings))
    once = replace(settings, flip=False, batch_size=1, resolutions="", resolution=largest)
    looks = views(held_out, once, multiple) if held_out else []
    encoded = [
        replace(sample, prior_caption=_prior_caption(sample, character, settings))
        for sample in encode_views(model.model, vae, ways, masks_matter(settings), cache)
    ]
    unseen = encode_views(model.model, vae, looks, masks_matter(settings), cache)
    captions = ["", *(sample.caption for sample in (*encoded, *unseen))]
    captions += [sample.prior_caption for sample in encoded]
    prompts = encode_captions(clip, captions, cache)
    precision = choose_precision(settings.precision, model)
    dtype = precision.activations or model.model.get_dtype_inference()
    for prompt in prompts.values():
        # As the model takes it: the largest text encoders give 30 MB of float32 for each.
        prompt["cross_attn"] = prompt["cross_attn"].to(dtype)
    if cache is not None:
        cache.trim()
    return TrainingData(encoded, unseen, prompts, remarks(shots, settings))


def held_out(shots: Sequence[Shot], count: int, seed: int) -> tuple[list[Shot], list[Shot]]:
    """``shots`` to train on, and ``count`` to validate with that are never trained on.

    Which ones depends on the seed and on what the pictures are, not on their order. Pictures
    that are the same stay together. Raises FacetError when nothing would be left to train on.
    """

    def draw(picture: str) -> str:
        return hashlib.sha256(f"{seed}:{picture}".encode()).hexdigest()

    pictures = sorted({shot.hash for shot in shots}, key=draw)
    if count >= len(pictures):
        raise FacetError(
            f"validation_shots is {count} and there are {len(pictures)} images, so that none "
            "would be left to train on; hold out fewer."
        )
    chosen = set(pictures[:count])
    training = [shot for shot in shots if shot.hash not in chosen]
    # The first of those that are the same stands for them.
    others = {shot.hash: shot for shot in reversed(shots) if shot.hash in chosen}
    return training, [others[picture] for picture in pictures[:count]]


def check_data(shots: Sequence[Shot], settings: TrainingSettings) -> None:
    """Raises FacetError when there is nothing to train on, or not what the settings need."""
    if not shots:
        raise FacetError(
            "There is no image to train on; include at least one, and hold out fewer than there "
            "are."
        )
    for number, shot in enumerate(shots, 1):
        if len(shot.caption) > LONGEST_CAPTION:
            raise FacetError(
                f"The caption of image {number} of {len(shots)} has {len(shot.caption)} letters, "
                f"more than any text encoder reads; shorten it to {LONGEST_CAPTION}."
            )
    check_masks(shots, settings)


def deciding(shots: Sequence[Shot], settings: TrainingSettings) -> list[str]:
    """Hashes of what decides the outcome besides the character's own hash; none by default."""
    found = []
    if masks_matter(settings):
        masks = ["" if shot.mask is None else mask_hash(shot.mask) for shot in shots]
        found.append(hashlib.sha256("\n".join(masks).encode()).hexdigest())
    if (settings.generated_from, settings.generated_to) != WHOLE:
        found.append(",".join(shot.provenance.source for shot in shots))
    return found


def remarks(shots: Sequence[Shot], settings: TrainingSettings) -> tuple[str, ...]:
    """Sentences about ``shots`` that people may want to know before they wait for the result."""
    alone = (
        "There is one image: the LoRA will learn its pose and background along with the "
        "character; add shots that differ."
    )
    notes = (
        alone * (len(shots) == 1),
        smaller_pictures(shots, settings),
        cut_pictures(shots),
    )
    return tuple(filter(None, notes))


def _prior_caption(sample: TrainingSample, character: Character, settings: TrainingSettings) -> str:
    if not settings.prior_class:
        return ""
    return class_caption(sample.caption, character.trigger, character.class_word)
