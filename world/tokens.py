"""Captions to token ids with ComfyUI's own tokenizer, word by word and remembered."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ..engine.demo.text import END, MAX_TOKENS, START, simplify
from .captions import text_caption
from .identity import Identity
from .scene import Scene


@cache
def _clip_tokenizer():  # type: ignore[no-untyped-def]
    import comfy.sd1_clip
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(
        str(Path(comfy.sd1_clip.__file__).parent / "sd1_tokenizer")
    )


@cache
def word_ids(word: str) -> tuple[int, ...]:
    """Token ids of one word."""
    return tuple(_clip_tokenizer()(word)["input_ids"][1:-1])


def token_ids(text: str, name: tuple[int, ...] = ()) -> tuple[list[int], int]:
    """A caption as exactly MAX_TOKENS ids, and how many of them are not padding.

    `name` are ids put right after the start token: a trigger word that is no text.
    """
    ids = [START, *name]
    for word in simplify(text).split():
        ids.extend(word_ids(word))
    ids = [*ids[: MAX_TOKENS - 1], END]
    return ids + [END] * (MAX_TOKENS - len(ids)), len(ids)


def batch_of(captions: list[tuple[str, tuple[int, ...]]]) -> tuple[Tensor, Tensor]:
    """Captions with their names to ids (N, MAX_TOKENS) and lengths (N,)."""
    rows = [token_ids(text, name) for text, name in captions]
    return torch.tensor([r[0] for r in rows]), torch.tensor([r[1] for r in rows])


def used_ids() -> list[int]:
    """Every id that a caption of the world can hold, sorted."""
    rng = random.Random("vocabulary")
    used = {START, END, *word_ids("same"), *word_ids("character")}
    for seed in range(3000):
        text = text_caption(Identity.from_seed(seed), Scene.sample(rng))
        for word in simplify(text).split():
            used.update(word_ids(word))
    return sorted(used)


def random_name(rng: random.Random, used: frozenset[int]) -> tuple[int, ...]:
    """One to three ids that no caption uses: a stand-in for any trigger word."""
    count = rng.choice((1, 2, 2, 3))
    name: list[int] = []
    while len(name) < count:
        drawn = rng.randrange(START)
        if drawn not in used:
            name.append(drawn)
    return tuple(name)
