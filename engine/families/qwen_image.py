"""Qwen-Image and Qwen-Image-Edit."""

from __future__ import annotations

from .family import Architecture, Family, ReferenceMode

QWEN_IMAGE = Family(
    "qwen_image",
    "Qwen-Image",
    ("QwenImage",),
    references=(ReferenceMode.REFERENCE_LATENTS, ReferenceMode.QWEN_EDIT),
    # Of the Qwen-Image files only that of the edit model 2511 says how it takes references.
    edit_methods={"index_timestep_zero": ReferenceMode.QWEN_EDIT},
    edit_example="'qwen_edit' for Qwen-Image-Edit",
    words_by_mode={ReferenceMode.QWEN_EDIT: "qwen_image_edit"},
    architecture=Architecture("qwen_image", "qwen-image"),
    licence="Apache-2.0",
    recipes={
        "ai_toolkit": {
            "model": {
                "name_or_path": "Qwen/Qwen-Image",
                "arch": "qwen_image",
                "quantize": True,
                "quantize_te": True,
                "qtype_te": "qfloat8",
                "low_vram": True,
            },
            "scheduler": "flowmatch",
            "guidance": 3,
            "sample_steps": 25,
        },
        "onetrainer": {
            "model_type": "QWEN",
            "base_model_name": "Qwen/Qwen-Image",
            "output_model_format": "DIFFUSERS_LORA",
            "transformer": {"train": True, "weight_dtype": "FLOAT_8"},
            "text_encoder": {"train": False, "weight_dtype": "FLOAT_8"},
            "vae": {"weight_dtype": "FLOAT_32"},
            "train_dtype": "BFLOAT_16",
            "timestep_distribution": "LOGIT_NORMAL",
        },
    },
)
