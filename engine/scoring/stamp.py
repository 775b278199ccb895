"""A score written into the file of the LoRA that it is about."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..store.tensors import read_tensors, write_tensors
from .score import ScoreCard

KEY = "facet.score"


def stamp(path: Path, card: ScoreCard) -> None:
    """Writes what ``card`` says of its best LoRA into the metadata of the file ``path``.

    The weights, all other metadata and the file's time stay as they are, so that ComfyUI runs
    nothing again that names it; an earlier score is replaced. Raises ValueError when the file is no
    safetensors file or cannot be written.
    """
    from safetensors import SafetensorError

    if path.suffix.lower() != ".safetensors":
        raise ValueError(f"{path.name} is no safetensors file, so the score is not written in it.")
    try:
        state = path.stat()
        tensors, metadata = read_tensors(path)
        write_tensors(path, tensors, {**metadata, KEY: score_text(card)})
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"The score could not be written into {path.name} ({error}).") from error


def score_text(card: ScoreCard) -> str:
    """The score as one line of JSON: each figure with its interval, and what it was measured by."""
    best = card.best
    figures = {
        name: [value.value, value.low, value.high, value.count]
        for name, value in (
            ("identity", best.identity),
            ("views", best.views),
            ("framings", best.framings),
            ("expressions", best.expressions),
            ("colours", best.colours),
            ("copies", best.copies),
            ("figures", best.figures),
            ("leaks", best.leaks),
            ("unspoiled", best.unspoiled),
        )
        if value.value is not None
    }
    told = {
        "verdict": card.verdict,
        "strength": best.strength,
        **({} if best.step is None else {"step": best.step}),
        **figures,
        "character": card.character,
        "dataset_hash": card.character_hash,
        "measured_by": card.settings.get("measured_by", ""),
    }
    return json.dumps(told, ensure_ascii=False)
