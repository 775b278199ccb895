"""Small models with random weights, made by ComfyUI's own loaders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import comfy.clip_vision
import comfy.model_base
import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models
import comfy.supported_models_base
import comfy.taesd.taesd
import torch

HEAD = 128
"""Width of a Flux attention head: the sum of its rotary axes, which ComfyUI does not detect."""


@dataclass(frozen=True)
class SmallModels:
    """A Flux transformer with its text encoder and VAE, as ComfyUI hands them to nodes."""

    model: Any
    clip: Any
    vae: Any


def small_flux(double: int = 1, single: int = 2, text: int = 32, seed: int = 0) -> Any:
    """A Flux ModelPatcher, hidden 128, 16 latent channels, random float32 weights."""
    return comfy.sd.load_diffusion_model_state_dict(_flux_weights(double, single, text, seed))


def small_clip(width: int = 32) -> Any:
    """A CLIP text encoder with two layers."""
    config = {
        "num_hidden_layers": 2,
        "hidden_size": width,
        "num_attention_heads": 2,
        "intermediate_size": 2 * width,
        "hidden_act": "quick_gelu",
        "max_position_embeddings": 77,
        "eos_token_id": 49407,
    }
    target = comfy.supported_models_base.ClipTarget(
        comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel
    )
    clip = comfy.sd.CLIP(target, model_options={"clip_l_model_config": config})
    generator = torch.Generator().manual_seed(2)
    weights = {
        name: torch.randn(value.shape, generator=generator) * 0.3
        for name, value in clip.cond_stage_model.state_dict().items()
        if value.is_floating_point()
    }
    clip.cond_stage_model.load_state_dict(weights, strict=False)
    return clip


def small_vae(channels: int = 16) -> Any:
    """A VAE in TAESD's layout with a factor of 8."""
    # ComfyUI leaves fresh weights as the memory was, so every one is drawn here.
    generator = torch.Generator().manual_seed(3)
    weights = {
        name: torch.randn(value.shape, generator=generator) / max(1, value[0].numel()) ** 0.5
        for name, value in comfy.taesd.taesd.TAESD(latent_channels=channels).state_dict().items()
        if value.ndim
    }
    return comfy.sd.VAE(sd=weights)


def small_clip_vision() -> Any:
    """A CLIP_VISION with two layers for pictures of 64 px, embeddings of 24 numbers."""
    encoder = comfy.clip_vision.ClipVisionModel(
        {
            "model_type": "clip_vision_model",
            "num_hidden_layers": 2,
            "hidden_size": 32,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "hidden_act": "gelu_pytorch_tanh",
            "image_size": 64,
            "patch_size": 8,
            "num_channels": 3,
            "projection_dim": 24,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
        }
    )
    generator = torch.Generator().manual_seed(4)
    for weight in encoder.model.parameters():
        torch.nn.init.normal_(weight, std=0.2, generator=generator)
    return encoder


SMALL_VISION: dict[str, dict[str, Any]] = {
    "clip_vision_model": {
        "intermediate_size": 64,
        "hidden_act": "quick_gelu",
        "projection_dim": 24,
    },
    "siglip_vision_model": {"intermediate_size": 64, "hidden_act": "gelu_pytorch_tanh"},
    "siglip2_vision_model": {
        "intermediate_size": 64,
        "hidden_act": "gelu_pytorch_tanh",
        "num_patches": 64,
        "image_size": -1,
    },
    "dinov2": {"layer_norm_eps": 1e-6, "use_swiglu_ffn": False},
    "dinov3": {
        "intermediate_size": 64,
        "layer_norm_eps": 1e-5,
        "num_register_tokens": 4,
        "rope_theta": 100.0,
        "use_gated_mlp": True,
    },
}
"""What each class of comfy.clip_vision needs besides the sizes that all of them have."""


