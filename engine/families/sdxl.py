"""SDXL and what is made of it: Pony, Illustrious, NoobAI, and smaller ones."""

from __future__ import annotations

from .family import Architecture, Family, Form, LoraNames

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
        "ai_toolkit": {
            "model": {"name_or_path": "stabilityai/stable-diffusion-xl-base-1.0", "is_xl": True},
            "scheduler": "ddpm",
            "guidance": 7,
            "sample_steps": 25,
        },
        "onetrainer": {
            "model_type": "STABLE_DIFFUSION_XL_10_BASE",
            "base_model_name": "stabilityai/stable-diffusion-xl-base-1.0",
            "output_model_format": "SAFETENSORS",
            "unet": {"weight_dtype": "BFLOAT_16"},
            "text_encoder": {"train": False, "weight_dtype": "BFLOAT_16"},
            "text_encoder_2": {"train": False, "weight_dtype": "BFLOAT_16"},
            "vae": {"weight_dtype": "FLOAT_32"},
            "train_dtype": "BFLOAT_16",
        },
    },
)

SDXL_REFINER = Family(
    "sdxl_refiner",
    "SDXL Refiner",
    ("SDXLRefiner",),
    captions=Form.PHRASES,
    lora_names=LoraNames.KOHYA,
)
