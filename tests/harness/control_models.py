"""A ControlNet and a pose model with random weights, of ComfyUI's own classes."""

from __future__ import annotations

from typing import Any

import comfy.cldm.cldm
import comfy.controlnet
import comfy.model_patcher
import comfy.ops
import comfy.supported_models
import torch

from .families import SD15, random_like
from .small_models import small_vae


def small_control_net() -> Any:
    """A CONTROL_NET of Stable Diffusion 1.5's shape that fits the narrow model of it."""
    config = {**SD15.config, **(SD15.narrow or {})}
    config = {key: value for key, value in config.items() if key != "out_channels"}
    config |= {"operations": comfy.ops.disable_weight_init, "device": torch.device("cpu")}
    network = comfy.cldm.cldm.ControlNet(**config, hint_channels=3)
    network.load_state_dict(random_like(network, 11, torch.float32))
    return comfy.controlnet.ControlNet(network, load_device=torch.device("cpu"))


def small_pose_model(width: int = 96, height: int = 128) -> tuple[Any, Any]:
    """MODEL and VAE of SDPose's shape, narrow but for the 640 channels that its head reads.

    It looks at pictures of ``width`` by ``height`` px; the published one at 768 by 1024.
    """
    values = {"model_channels": 64, "channel_mult": [1, 10], "context_dim": 1024}
    values |= {"num_heads": -1, "use_linear_in_transformer": True}
    values |= {"num_classes": "sequential", "adm_in_channels": 4, "heatmap_head": True}
    config = comfy.supported_models.LotusD({**SD15.config, **values})
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, "")
    network = model.diffusion_model
    network.load_state_dict(random_like(network, 12, torch.float32))
    network.heatmap_head.heatmap_size = (width // 4, height // 4)
    cpu = torch.device("cpu")
    patcher = comfy.model_patcher.ModelPatcher(model, load_device=cpu, offload_device=cpu)
    return patcher, small_vae(4)
