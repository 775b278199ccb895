"""Models of each family with random weights: true shapes, few blocks, through ComfyUI's loader.

``width`` is the family's own, except where ComfyUI recognises a family by more blocks than a test
can run: SDXL keeps its seventy transformer blocks and has all of them 320 wide, where the real
ones are 640 and 1280. "narrow" models have the same modules and far fewer channels, for the tests
that run many times; where ComfyUI would take such a width for another model, they are put
together by the loader's own steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import comfy.conds
import comfy.model_patcher
import comfy.sd
import comfy.supported_models
import torch

UNET: dict[str, Any] = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "use_spatial_transformer": True,
    "use_temporal_attention": False,
    "use_temporal_resblock": False,
    "use_checkpoint": False,
    "legacy": False,
}

FLUX: dict[str, Any] = {
    "image_model": "flux",
    "axes_dim": [16, 56, 56],
    "mlp_ratio": 4.0,
    "theta": 10000,
    "in_channels": 16,
    "out_channels": 16,
    "context_in_dim": 4096,
    "vec_in_dim": 768,
    "qkv_bias": True,
    "txt_ids_dims": [],
    "patch_size": 2,
    "depth": 1,
    "depth_single_blocks": 1,
    "guidance_embed": True,
    "yak_mlp": False,
    "txt_norm": False,
}

FLUX2: dict[str, Any] = {
    "image_model": "flux2",
    "axes_dim": [32, 32, 32, 32],
    "mlp_ratio": 3.0,
    "theta": 2000,
    "in_channels": 128,
    "out_channels": 128,
    "vec_in_dim": None,
    "global_modulation": True,
    "mlp_silu_act": True,
    "qkv_bias": False,
    "ops_bias": False,
    "default_ref_method": "index",
    "ref_index_scale": 10.0,
    "txt_ids_dims": [3],
    "patch_size": 1,
    "depth": 1,
    "depth_single_blocks": 1,
    "yak_mlp": False,
    "txt_norm": False,
}

Z_IMAGE: dict[str, Any] = {
    "image_model": "lumina2",
    "patch_size": 2,
    "in_channels": 16,
    "qk_norm": True,
    "axes_dims": [32, 48, 48],
    "axes_lens": [1536, 512, 512],
    "rope_theta": 256.0,
    "ffn_dim_multiplier": 8.0 / 3.0,
    "z_image_modulation": True,
    "time_scale": 1000.0,
    "pad_tokens_multiple": 32,
    "n_layers": 1,
}


POOL = 4_000_037
"""How many random numbers all weights are taken from."""


@dataclass(frozen=True)
class Family:
    """One family of models.

    config: ComfyUI's description of the model with few blocks. narrow: what is changed in it for
    the narrow model, None where there is none. context: width of the text conditioning. pooled:
    width of the pooled text, 0 for none. latent: channels, with the number of frames where the
    latent has such an axis. factor: by what sides of the latent have to divide. published: what
    is changed in ``config`` for all blocks that the published model has.
    """

    name: str
    config: dict[str, Any]
    narrow: dict[str, Any] | None
    context: int
    latent: tuple[int, ...]
    pooled: int = 0
    factor: int = 2
    published: dict[str, Any] = field(default_factory=dict)
    dtype: torch.dtype = torch.float32
    narrow_context: int = 0


SD15 = Family(
    "SD15",
    UNET
    | {
        "model_channels": 320,
        "num_res_blocks": [1, 1],
        "channel_mult": [1, 2],
        "transformer_depth": [1, 1],
        "transformer_depth_output": [1, 1, 1, 1],
        "transformer_depth_middle": 1,
        "use_linear_in_transformer": False,
        "context_dim": 768,
        "adm_in_channels": None,
        "num_heads": 8,
        "num_head_channels": -1,
    },
    {"model_channels": 32, "context_dim": 48, "num_heads": 2},
    context=768,
    latent=(4,),
    published={
        "num_res_blocks": [2, 2, 2, 2],
        "channel_mult": [1, 2, 4, 4],
        "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
        "transformer_depth_output": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
    },
    narrow_context=48,
)

SDXL = Family(
    "SDXL",
    UNET
    | {
        "model_channels": 320,
        "num_res_blocks": [2, 2, 2],
        "channel_mult": [1, 1, 1],
        "transformer_depth": [0, 0, 2, 2, 10, 10],
        "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
        "transformer_depth_middle": 10,
        "use_linear_in_transformer": True,
        "context_dim": 2048,
        "adm_in_channels": 2816,
        "num_classes": "sequential",
        "num_heads": -1,
        "num_head_channels": 64,
    },
    {
        "model_channels": 64,
        "context_dim": 48,
        "transformer_depth": [0, 0, 1, 1, 1, 1],
        "transformer_depth_output": [0, 0, 0, 1, 1, 1, 1, 1, 1],
        "transformer_depth_middle": 1,
        "num_head_channels": 32,
    },
    context=2048,
    latent=(4,),
    pooled=1280,
    factor=4,
    published={"channel_mult": [1, 2, 4]},
    narrow_context=48,
)

FLUX_DEV = Family(
    "Flux",
    FLUX | {"hidden_size": 3072, "num_heads": 24},
    {"hidden_size": 256, "num_heads": 2, "context_in_dim": 48, "depth_single_blocks": 2},
    context=4096,
    latent=(16,),
    pooled=768,
    published={"depth": 19, "depth_single_blocks": 38},
    narrow_context=48,
)

KLEIN = Family(
    "Flux2",
    FLUX2 | {"hidden_size": 3072, "num_heads": 24, "context_in_dim": 7680, "guidance_embed": False},
    {"hidden_size": 256, "num_heads": 2, "context_in_dim": 48, "depth_single_blocks": 2},
    context=7680,
    latent=(128,),
    factor=1,
    published={"depth": 5, "depth_single_blocks": 20},
    narrow_context=48,
)

FLUX2_DEV = Family(
    "Flux2",
    # 6144 wide, one block of each kind is 2.1 thousand million parameters.
    FLUX2 | {"hidden_size": 1536, "num_heads": 12, "context_in_dim": 15360, "guidance_embed": True},
    {"hidden_size": 256, "num_heads": 2, "context_in_dim": 48, "depth": 2},
    context=15360,
    latent=(128,),
    factor=1,
    published={"hidden_size": 6144, "num_heads": 48, "depth": 8, "depth_single_blocks": 48},
    narrow_context=48,
)

QWEN_IMAGE = Family(
    "QwenImage",
    {"image_model": "qwen_image", "in_channels": 64, "num_layers": 1},
    {"num_layers": 2, "num_attention_heads": 2, "joint_attention_dim": 48},
    context=3584,
    latent=(16, 1),
    published={"num_layers": 60},
    narrow_context=48,
)

ZIMAGE = Family(
    "ZImage",
    Z_IMAGE | {"dim": 3840, "n_heads": 30, "n_kv_heads": 30, "cap_feat_dim": 2560},
    {"dim": 256, "n_heads": 2, "n_kv_heads": 2, "cap_feat_dim": 48},
    context=2560,
    latent=(16,),
    published={"n_layers": 30},
    # Four refiners come with it, of which ComfyUI knows no fewer: 3.6 GB in float32.
    dtype=torch.bfloat16,
    narrow_context=48,
)

CHROMA = Family(
    "Chroma",
    {
        "image_model": "chroma",
        "axes_dim": [16, 56, 56],
        "mlp_ratio": 4.0,
        "theta": 10000,
        "in_channels": 64,
        "out_channels": 64,
        "in_dim": 64,
        "out_dim": 3072,
        "hidden_dim": 5120,
        "txt_ids_dims": [],
        "n_layers": 5,
        "hidden_size": 3072,
        "num_heads": 24,
        "context_in_dim": 4096,
        "vec_in_dim": None,
        "qkv_bias": True,
        "patch_size": 2,
        "depth": 1,
        "depth_single_blocks": 1,
    },
    {
        "hidden_size": 256,
        "num_heads": 2,
        "context_in_dim": 48,
        "out_dim": 256,
        "hidden_dim": 64,
        "depth_single_blocks": 2,
    },
    context=4096,
    latent=(16,),
    published={"depth": 19, "depth_single_blocks": 38},
    narrow_context=48,
)

KREA2 = Family(
    "Krea2",
    {
        "image_model": "krea2",
        "features": 6144,
        "channels": 16,
        "patch": 2,
        "layers": 1,
        "heads": 48,
        "kvheads": 12,
        "txtlayers": 12,
        "txtdim": 2560,
    },
    # 6144 wide it is 4.4 GB in float32; four heads share a key as they do there.
    {"features": 512, "heads": 4, "kvheads": 1, "txtlayers": 3, "txtdim": 160, "layers": 2},
    context=12 * 2560,
    latent=(16, 1),
    published={"layers": 28},
    narrow_context=3 * 160,
)

ANIMA = Family(
    "Anima",
    {
        "image_model": "anima",
        "max_img_h": 240,
        "max_img_w": 240,
        "max_frames": 128,
        "in_channels": 16,
        "out_channels": 16,
        "patch_spatial": 2,
        "patch_temporal": 1,
        "model_channels": 2048,
        "concat_padding_mask": True,
        "crossattn_emb_channels": 1024,
        "pos_emb_cls": "rope3d",
        "pos_emb_learnable": True,
        "pos_emb_interpolation": "crop",
        "min_fps": 1,
        "max_fps": 30,
        "use_adaln_lora": True,
        "adaln_lora_dim": 256,
        "num_blocks": 1,
        "num_heads": 16,
        "extra_per_block_abs_pos_emb": False,
        "rope_h_extrapolation_ratio": 4.0,
        "rope_w_extrapolation_ratio": 4.0,
        "rope_t_extrapolation_ratio": 1.0,
        "extra_h_extrapolation_ratio": 1.0,
        "extra_w_extrapolation_ratio": 1.0,
        "extra_t_extrapolation_ratio": 1.0,
        "rope_enable_fps_modulation": False,
    },
    {"model_channels": 256, "num_heads": 2, "num_blocks": 2, "adaln_lora_dim": 16},
    context=1024,
    latent=(16, 1),
    published={"num_blocks": 28},
    narrow_context=1024,
)


def published_model(family: Family) -> Any:
    """The BaseModel of a family as it is published, with shapes and no weights."""
    return _config(family, family.config | family.published).get_model({}, "", device="meta")


def load_family(family: Family, narrow: bool = False, seed: int = 0) -> Any:
    """A ModelPatcher of ``family`` with random weights."""
    config = family.config | ((family.narrow or {}) if narrow else {})
    weights = random_weights(_config(family, config), seed, family.dtype)
    if not narrow:
        patcher = comfy.sd.load_diffusion_model_state_dict(weights)
        found = type(patcher.model.model_config).__name__
        assert found == family.name, f"ComfyUI takes {family.name} for {found}"
        return patcher
    known = _config(family, config)
    model = known.get_model({}, "")
    model.load_model_weights(weights, "")
    cpu = torch.device("cpu")
    return comfy.model_patcher.ModelPatcher(model, load_device=cpu, offload_device=cpu)


def narrow_weights(family: Family, seed: int = 0) -> dict[str, torch.Tensor]:
    """The weights of a narrow model, as a file of it would have them."""
    config = _config(family, family.config | (family.narrow or {}))
    return random_weights(config, seed, family.dtype)


def random_weights(config: Any, seed: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Weights for every parameter of the model that ``config`` describes, of unit gain."""
    return random_like(config.get_model({}, "", device="meta").diffusion_model, seed, dtype)


