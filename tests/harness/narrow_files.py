"""Files of whole model families with random weights, for a ComfyUI that is told of ``narrow``.

Each has every tensor that the published file has, under the same name, but for the layers that are
left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.clip_model
import comfy.clip_vision
import comfy.ldm.models.autoencoder as autoencoder
import comfy.ops
import comfy.supported_models
import comfy.text_encoders.llama as llama
import comfy.text_encoders.qwen3vl as qwen3vl
import comfy.text_encoders.qwen_vl as qwen_vl
import comfy.text_encoders.t5
import torch
from comfy.ldm.wan.vae import WanVAE
from comfy_extras.mediapipe.face_landmarker import FaceLandmarker
from safetensors.torch import save_file

from facet.engine.demo.models import load_face

from . import narrow
from .families import (
    FLUX_DEV,
    KLEIN,
    KREA2,
    QWEN_IMAGE,
    SD15,
    UNET,
    ZIMAGE,
    narrow_weights,
    random_like,
)
from .families import SDXL as SDXL_FAMILY

Weights = dict[str, torch.Tensor]
OPS = comfy.ops.disable_weight_init
FP32 = torch.float32
EDIT_2511 = "__index_timestep_zero__"
NO_FACE = -50.0
"""Logit of a face everywhere: random ones would find hundreds in every noise."""


def write_file(name: str, path: Path) -> None:
    """Writes the random weights that ``FILES`` has for a file called ``name``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in FILES[name]().items()}, path)


def _random(module: torch.nn.Module, seed: int, prefix: str = "") -> Weights:
    return {prefix + name: value for name, value in random_like(module, seed, FP32).items()}


def _described(file: str, values: dict[str, Any]) -> dict[str, Any]:
    """What ``file`` of ComfyUI's package says of a text model, with other ``values``."""
    path = Path(comfy.ops.__file__).parent / file
    return narrow.changed(json.loads(path.read_text("utf-8")), values)


def _flux(seed: int) -> Weights:
    widths = {**(FLUX_DEV.narrow or {}), "vec_in_dim": narrow.CLIP_L["hidden_size"]}
    return narrow_weights(replace(FLUX_DEV, narrow=widths), seed)


def _clip_l() -> Weights:
    config = _described("sd1_clip_config.json", narrow.CLIP_L)
    return _random(comfy.clip_model.CLIPTextModel(config, FP32, "meta", OPS), 1)


def _clip_g() -> Weights:
    config = _described("clip_config_bigg.json", narrow.CLIP_G)
    return _random(comfy.clip_model.CLIPTextModel(config, FP32, "meta", OPS), 2)


def _t5() -> Weights:
    config = _described("text_encoders/t5_config_xxl.json", narrow.T5)
    return _random(comfy.text_encoders.t5.T5(config, FP32, "meta", OPS), 3)


def _vae(channels: int, quantised: bool = False, normalised: bool = False) -> Weights:
    config: dict[str, Any] = {"double_z": True, "z_channels": channels, "resolution": 256}
    config |= {"in_channels": 3, "out_ch": 3, "ch": narrow.VAE_CHANNELS, "ch_mult": [1, 2, 4, 4]}
    config |= {"num_res_blocks": 2, "attn_resolutions": [], "dropout": 0.0}
    config |= {"batch_norm_latent": True} if normalised else {}
    with torch.device("meta"):
        made = autoencoder.AutoencoderKL(ddconfig=config, embed_dim=channels)
    weights = _random(made, 4)
    if normalised:
        weights |= {"bn.running_mean": torch.zeros(4 * channels)}
        weights |= {"bn.running_var": torch.ones(4 * channels)}
        weights["bn.num_batches_tracked"] = torch.tensor(1)
    if quantised:
        return weights
    return {name: value for name, value in weights.items() if "quant_conv" not in name}


def _wan_vae() -> Weights:
    shape: dict[str, Any] = {"dim": 8, "z_dim": 16, "dim_mult": [1, 2, 4, 4]}
    shape |= {"num_res_blocks": 2, "attn_scales": [], "dropout": 0.0}
    return _random(WanVAE(temperal_downsample=[False, True, True], **shape), 8)


def _qwen3() -> Weights:
    return _random(llama.Qwen3_4B(narrow.QWEN3, FP32, "meta", OPS), 5)


def _qwen25() -> Weights:
    model = llama.Qwen25_7BVLI(narrow.QWEN25, FP32, "meta", OPS)
    model.visual = qwen_vl.Qwen2VLVisionTransformer(
        output_hidden_size=narrow.QWEN25["hidden_size"],
        device="meta",
        dtype=FP32,
        ops=OPS,
        **narrow.TOWER,
    )
    return _random(model, 7)


