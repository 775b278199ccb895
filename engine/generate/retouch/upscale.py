"""Enlarges a picture, with an upscale model or without one."""

from __future__ import annotations

from typing import Any

import torch

TILE, LEAST_TILE, OVERLAP = 512, 128, 32


def upscaled(upscale_model: Any, image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3) through an UPSCALE_MODEL: (scale H, scale W, 3) in 0..1 on the CPU.

    In tiles of 512 pixels, and of half as many each time that memory does not suffice, as ComfyUI's
    own node does. An interrupt ends it with ``InterruptProcessingException``.
    """
    import comfy.model_management as memory
    import comfy.utils

    device, scale = upscale_model.patcher.load_device, upscale_model.scale
    picture = image.permute(2, 0, 1)[None]
    # What a tile takes, as ComfyUI estimates it: 384 values for each of its pixels and scale.
    needed = TILE * TILE * 3 * picture.element_size() * max(scale, 1.0) * 384
    memory.load_models_gpu([upscale_model.patcher], memory_required=needed)

    def enlarge(part: torch.Tensor) -> torch.Tensor:
        memory.throw_exception_if_processing_interrupted()
        return upscale_model(part.to(device).float())

    tile = TILE
    while True:
        try:
            large = comfy.utils.tiled_scale(
                picture, enlarge, tile, tile, OVERLAP, scale, output_device="cpu"
            )
            return large[0].permute(1, 2, 0).clamp(0, 1).float()
        except Exception as error:
            memory.raise_non_oom(error)
            tile //= 2
            if tile < LEAST_TILE:
                raise
