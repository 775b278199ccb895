"""Models of the families that shots are made with, each with the CLIP and the VAE that fit it.

They are ComfyUI's own classes with all their parts, narrower than the published ones and with fewer
blocks and layers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import comfy.ops
import comfy.sd
import comfy.taesd.taesd
import comfy.text_encoders.flux
import comfy.text_encoders.qwen_image
import torch
from comfy.ldm.wan.vae import WanVAE
from comfy.supported_models_base import ClipTarget
from comfy.text_encoders.qwen_vl import Qwen2VLVisionTransformer

from .families import KLEIN, QWEN_IMAGE, load_family, random_like
from .narrow import QWEN3, TOWER
from .small_models import SmallModels
from .text_models import kept_text_models


@cache
def edit_models(name: str) -> SmallModels:
    """The models of ``name`` of ``EDIT_FAMILIES``, with random weights."""
    return EDIT_FAMILIES[name]()


def _from_texts(name: str) -> SmallModels:
    models = kept_text_models(name)
    return SmallModels(models.model, models.clip, models.vae)


def _klein() -> SmallModels:
    # The outputs of three layers stand side by side in the context.
    target = ClipTarget(
        comfy.text_encoders.flux.KleinTokenizer, comfy.text_encoders.flux.klein_te()
    )
    clip = comfy.sd.CLIP(target, model_options={"qwen3_4b_model_config": QWEN3})
    _draw(clip.cond_stage_model, 5)
    tae = comfy.taesd.taesd.TAESD(latent_channels=128)
    weights = {
        name: value / 3 for name, value in random_like(tae, 6, torch.float32).items() if value.ndim
    }
    vae = comfy.sd.VAE(sd=weights, metadata={"tae_latent_channels": 128})
    return SmallModels(load_family(KLEIN, narrow=True), clip, vae)


def _qwen() -> SmallModels:
    config = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2}
    config |= {"num_attention_heads": 2, "num_key_value_heads": 1}
    target = ClipTarget(
        comfy.text_encoders.qwen_image.QwenImageTokenizer, comfy.text_encoders.qwen_image.te()
    )
    clip = comfy.sd.CLIP(target, model_options={"qwen25_7b_model_config": config})
    # Its width is fixed where ComfyUI makes the text encoder.
    tower = Qwen2VLVisionTransformer(
        output_hidden_size=config["hidden_size"],
        dtype=torch.float32,
        ops=comfy.ops.manual_cast,
        **TOWER,
    )
    tower.fullatt_block_indexes = [TOWER["num_layers"] - 1]
    clip.cond_stage_model.qwen25_7b.transformer.visual = tower
    _draw(clip.cond_stage_model, 7)
    options: dict[str, Any] = {"dim": 8, "z_dim": 16, "dim_mult": [1, 2, 4, 4]}
    options |= {"num_res_blocks": 2, "attn_scales": [], "dropout": 0.0}
    shaped = WanVAE(temperal_downsample=[False, True, True], **options)
    vae = comfy.sd.VAE(sd=random_like(shaped, 8, torch.float32))
    return SmallModels(load_family(QWEN_IMAGE, narrow=True), clip, vae)


def _draw(module: torch.nn.Module, seed: int) -> None:
    module.load_state_dict(random_like(module, seed, torch.float32))


EDIT_FAMILIES = {
    "Flux Kontext": lambda: _from_texts("Flux"),
    "Flux2 Klein": _klein,
    "Qwen-Image-Edit": _qwen,
    "SDXL": lambda: _from_texts("SDXL"),
    "SD 1.5": lambda: _from_texts("SD 1.5"),
}
