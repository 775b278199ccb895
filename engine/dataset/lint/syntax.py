"""What prompts understand and captions do not: weights, embeddings, LoRAs, choices."""

from __future__ import annotations

import re

from ...core.words import tidy

WEIGHT = re.compile(r"(?<!\\)[(\[]+([^()\[\]]*?)\s*:\s*[-+]?(?:\d?\.\d+|\d)\s*[)\]]+")
"""(red hair:1.3), and [red hair:0.5], whose number is when it begins."""
DOUBLED = re.compile(r"(?<!\\)\(\(+([^()]*)\)\)+|\{\{+([^{}]*)\}\}+|\[\[+([^\[\]]*)\]\]+")
"""((red hair)), which weighs by the number of its brackets."""
LORA = re.compile(r"<\s*(?:lora|lyco|hypernet)\s*:[^<>]*>", re.IGNORECASE)
EMBEDDING = re.compile(r"(?<!\S)embedding:[^\s,]+", re.IGNORECASE)
CHOICE = re.compile(r"\{([^{}|]*)(?:\|[^{}]*)+\}")
WILDCARD = re.compile(r"__[\w/-]+__")
KEPT = (WEIGHT, DOUBLED, CHOICE)
"""Of these what the first group says stays."""
ALL = (*KEPT, LORA, EMBEDDING, WILDCARD)

Span = tuple[int, int]


def syntax_spans(caption: str) -> list[Span]:
    """Where ``caption`` holds what only prompts understand.

    Plain brackets are none: 'saber (fate)' is a name.
    """
    spans = sorted(match.span() for pattern in ALL for match in pattern.finditer(caption))
    apart: list[Span] = []
    for start, end in spans:
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def without_syntax(caption: str) -> str:
    """``caption`` with the words that its syntax is about, and without the rest of it."""
    before = None
    while before != caption:
        before = caption
        for pattern in ALL:
            caption = pattern.sub(lambda match: next(filter(None, match.groups()), ""), caption)
    return tidy(caption)
