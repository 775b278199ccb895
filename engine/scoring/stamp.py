"""A score that goes with its LoRA: inside the file, or in one beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..comfyui.lora import read_weights
from ..comfyui.lora_score import (
    ANY,
    BESIDE,
    OFF,
    OWN,
    OWN_MARK,
    SCORE,
    is_safetensors,
    read_record,
    score_file,
    score_record,
)
from ..core.errors import FacetError
from ..store.files import write_json_atomic
from ..store.tensors import read_metadata, same_data, write_metadata
from .score import ScoreCard


def stamp(path: Path, card: ScoreCard, place: str = OWN) -> Path | None:
    """Writes what ``card`` says of its best LoRA into its file ``path``, or beside it.

    The weights, all other metadata and the file's time stay as they are, so that ComfyUI runs
    nothing again that names it; an earlier score is replaced. What is no safetensors file has it
    beside it. Returns the file that has the score, None for OFF. Raises FacetError when it cannot
    be written.
    """
    if place == OFF:
        return None
    beside, inside = score_file(path), False
    try:
        inside = place != BESIDE and is_safetensors(path) and (place == ANY or is_own(path))
        if beside.exists() and not read_record(beside):
            raise FacetError(f"{beside.name} holds something else; move it away")
        if not inside:
            write_json_atomic(beside, score_record(path, read_weights(path), card.stamp()))
            return beside
        _write_inside(path, card.stamp())
        beside.unlink(missing_ok=True)  # an earlier score, which would be read first
    except (OSError, ValueError) as error:
        told = f"into {path.name}" if inside else f"beside {path.name}"
        raise FacetError(f"The score could not be written {told} ({error}).") from error
    return path


def is_own(path: Path) -> bool:
    """Whether Facet trained the LoRA in the safetensors file ``path``."""
    return OWN_MARK in read_metadata(path)


def copies(path: Path, folders: Iterable[Path]) -> Iterator[Path]:
    """The other files in ``folders`` of the LoRA ``path``, where Facet trained it.

    The LoRA in a LoRA folder is a copy of one of a run's checkpoints.
    """
    try:
        if not is_safetensors(path) or not is_own(path):
            return
        known = _origin(path)
    except (OSError, ValueError):
        return
    for folder in folders:
        for other in sorted(folder.rglob("*.safetensors")):
            try:
                if not other.samefile(path) and _origin(other) == known and same_data(other, path):
                    yield other
            except (OSError, ValueError):
                continue  # half-written, or no safetensors file


def _origin(path: Path) -> list[Any]:
    told = read_metadata(path)
    return [told.get(key) for key in (OWN_MARK, "facet.settings", "facet.step")]


def _write_inside(path: Path, score: str) -> None:
    before, metadata = path.stat(), read_metadata(path)
    if metadata.get(SCORE) != score:
        write_metadata(path, {**metadata, SCORE: score})
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
