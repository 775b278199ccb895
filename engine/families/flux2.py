"""FLUX.2: Klein and dev."""

from __future__ import annotations

import re

from .family import FEW_STEPS, Architecture, Family, ReferenceMode, UsualSampling, onetrainer

FLUX2 = Family(
    "flux2",
    "Flux2 Klein",
    ("Flux2",),
    references=(ReferenceMode.REFERENCE_LATENTS,),
    always_edits=True,
    words="flux2",
    architecture=Architecture("flux2", "flux-2", "https://github.com/black-forest-labs/flux2"),
    distilled=None,  # the distilled Klein's file looks like that of the base model
    distilled_names=re.compile(f"klein|{FEW_STEPS.pattern}", re.IGNORECASE),
    distilled_sampling=UsualSampling(1.0, "simple", 4),
    train_instead="FLUX.2 Klein base",
    licence="Apache-2.0 for Klein 4B, FLUX Non-Commercial License for Klein 9B and dev",
    recipes={
        "onetrainer": onetrainer(
            "FLUX_2",
            "black-forest-labs/FLUX.2-klein-base-9B",
            "DIFFUSERS_LORA",
            {"transformer": "FLOAT_8", "text_encoder": "FLOAT_8"},
            timestep_distribution="LOGIT_NORMAL",
            dynamic_timestep_shifting=True,
        )
    },
)