def _qwen3vl() -> Weights:
    """With the names that the published file has for what is text and for what is seen."""
    kind = type("Narrow", (qwen3vl.Qwen3VL,), {"model_type": "qwen3vl_4b"})
    tower = qwen3vl.QWEN3VL_VISION["qwen3vl_4b"]
    qwen3vl.QWEN3VL_VISION["qwen3vl_4b"] = tower | narrow.QWEN3VL_TOWER
    try:
        weights = _random(kind(narrow.QWEN3VL, FP32, "meta", OPS), 11)
    finally:
        qwen3vl.QWEN3VL_VISION["qwen3vl_4b"] = tower
    parts = {"model.": "model.language_model.", "visual.": "model.visual."}
    named = {}
    for name, value in weights.items():
        part = next(part for part in parts if name.startswith(part))
        named[parts[part] + name.removeprefix(part)] = value
    return named


def _krea2(seed: int) -> Weights:
    widths = {**(KREA2.narrow or {}), "txtlayers": 12, "txtdim": narrow.QWEN3VL["hidden_size"]}
    return narrow_weights(replace(KREA2, narrow=widths), seed)


def _z_image(seed: int) -> Weights:
    widths = {**(ZIMAGE.narrow or {}), "cap_feat_dim": narrow.QWEN3["hidden_size"]}
    return narrow_weights(replace(ZIMAGE, narrow=widths), seed)


def _qwen_image(seed: int, edit: bool = False) -> Weights:
    told = {EDIT_2511: torch.zeros(0)} if edit else {}
    return narrow_weights(QWEN_IMAGE, seed) | told


def _checkpoint(unet: Weights, texts: Weights, kind: type) -> Weights:
    named = kind(dict(UNET)).process_clip_state_dict_for_saving(texts)
    weights = {f"model.diffusion_model.{name}": value for name, value in unet.items()}
    weights |= {f"first_stage_model.{name}": value for name, value in _vae(4, True).items()}
    return weights | named


def _sd15() -> Weights:
    texts = {f"clip_l.transformer.{name}": value for name, value in _clip_l().items()}
    return _checkpoint(narrow_weights(SD15), texts, comfy.supported_models.SD15)


def _sdxl() -> Weights:
    widths = {**(SDXL_FAMILY.narrow or {}), **narrow.SDXL}
    texts = {f"clip_l.transformer.{name}": value for name, value in _clip_l().items()}
    texts |= {f"clip_g.transformer.{name}": value for name, value in _clip_g().items()}
    unet = narrow_weights(replace(SDXL_FAMILY, narrow=widths))
    return _checkpoint(unet, texts, comfy.supported_models.SDXL)


def _siglip() -> Weights:
    encoder = comfy.clip_vision.ClipVisionModel(narrow.vision_config())
    return _random(encoder.model, 9)


def _background() -> Weights:
    # The first is what ComfyUI knows the family by.
    known = {"bb.layers.1.blocks.0.attn.relative_position_index": torch.zeros(1)}
    return known | _random(narrow.remover()(None, FP32, "meta", OPS), 12)


def _faces() -> Weights:
    weights: Weights = {}
    for variant in ("short", "full"):
        parts = _random(FaceLandmarker(detector_variant=variant), 10)
        for name, value in parts.items():
            if name.startswith("detector.cls_"):
                value = torch.full_like(value, NO_FACE if name.endswith("bias") else 0)
            weights[name.replace("detector.", f"detector_{variant}.", 1)] = value
    # The shape of a head is no weight: it is the same for every model.
    known = load_face()
    weights |= {name: torch.from_numpy(value) for name, value in known.canonical_data.items()}
    for name, edges in known.connection_sets.items():
        weights[f"topology.{name}"] = torch.tensor(sorted(edges), dtype=torch.int32)
    return weights


FILES: dict[str, Callable[[], Weights]] = {
    "flux1-dev-kontext_fp8_scaled.safetensors": lambda: _flux(0),
    "flux1-dev.safetensors": lambda: _flux(1),
    "clip_l.safetensors": _clip_l,
    "t5xxl_fp16.safetensors": _t5,
    "ae.safetensors": lambda: _vae(16),
    "qwen_image_edit_2511_bf16.safetensors": lambda: _qwen_image(0, edit=True),
    "qwen_image_2512_bf16.safetensors": lambda: _qwen_image(1),
    "qwen_2.5_vl_7b_fp8_scaled.safetensors": _qwen25,
    "qwen_image_vae.safetensors": _wan_vae,
    "z_image_bf16.safetensors": lambda: _z_image(0),
    "z_image_turbo_bf16.safetensors": lambda: _z_image(1),
    "krea2_raw_bf16.safetensors": lambda: _krea2(0),
    "krea2_turbo_fp8_scaled.safetensors": lambda: _krea2(1),
    "qwen3vl_4b_fp8_scaled.safetensors": _qwen3vl,
    "flux-2-klein-base-4b.safetensors": lambda: narrow_weights(KLEIN),
    "qwen_3_4b.safetensors": _qwen3,
    "flux2-vae.safetensors": lambda: _vae(32, True, normalised=True),
    "sd_xl_base_1.0.safetensors": _sdxl,
    "v1-5-pruned-emaonly-fp16.safetensors": _sd15,
    "sigclip_vision_patch14_384.safetensors": _siglip,
    "mediapipe_face_fp32.safetensors": _faces,
    "birefnet.safetensors": _background,
}
"""What stands in the files that the workflows ask for."""
