"""Captions as the model takes them: the same arguments that ComfyUI's samplers pass."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import torch

from ...comfyui.fingerprint import model_fingerprint
from ...comfyui.progress import interruptible
from ...comfyui.sampling import encode_prompt, literal, tokenized
from ...families.table import takes_guidance
from .caches import Cache, content_key

Conds = dict[str, Any]
"""The model's own conditions of one sample, by argument name: instances of ``comfy.conds``."""


def encode_captions(
    clip: Any, captions: Iterable[str], cache: Cache | None = None
) -> dict[str, dict[str, Any]]:
    """Each distinct caption's conditioning, as the options that ``extra_conds`` takes.

    A caption is plain text, as other trainers see it: '(fate)' are its words in brackets and no
    weight. ``cache`` keeps what the text encoder made. An interrupt in ComfyUI ends it with
    ``InterruptProcessingException``.
    """
    encoder = _encoder_key(clip) if cache is not None else ""
    encoded = {}
    for caption in interruptible(dict.fromkeys(captions)):
        if cache is None or not encoder:
            encoded[caption] = _encoded(clip, caption)
        else:
            # The tokens too: the same weights may come with another way of reading.
            key = content_key(encoder, caption, tokenized(clip, literal(caption)))
            make = functools.partial(_encoded, clip, caption)
            encoded[caption] = cache.fetch("captions", key, make)
    return encoded


def _encoded(clip: Any, caption: str) -> dict[str, Any]:
    with torch.inference_mode():
        ((cross_attn, options),) = encode_prompt(clip, literal(caption))
    return {**plain_copy(options), "cross_attn": plain_copy(cross_attn)}


def _encoder_key(clip: Any) -> str:
    """What decides the encoding of a caption; empty where hooks may change it on the way."""
    if clip.patcher.forced_hooks is not None:
        return ""
    return content_key(model_fingerprint(clip.patcher), clip.layer_idx)


def model_conds(
    model: Any,
    options: dict[str, Any],
    latent: torch.Tensor,
    guidance: float,
    with_gradient: bool = False,
) -> Conds:
    """What ``model`` (a BaseModel) makes of encoded options for one ``latent`` (1, C, …, h, w).

    guidance: for a model that takes a distilled one. ``with_gradient`` lets a gradient pass to what
    the options were made by.
    """
    given = {
        **({"guidance": guidance} if takes_guidance(model) else {}),
        **options,
        "noise": latent,
        "device": latent.device,
        "width": latent.shape[-1] * 8,
        "height": latent.shape[-2] * 8,
        "prompt_type": "positive",
    }
    with torch.set_grad_enabled(with_gradient and torch.is_grad_enabled()):
        conds = model.extra_conds(**given)
    return {
        name: cond.process_cond(batch_size=1, device=latent.device, area=None)
        for name, cond in conds.items()
    }


def groups(conds: list[Conds]) -> list[list[int]]:
    """The indices of samples that can run as one batch; captions of other lengths run apart."""
    made: list[list[int]] = []
    for index, cond in enumerate(conds):
        for group in made:
            if _can_join(conds[group[0]], cond):
                group.append(index)
                break
        else:
            made.append([index])
    return made


def joined(conds: list[Conds]) -> dict[str, Any]:
    """One batch's arguments for ``apply_model``."""
    first, *others = conds
    return {name: cond.concat([other[name] for other in others]) for name, cond in first.items()}


def plain_copy(value: Any) -> Any:
    """A copy of ``value`` whose tensors autograd may keep.

    Nodes run in inference mode, and so did the CLIP.
    """
    with torch.inference_mode(False):
        if isinstance(value, torch.Tensor):
            return value.detach().clone()
        if isinstance(value, dict):
            return {key: plain_copy(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(plain_copy(item) for item in value)
        return value


def _can_join(one: Conds, other: Conds) -> bool:
    return one.keys() == other.keys() and all(
        cond.can_concat(other[name]) for name, cond in one.items()
    )
