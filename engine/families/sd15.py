"""Stable Diffusion 1.5 and what is made of it."""

from __future__ import annotations

from .family import Architecture, Family, Form, LoraNames

SD15 = Family(
    "sd15",
    "Stable Diffusion 1.5",
    ("SD15",),
    words="sd15",
    captions=Form.PHRASES,
    lora_names=LoraNames.DIFFUSERS,
    architecture=Architecture(
        "sd_v1", "stable-diffusion-v1", "https://github.com/CompVis/stable-diffusion"
    ),
    licence="CreativeML Open RAIL-M",
    side=512,
    recipes={
        "sd_scripts": {
            "script": "train_network.py",
            "network": "networks.lora",
            "models": [["--pretrained_model_name_or_path", "v1-5-pruned-emaonly.safetensors"]],
            "options": ["--max_token_length 225"],
        },
        "ai_toolkit": {
            "model": {"name_or_path": "stable-diffusion-v1-5/stable-diffusion-v1-5"},
            "scheduler": "ddpm",
            "guidance": 7,
            "sample_steps": 25,
        },
        "onetrainer": {
            "model_type": "STABLE_DIFFUSION_15",
            "base_model_name": "stable-diffusion-v1-5/stable-diffusion-v1-5",
            "output_model_format": "SAFETENSORS",
            "unet": {"weight_dtype": "BFLOAT_16"},
            "text_encoder": {"train": False, "weight_dtype": "BFLOAT_16"},
            "vae": {"weight_dtype": "FLOAT_32"},
            "train_dtype": "BFLOAT_16",
        },
    },
)
