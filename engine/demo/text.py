"""The demo's text model: stock CLIP tokens, few of them, and a table that is mostly a seed."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

from ..comfyui.internals import internal

MAX_TOKENS = 36
WIDTH, LAYERS, HEADS = 128, 2, 2
VOCABULARY_SIZE = 49408
START, END = 49406, 49407
SMALL_WORDS = frozenset("a an and at in of on shot the view wearing with".split())
_TABLE_SEED, _TABLE_SCALE = 1234, 0.5


def simplify(text: str) -> str:
    """The text without punctuation and small words; the brackets of weighted prompts stay."""
    text = re.sub(r"(?<=close)-(?=up)|(?<=t)-(?=shirt)", "", text)
    words = re.sub(r"[^\w\s():.\\]", " ", text).split()
    return " ".join(word for word in words if word.lower() not in SMALL_WORDS)


def token_table(rows: Tensor, ids: Tensor) -> Tensor:
    """The embedding table (49408, 128): trained `rows` at `ids`, all others drawn from a seed."""
    generator = torch.Generator().manual_seed(_TABLE_SEED)
    table = torch.randn(VOCABULARY_SIZE, WIDTH, generator=generator) * _TABLE_SCALE
    table[ids.long()] = rows.float()
    return table


def clip_config() -> dict[str, Any]:
    """The text model's sizes in the words of a CLIP config."""
    return {
        "num_hidden_layers": LAYERS,
        "hidden_size": WIDTH,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * WIDTH,
        "hidden_act": "gelu_pytorch_tanh",
        "max_position_embeddings": MAX_TOKENS,
        "eos_token_id": END,
    }


def tokenizer_class() -> type:
    """A tokenizer for `comfy.sd.CLIP` that simplifies the text first."""
    tokenizer: Any = internal("SDTokenizer")
    wrapper: Any = internal("SD1Tokenizer")

    class DemoTokenizer(tokenizer):
        """Stock CLIP byte pairs, 36 tokens."""

        def __init__(self, **kwargs: Any):
            super().__init__(**{**kwargs, "max_length": MAX_TOKENS})

        def tokenize_with_weights(self, text: str, *args: Any, **kwargs: Any) -> Any:
            return super().tokenize_with_weights(simplify(text), *args, **kwargs)

    class DemoClipTokenizer(wrapper):
        """The demo's tokenizer under the name that SD1's text model asks for."""

        def __init__(self, embedding_directory: Any = None, tokenizer_data: Any = None):
            super().__init__(
                embedding_directory=embedding_directory,
                tokenizer_data=tokenizer_data or {},
                tokenizer=DemoTokenizer,
            )

    return DemoClipTokenizer
