"""An upscale model with weights that are known, loaded by ComfyUI's own node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def sharpening_upscaler(folder: Path, monkeypatch: Any, strength: float = 0.6) -> Any:
    """A Real-ESRGAN Compact model that doubles a picture's sides and sharpens it.

    Its activations pass everything, so that what it adds to the nearest pixel is ``strength`` times
    the Laplacian.
    """
    import folder_paths
    from comfy_extras.nodes_upscale_model import UpscaleModelLoader
    from safetensors.torch import save_file

    first, last = torch.zeros(3, 3, 3, 3), torch.zeros(12, 3, 3, 3)
    high = torch.tensor([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]]) * strength
    for channel in range(3):
        first[channel, channel, 1, 1] = 1
        last[4 * channel : 4 * channel + 4, channel] = high
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        "body.0.weight": first,
        "body.0.bias": torch.zeros(3),
        "body.1.weight": torch.ones(3),
        "body.2.weight": last,
        "body.2.bias": torch.zeros(12),
    }
    save_file(weights, folder / "sharpen.safetensors")
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "upscale_models", ([str(folder)], {".safetensors"})
    )
    return UpscaleModelLoader.execute("sharpen.safetensors").args[0]
