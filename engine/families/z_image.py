"""Z-Image, base and Turbo."""

from __future__ import annotations

from dataclasses import replace

from .family import Architecture, Family, LoraNames, ReferenceMode

Z_IMAGE = Family(
    "z_image",
    "Z-Image",
    ("ZImage",),
    references=(ReferenceMode.REFERENCE_LATENTS,),
    lora_names=LoraNames.Z_IMAGE,
    architecture=Architecture("zimage", "z-image"),
    distilled=None,  # the Turbo's file looks like that of the base model
    train_instead="Z-Image (base), or the Turbo with a de-distilling training adapter",
    licence="Apache-2.0",
    recipes={
        "ai_toolkit": {
            "model": {
                "name_or_path": "Tongyi-MAI/Z-Image-Turbo",
                "arch": "zimage",
                "assistant_lora_path": "ostris/zimage_turbo_training_adapter/"
                "zimage_turbo_training_adapter_v2.safetensors",
                "quantize": True,
                "quantize_te": True,
            },
            "scheduler": "flowmatch",
            "guidance": 1,
            "sample_steps": 8,
        },
        "onetrainer": {
            "model_type": "Z_IMAGE",
            "base_model_name": "Tongyi-MAI/Z-Image-Turbo",
            "output_model_format": "SAFETENSORS",
            "transformer": {"train": True, "weight_dtype": "FLOAT_8"},
            "text_encoder": {"train": False, "weight_dtype": "FLOAT_8"},
            "vae": {"weight_dtype": "FLOAT_32"},
            "train_dtype": "BFLOAT_16",
            "timestep_distribution": "LOGIT_NORMAL",
        },
    },
)

Z_IMAGE_PIXELS = replace(
    Z_IMAGE,
    key="z_image_pixels",
    label="Z-Image in pixel space",
    classes=("ZImagePixelSpace",),
    distilled=False,
    train_instead="",
    licence="",
    recipes={},
)
