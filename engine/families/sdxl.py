"""SDXL and what is made of it: Pony, Illustrious, NoobAI, and smaller ones."""

from __future__ import annotations

from .family import (
    Architecture,
    Family,
    Form,
    LoraNames,
    UsualSampling,
    ai_toolkit,
    onetrainer,
)

SDXL = Family(
    "sdxl",
    "SDXL",
    ("SDXL",),
    words="sdxl",
    captions=Form.PHRASES,
    lora_names=LoraNames.KOHYA,
    architecture=Architecture(
        "sdxl_base_v1-0",
        "stable-diffusion-xl-v1-base",
        "https://github.com/Stability-AI/generative-models",
    ),
    distilled_sampling=UsualSampling(1.0, "sgm_uniform", 8),
    licence="CreativeML Open RAIL++-M",
    recipes={
        "sd_scripts": {
            "script": "sdxl_train_network.py",
            "network": "networks.lora",
            "models": [["--pretrained_model_name_or_path", "sd_xl_base_1.0.safetensors"]],
            "options": [
                "--no_half_vae",
                "--network_train_unet_only",
                "--cache_text_encoder_outputs",
            ],
        },
        "ai_toolkit": ai_toolkit(
            "stabilityai/stable-diffusion-xl-base-1.0", 7, 25, "ddpm", is_xl=True
        ),
        "onetrainer": onetrainer(
            "STABLE_DIFFUSION_XL_10_BASE",
            "stabilityai/stable-diffusion-xl-base-1.0",
            "SAFETENSORS",
            {"unet": "BFLOAT_16", "text_encoder": "BFLOAT_16", "text_encoder_2": "BFLOAT_16"},
        ),
    },
)

SDXL_REFINER = Family(
    "sdxl_refiner",
    "SDXL Refiner",
    ("SDXLRefiner",),
    captions=Form.PHRASES,
    lora_names=LoraNames.KOHYA,
)