def small_vision(kind: str) -> Any:
    """A CLIP_VISION of that model_type with two layers, 32 wide, for pictures of 64 px."""
    encoder = comfy.clip_vision.ClipVisionModel(
        {
            "model_type": kind,
            "num_hidden_layers": 2,
            "hidden_size": 32,
            "num_attention_heads": 2,
            "image_size": 64,
            "patch_size": 8,
            "num_channels": 3,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
            **SMALL_VISION[kind],
        }
    )
    generator = torch.Generator().manual_seed(4)
    for weight in encoder.model.parameters():
        torch.nn.init.normal_(weight, std=0.2, generator=generator)
    return encoder


def small_models() -> SmallModels:
    """All three, fitting each other."""
    return SmallModels(small_flux(), small_clip(), small_vae())


def _flux_weights(double: int, single: int, text: int, seed: int) -> dict[str, torch.Tensor]:
    hidden, mlp = HEAD, 4 * HEAD
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, inputs: int, outputs: int) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs)
        shapes[f"{name}.bias"] = (outputs,)

    linear("img_in", 64, hidden)
    linear("txt_in", text, hidden)
    for name, width in (("time_in", 256), ("vector_in", text)):
        linear(f"{name}.in_layer", width, hidden)
        linear(f"{name}.out_layer", hidden, hidden)
    for index in range(double):
        for stream in ("img", "txt"):
            block = f"double_blocks.{index}.{stream}"
            linear(f"{block}_mod.lin", hidden, 6 * hidden)
            linear(f"{block}_attn.qkv", hidden, 3 * hidden)
            linear(f"{block}_attn.proj", hidden, hidden)
            linear(f"{block}_mlp.0", hidden, mlp)
            linear(f"{block}_mlp.2", mlp, hidden)
            shapes[f"{block}_attn.norm.query_norm.scale"] = (HEAD,)
            shapes[f"{block}_attn.norm.key_norm.scale"] = (HEAD,)
    for index in range(single):
        block = f"single_blocks.{index}"
        linear(f"{block}.modulation.lin", hidden, 3 * hidden)
        linear(f"{block}.linear1", hidden, 3 * hidden + mlp)
        linear(f"{block}.linear2", hidden + mlp, hidden)
        shapes[f"{block}.norm.query_norm.scale"] = (HEAD,)
        shapes[f"{block}.norm.key_norm.scale"] = (HEAD,)
    linear("final_layer.adaLN_modulation.1", hidden, 2 * hidden)
    linear("final_layer.linear", hidden, 64)
    generator = torch.Generator().manual_seed(seed)

    def weight(name: str, shape: tuple[int, ...]) -> torch.Tensor:
        if name.endswith(".scale"):
            return 1 + 0.1 * torch.randn(shape, generator=generator)
        scale = 0.1 if len(shape) == 1 else shape[-1] ** -0.5
        return scale * torch.randn(shape, generator=generator)

    return {name: weight(name, shape) for name, shape in shapes.items()}


UNET = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "num_res_blocks": [1, 1],
    "channel_mult": [1, 2],
    "transformer_depth": [1, 1],
    "transformer_depth_middle": 1,
    "transformer_depth_output": [1, 1, 1, 1],
    "num_heads": 2,
    "num_head_channels": -1,
    "use_spatial_transformer": True,
    "context_dim": 32,
    "use_linear_in_transformer": False,
    "adm_in_channels": None,
    "use_temporal_attention": False,
    "legacy": False,
    "dtype": torch.float32,
}


def small_unet(kind: comfy.model_base.ModelType) -> Any:
    """A Stable Diffusion UNet, 32 channels wide, with random weights."""
    config = comfy.supported_models.SD15(dict(UNET))
    config.manual_cast_dtype = None
    model = comfy.model_base.BaseModel(config, kind)
    generator = torch.Generator().manual_seed(4)
    for weight in model.diffusion_model.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) * 0.15
    cpu = torch.device("cpu")
    return comfy.model_patcher.ModelPatcher(model, load_device=cpu, offload_device=cpu)
