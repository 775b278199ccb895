"""Qwen-Image and Qwen-Image-Edit."""

from __future__ import annotations

from .family import Architecture, Family, ReferenceMode, ai_toolkit, onetrainer

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
        "ai_toolkit": ai_toolkit(
            "Qwen/Qwen-Image",
            3,
            25,
            arch="qwen_image",
            quantize=True,
            quantize_te=True,
            qtype_te="qfloat8",
            low_vram=True,
        ),
        "onetrainer": onetrainer(
            "QWEN",
            "Qwen/Qwen-Image",
            "DIFFUSERS_LORA",
            {"transformer": "FLOAT_8", "text_encoder": "FLOAT_8"},
            timestep_distribution="LOGIT_NORMAL",
        ),
    },
)
