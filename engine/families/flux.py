"""Flux.1: dev, Kontext, Fill and Schnell."""

from __future__ import annotations

from dataclasses import replace

from .family import (
    Architecture,
    Family,
    LoraNames,
    ReferenceMode,
    UsualSampling,
    ai_toolkit,
    onetrainer,
)

FLUX = Family(
    "flux",
    "Flux.1 dev",
    ("Flux", "FluxInpaint"),
    references=(ReferenceMode.REFERENCE_LATENTS,),
    lora_names=LoraNames.KOHYA,
    architecture=Architecture("flux1", "flux-1-dev", "https://github.com/black-forest-labs/flux"),
    licence="FLUX.1 [dev] Non-Commercial License",
    recipes={
        "sd_scripts": {
            "script": "flux_train_network.py",
            "network": "networks.lora_flux",
            "models": [
                ["--pretrained_model_name_or_path", "flux1-dev.safetensors"],
                ["--clip_l", "clip_l.safetensors"],
                ["--t5xxl", "t5xxl_fp16.safetensors"],
                ["--ae", "ae.safetensors"],
            ],
            "options": [
                "--guidance_scale 1.0",
                "--timestep_sampling flux_shift",
                "--model_prediction_type raw",
                "--fp8_base",
                "--network_train_unet_only",
                "--cache_text_encoder_outputs",
            ],
        },
        "ai_toolkit": ai_toolkit(
            "black-forest-labs/FLUX.1-dev", 4, 20, is_flux=True, quantize=True
        ),
        "onetrainer": onetrainer(
            "FLUX_DEV_1",
            "black-forest-labs/FLUX.1-dev",
            "DIFFUSERS_LORA",
            {"transformer": "NFLOAT_4", "text_encoder": "BFLOAT_16", "text_encoder_2": "NFLOAT_4"},
            timestep_distribution="LOGIT_NORMAL",
            dynamic_timestep_shifting=True,
        ),
    },
)

SCHNELL = replace(
    FLUX,
    key="flux_schnell",
    label="Flux.1 schnell",
    classes=("FluxSchnell",),
    architecture=Architecture(
        "flux1", "flux-1-schnell", "https://github.com/black-forest-labs/flux"
    ),
    distilled=True,
    distilled_sampling=UsualSampling(1.0, "simple", 4),
    train_instead="Flux.1 dev",
    licence="Apache-2.0",
    recipes={},
)
