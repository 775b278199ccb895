"""What a training takes of a device, reckoned before the model is loaded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

GB = 1024**3
SPARE = GB
"""What ComfyUI, CUDA and the allocator's gaps take besides."""
BYTES_OF_A_VALUE = 16
"""Of each value of a LoRA: itself, its gradient and Adam's two moments, in float32."""


@dataclass(frozen=True)
class MemoryPlan:
    """Where a training's bytes go on a card that has ``device`` for them.

    weights: of the frozen model. adapters: of the LoRA with its optimizer. kept, kept_checkpointed:
    what a step keeps for its backward pass, without gradient checkpointing and with it. wanted:
    whether the user asks for it.
    """

    device: int
    weights: int
    adapters: int
    kept: int
    kept_checkpointed: int
    wanted: bool = False

    @property
    def checkpointing(self) -> bool:
        """Whether blocks run again in the backward pass: as wanted, or where it would not fit."""
        return self.wanted or self.device < self.weights + self.adapters + self.kept + SPARE

    @property
    def activations(self) -> int:
        """Bytes that a step keeps for its backward pass, the way it is taken."""
        return self.kept_checkpointed if self.checkpointing else self.kept

    @property
    def streamed(self) -> int:
        """Bytes of the weights that do not fit beside all else, and come anew for each use."""
        left = self.device - self.adapters - self.activations - SPARE
        return max(0, self.weights - max(0, left))

    def text(self) -> str:
        """One line for a person."""
        way = ""
        if self.checkpointing:
            way = f" with gradient checkpointing ({_gb(self.kept)} without)"
        rest = "the whole model stays on the card"
        if self.streamed:
            rest = f"{_gb(self.streamed)} of the model come from memory for each step"
        return (
            f"Memory: {_gb(self.device)} on the card; {_gb(self.weights)} model, "
            f"{_gb(self.adapters)} LoRA and optimizer, {_gb(self.activations)} a step{way}; {rest}."
        )


def available(model: Any, limit: float = 0.0) -> int | None:
    """Bytes that ``model``, a ModelPatcher, could have on its device; None on a CPU.

    What is free, and what ComfyUI's other models would give back. limit: GB to stay within, 0 for
    none.
    """
    import comfy.model_management as management

    device = model.load_device
    if management.is_device_cpu(device):
        return None
    found = model.get_free_memory(device)
    for one in management.current_loaded_models:
        # What is loaded dynamically gives way by itself, and counts as free.
        if one.device == device and one.model is not None and not one.model.is_dynamic():
            found += one.model_loaded_memory()
    return int(min(found, limit * GB) if limit else found)


def adapter_bytes(layers: Iterable[torch.nn.Module], rank: int) -> int:
    """Bytes of a LoRA of ``rank`` on ``layers`` while it is trained."""
    values = 0
    for layer in layers:
        if hasattr(layer, "in_features"):
            values += rank * (layer.in_features + layer.out_features)
        else:
            rows, *columns = layer.weight.shape
            values += rank * (rows + math.prod(columns))
    return BYTES_OF_A_VALUE * values


def _gb(count: int) -> str:
    return f"{count / GB:.1f} GB"
