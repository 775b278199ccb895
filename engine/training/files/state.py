"""Stopping and going on: everything a run needs to continue as if it had never stopped.

No random state is kept because there is none: each step's draws come from the seed and the
step's number. The state before the last one is kept too, for the case that a disk or a power cut
leaves the last one damaged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...core.errors import FacetError
from ...store.packing import pack_optimizer, unpack_optimizer
from ...store.tensors import write_tensors
from ..model.weights import Weights

STATE_FILE = "state.safetensors"
PREVIOUS_FILE = "state_before.safetensors"
_RECORD = "facet.state"


@dataclass(frozen=True)
class RunProgress:
    """How far a run has come: its fingerprint, and the loss of each step done."""

    fingerprint: str
    losses: tuple[float, ...]

    @property
    def step(self) -> int:
        return len(self.losses)


def save_state(folder: Path, weights: Weights, progress: RunProgress) -> None:
    """Writes the state of a run into its folder, whole or not at all, and keeps the one before."""
    packed, tensors = pack_optimizer(weights.optimizer)
    tensors = dict(tensors)
    for index, (name, parameter) in enumerate(weights.named()):
        tensors[f"weight.{name}"] = parameter
        tensors[f"average.{name}"] = weights.average[index]
    record = {
        "fingerprint": progress.fingerprint,
        "losses": list(progress.losses),
        "optimizer": packed,
    }
    path = folder / STATE_FILE
    coming = folder / f".{STATE_FILE}.new.part"
    try:
        write_tensors(coming, tensors, {_RECORD: json.dumps(record)})
    except BaseException:
        coming.unlink(missing_ok=True)
        raise
    # Between these two a reader finds the state before, which is why one is kept.
    if path.is_file():
        path.replace(folder / PREVIOUS_FILE)
    coming.replace(path)


def load_progress(folder: Path) -> RunProgress | None:
    """How far the run in ``folder`` has come; None where no run has left its state.

    Raises FacetError when the state and the one before are damaged.
    """
    read = _read(folder)
    if read is None:
        return None
    _, record = read
    return RunProgress(str(record["fingerprint"]), tuple(map(float, record["losses"])))


def restore(folder: Path, weights: Weights) -> None:
    """Puts the state that ``save_state`` wrote back into ``weights``.

    Raises FacetError when it is damaged or belongs to another model.
    """
    from safetensors.torch import load_file

    read = _read(folder)
    if read is None:
        raise FacetError(f"There is no saved state in {folder}; train from the start.")
    path, record = read
    try:
        tensors = load_file(path)
        with torch.no_grad():
            for index, (name, parameter) in enumerate(weights.named()):
                parameter.copy_(tensors[f"weight.{name}"])
                weights.average[index].copy_(tensors[f"average.{name}"])
        unpack_optimizer(weights.optimizer, record["optimizer"], tensors)
    except Exception as error:
        raise _damaged(path) from error


def _read(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest state that can be read, and what it says."""
    from safetensors import safe_open

    damaged: tuple[Path, Exception] | None = None
    for path in (folder / STATE_FILE, folder / PREVIOUS_FILE):
        if not path.is_file():
            continue
        try:
            with safe_open(path, "pt") as file:
                record = json.loads(file.metadata()[_RECORD])
            RunProgress(str(record["fingerprint"]), tuple(map(float, record["losses"])))
            return path, record
        except Exception as error:
            damaged = damaged or (path, error)
    if damaged is not None:
        raise _damaged(damaged[0]) from damaged[1]
    return None


def _damaged(path: Path) -> FacetError:
    return FacetError(
        f"The saved state {path} cannot be read; delete its folder, or give another run name."
    )
