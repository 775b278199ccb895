"""Chroma, made of Flux Schnell.

It inherits the conditioning of Flux, and its network leaves references unread.
"""

from __future__ import annotations

from .family import Architecture, Family, LoraNames, ai_toolkit, onetrainer

CHROMA = Family(
    "chroma",
    "Chroma",
    ("Chroma", "ChromaRadiance"),
    lora_names=LoraNames.KOHYA,
    architecture=Architecture("chroma", "chroma", "https://huggingface.co/lodestones/Chroma"),
    licence="Apache-2.0",
    recipes={
        "sd_scripts": {
            "script": "flux_train_network.py",
            "network": "networks.lora_flux",
            "models": [
                ["--pretrained_model_name_or_path", "Chroma1-HD.safetensors"],
                ["--t5xxl", "t5xxl_fp16.safetensors"],
                ["--ae", "ae.safetensors"],
            ],
            "options": [
                "--model_type chroma",
                "--guidance_scale 0.0",
                "--timestep_sampling sigmoid",
                "--model_prediction_type raw",
                "--apply_t5_attn_mask",
                "--fp8_base",
                "--network_train_unet_only",
                "--cache_text_encoder_outputs",
            ],
        },
        "ai_toolkit": ai_toolkit("lodestones/Chroma1-HD", 4, 25, arch="chroma", quantize=True),
        "onetrainer": onetrainer(
            "CHROMA_1",
            "lodestones/Chroma1-HD",
            "SAFETENSORS",
            {"transformer": "FLOAT_8", "text_encoder": "BFLOAT_16"},
            timestep_distribution="INVERTED_PARABOLA",
            noising_weight=7.7,
        ),
    },
)