def random_like(module: torch.nn.Module, seed: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Weights of unit gain for every parameter of ``module``, which may be on "meta"."""
    generator = torch.Generator().manual_seed(seed)
    # Drawing thousands of millions of numbers takes longer than all that is done with them.
    pool = torch.randn(POOL, generator=generator).repeat(2)
    weights = {}
    for name, like in module.state_dict().items():
        start = int(torch.randint(POOL, (), generator=generator))
        scale = 0.1 if like.ndim < 2 else like[0].numel() ** -0.5
        turned = (pool[start : start + min(like.numel(), POOL)] * scale).to(dtype)
        values = torch.empty(like.numel(), dtype=dtype)
        for part in values.split(len(turned)) if len(turned) else ():
            part.copy_(turned[: len(part)])
        if like.ndim == 1 and name.endswith(".weight"):
            values += 1
        weights[name] = values.view(like.shape)
    return weights


def _config(family: Family, values: dict[str, Any]) -> Any:
    config = getattr(comfy.supported_models, family.name)(dict(values))
    config.set_inference_dtype(torch.float32, None)
    return config


def conditioning(family: Family, count: int, narrow: bool, seed: int = 3) -> list[dict[str, Any]]:
    """``count`` random text conditionings, as ``model_conds`` takes them."""
    generator = torch.Generator().manual_seed(seed)
    width = family.narrow_context if narrow else family.context
    made = []
    for _ in range(count):
        options: dict[str, Any] = {"cross_attn": torch.randn(1, 6, width, generator=generator)}
        if family.pooled:
            options["pooled_output"] = torch.randn(1, family.pooled, generator=generator)
        made.append(options)
    return made


FAMILIES = {
    "SD 1.5": SD15,
    "SDXL": SDXL,
    "Flux": FLUX_DEV,
    "Flux2 Klein": KLEIN,
    "Flux2 dev": FLUX2_DEV,
    "Qwen-Image": QWEN_IMAGE,
    "Z-Image": ZIMAGE,
    "Chroma": CHROMA,
    "Krea 2": KREA2,
    "Anima": ANIMA,
}
