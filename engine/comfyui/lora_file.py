"""LoRA files as they come: their weights, and the metadata that they carry."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch

from .apply import LoraWeights


def read_lora(path: Path) -> tuple[LoraWeights, dict[str, str]]:
    """The weights and the metadata in ``path``.

    Raises ValueError with a sentence when there is no LoRA that can be read.
    """
    import comfy.utils
    from safetensors import SafetensorError

    refused = (OSError, ValueError, RuntimeError, KeyError, EOFError, UnpicklingError)
    try:
        state, metadata = comfy.utils.load_torch_file(
            str(path), safe_load=True, return_metadata=True
        )
    except (*refused, SafetensorError) as error:
        # What torch says of a pickle is a page, and how to run it all the same.
        told = "no weights stand in it" if isinstance(error, UnpicklingError) else error
        raise ValueError(
            f"{path.name} cannot be read ({told}); it is damaged or no LoRA, choose another."
        ) from error
    weights = {str(k): v for k, v in state.items() if isinstance(v, torch.Tensor)}
    if not weights:
        raise ValueError(f"{path.name} holds no weights; choose a LoRA.")
    return weights, {str(k): str(v) for k, v in (metadata or {}).items()}


def read_weights(path: Path) -> LoraWeights:
    """The weights alone; raises ValueError as ``read_lora`` does."""
    return read_lora(path)[0]
