"""Sizes of the demo's CLIP_VISION identity encoder."""

from __future__ import annotations

from typing import Any

IMAGE_SIZE, PATCH, WIDTH, LAYERS, HEADS, PROJECTION = 128, 16, 128, 4, 4, 64


def vision_config() -> dict[str, Any]:
    """The identity encoder's sizes in the words of a CLIP vision config."""
    return {
        "name": "Facet's demo encoder",
        "model_type": "clip_vision_model",
        "num_hidden_layers": LAYERS,
        "hidden_size": WIDTH,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * WIDTH,
        "hidden_act": "gelu_pytorch_tanh",
        "image_size": IMAGE_SIZE,
        "patch_size": PATCH,
        "num_channels": 3,
        "projection_dim": PROJECTION,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
