"""Stable Diffusion 1.5 and what is made of it."""

from __future__ import annotations

from .family import Architecture, Family, Form, LoraNames, ai_toolkit, onetrainer

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
        "ai_toolkit": ai_toolkit("stable-diffusion-v1-5/stable-diffusion-v1-5", 7, 25, "ddpm"),
        "onetrainer": onetrainer(
            "STABLE_DIFFUSION_15",
            "stable-diffusion-v1-5/stable-diffusion-v1-5",
            "SAFETENSORS",
            {"unet": "BFLOAT_16", "text_encoder": "BFLOAT_16"},
        ),
    },
)
