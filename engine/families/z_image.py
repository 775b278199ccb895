"""Z-Image, base and Turbo."""

from __future__ import annotations

from dataclasses import replace

from .family import Architecture, Family, LoraNames, ReferenceMode, ai_toolkit, onetrainer

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
        "ai_toolkit": ai_toolkit(
            "Tongyi-MAI/Z-Image-Turbo",
            1,
            8,
            arch="zimage",
            assistant_lora_path="ostris/zimage_turbo_training_adapter/zimage_turbo_training_adapter_v2.safetensors",
            quantize=True,
            quantize_te=True,
        ),
        "onetrainer": onetrainer(
            "Z_IMAGE",
            "Tongyi-MAI/Z-Image-Turbo",
            "SAFETENSORS",
            {"transformer": "FLOAT_8", "text_encoder": "FLOAT_8"},
            timestep_distribution="LOGIT_NORMAL",
        ),
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
