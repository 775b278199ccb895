"""Models of the families whose text encoders can be trained, each with a CLIP that fits it.

The CLIPs are ComfyUI's own classes with all their parts, far narrower than the published ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import comfy.sd
import comfy.sd1_clip
import comfy.sdxl_clip
import comfy.text_encoders.flux
import comfy.text_encoders.qwen3vl
import comfy.text_encoders.z_image
import torch
from comfy.supported_models_base import ClipTarget

from .families import FLUX_DEV, SD15, SDXL, Family, load_family, random_like
from .small_models import small_vae

POOLED_OF_SDXL = 32


@dataclass(frozen=True)
class TextModels:
    """A narrow model with its CLIP and VAE; name: of ``TEXT_FAMILIES``."""

    name: str
    family: Family
    model: Any
    clip: Any
    vae: Any


def _clip_config(width: int, layers: int = 3) -> dict[str, Any]:
    return {
        "num_hidden_layers": layers,
        "hidden_size": width,
        "num_attention_heads": 2,
        "intermediate_size": 2 * width,
    }


_T5_CONFIG = {"num_layers": 1, "d_model": 48, "d_ff": 64, "d_kv": 16, "num_heads": 2}


def _sd15() -> tuple[Family, ClipTarget, dict[str, Any]]:
    target = ClipTarget(comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel)
    return SD15, target, {"clip_l_model_config": _clip_config(48)}


def _sdxl() -> tuple[Family, ClipTarget, dict[str, Any]]:
    # CLIP-L and CLIP-G stand beside each other in the context, 16 and 32 wide.
    sizes = {"adm_in_channels": 1536 + POOLED_OF_SDXL}
    family = replace(SDXL, narrow={**(SDXL.narrow or {}), **sizes})
    target = ClipTarget(comfy.sdxl_clip.SDXLTokenizer, comfy.sdxl_clip.SDXLClipModel)
    options = {
        "clip_l_model_config": _clip_config(16),
        "clip_g_model_config": _clip_config(POOLED_OF_SDXL),
    }
    return family, target, options


def _flux() -> tuple[Family, ClipTarget, dict[str, Any]]:
    family = replace(FLUX_DEV, narrow={**(FLUX_DEV.narrow or {}), "vec_in_dim": 32})
    flux = comfy.text_encoders.flux
    target = ClipTarget(flux.FluxTokenizer, flux.flux_clip(dtype_t5=torch.float32))
    options = {"clip_l_model_config": _clip_config(32), "t5xxl_model_config": _T5_CONFIG}
    return family, target, options


_MADE = {"SD 1.5": _sd15, "SDXL": _sdxl, "Flux": _flux}
TEXT_FAMILIES = tuple(_MADE)


def text_models(name: str) -> TextModels:
    """The family ``name`` of ``TEXT_FAMILIES`` with random weights, float32."""
    family, target, options = _MADE[name]()
    clip = comfy.sd.CLIP(target, model_options={**options, "dtype": torch.float32})
    weights = random_like(clip.cond_stage_model, 2, torch.float32)
    clip.cond_stage_model.load_state_dict(weights)
    model = load_family(family, narrow=True)
    return TextModels(name, family, model, clip, small_vae(family.latent[0]))


@cache
def kept_text_models(name: str) -> TextModels:
    """`text_models`, made once as ComfyUI's loader nodes make theirs; nobody changes them."""
    with torch.inference_mode():
        return text_models(name)


def language_model() -> Any:
    """A CLIP of which nothing can be trained: Z-Image's, a small Qwen3."""
    parts = comfy.text_encoders.z_image
    target = ClipTarget(parts.ZImageTokenizer, parts.te(dtype_llama=torch.float32))
    config = {"num_hidden_layers": 3, "hidden_size": 32, "intermediate_size": 32}
    config |= {"num_attention_heads": 1, "num_key_value_heads": 1, "vocab_size": 8}
    return comfy.sd.CLIP(target, model_options={"qwen3_4b_model_config": config})


def seeing_language_model() -> Any:
    """A CLIP that sees pictures and answers, with random weights: ComfyUI's Qwen3-VL, small."""
    parts = comfy.text_encoders.qwen3vl
    name = "qwen3vl_4b"
    tower = {"hidden_size": 64, "intermediate_size": 64, "depth": 2}
    config = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2}
    config |= {"num_attention_heads": 2, "num_key_value_heads": 1}
    published = parts.QWEN3VL_VISION[name]
    # The sizes of the tower stand in a table and nowhere else.
    parts.QWEN3VL_VISION[name] = {**tower, "deepstack_visual_indexes": [0]}
    try:
        target = ClipTarget(parts.tokenizer(name), parts.te(torch.float32, model_type=name))
        options = {f"{name}_model_config": config, "dtype": torch.float32}
        clip = comfy.sd.CLIP(target, model_options=options)
    finally:
        parts.QWEN3VL_VISION[name] = published
    clip.cond_stage_model.load_state_dict(random_like(clip.cond_stage_model, 1, torch.float32))
    return clip
