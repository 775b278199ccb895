"""Every family that Facet knows, and which of them a model belongs to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import FacetError
from .chroma import CHROMA
from .family import FLOW, GUIDANCE_DISTILLED, NOISE, Architecture, Family, Form, UsualSampling
from .flux import FLUX, SCHNELL
from .flux2 import FLUX2
from .krea2 import KREA2
from .others import OTHERS
from .qwen_image import QWEN_IMAGE
from .sd15 import SD15
from .sdxl import SDXL, SDXL_REFINER
from .z_image import Z_IMAGE, Z_IMAGE_PIXELS

FAMILIES: tuple[Family, ...] = (
    FLUX,
    SDXL,
    SD15,
    CHROMA,
    QWEN_IMAGE,
    Z_IMAGE,
    FLUX2,
    KREA2,
    SCHNELL,
    SDXL_REFINER,
    Z_IMAGE_PIXELS,
    *OTHERS,
)
"""In the order in which nodes show those with recipes for other trainers."""

UNKNOWN = Family("unknown", "Unknown model", (), captions=Form.PHRASES)
"""A class that no family has: it is shown no references, asked in plain words, captioned in phrases
and its LoRA's layers have generic names; everything else is read off the network."""

_WHOLE = re.compile(r"(de|un)[-_ ]?(distill|turbo)|(^|[^a-z])(base|raw)([^a-z]|$)", re.IGNORECASE)
"""How the file of a model is called that is not distilled, or no longer."""
_COMFYUI = "https://github.com/comfy-org/ComfyUI"


def family_of(model: Any) -> Family:
    """The family of ``model``, a ModelPatcher or its BaseModel; ``UNKNOWN`` where there is none.

    A class of ComfyUI that derives from a family's is of that family, but for references: whether
    its own network reads them is not known.
    """
    by_class = {name: family for family in FAMILIES for name in family.classes}
    own, *ancestors = class_names(model)
    if own in by_class:
        return by_class[own]
    known = next((by_class[name] for name in ancestors if name in by_class), None)
    return replace(known, references=(), always_edits=False) if known else UNKNOWN


def family(key: str) -> Family:
    """The family called ``key``; FacetError with a sentence when there is none."""
    for one in FAMILIES:
        if one.key == key:
            return one
    raise FacetError(
        f"There is no model family {key!r}; take one of {', '.join(one.key for one in FAMILIES)}."
    )


def class_names(model: Any) -> list[str]:
    """ComfyUI's configuration class of ``model`` by name, and those that it derives from."""
    config = getattr(model, "model", model).model_config
    return [one.__name__ for one in type(config).__mro__]


def architecture_of(model: Any) -> Architecture:
    """What a LoRA file of ``model`` says it is for: the family's words, else ComfyUI's class."""
    known = family_of(model).architecture
    own = class_names(model)[0].lower()
    known = known or Architecture(own, own)
    return known if known.implementation else replace(known, implementation=_COMFYUI)


def takes_guidance(model: Any) -> bool:
    """Whether ``model``, a BaseModel, is told a distilled guidance, as Flux dev is.

    Others that read one, such as Chroma, are sampled at their own and have no other to be trained
    at.
    """
    return bool(model.model_config.unet_config.get("guidance_embed", False))


def is_distilled(model: Any) -> bool:
    """Whether ``model``, a ModelPatcher, is distilled: as its family is, or its file is called.

    Of one that no file is known of, such as the demo's, which has the class of Schnell, it is not.
    """
    known, name = family_of(model), model_file(model)
    if known.distilled:
        return bool(name)
    return bool(known.distilled_names.search(name)) and not _WHOLE.search(name)


def has_adapter(model: Any) -> bool:
    """Whether ``model``, a ModelPatcher, is distilled and has a LoRA on it: a training adapter."""
    return bool(model.patches) and is_distilled(model)


def model_file(model: Any) -> str:
    """The name of the file that ComfyUI's loader read ``model`` from; '' where none is known."""
    made = getattr(model, "cached_patcher_init", None)
    arguments = made[1] if made and len(made) > 1 else ()
    path = arguments[0] if arguments else ""
    return Path(path).name if isinstance(path, str) else ""


def usual_sampling(model: Any) -> UsualSampling:
    """How ``model`` (a ModelPatcher) is usually sampled: as its family says, else by what it is.

    That is: with distilled guidance where it takes some, else as flow or as noise prediction.
    """
    import comfy.model_sampling as kinds

    known = family_of(model)
    if is_distilled(model):
        told = GUIDANCE_DISTILLED.guidance if takes_guidance(model.model) else None
        return replace(known.distilled_sampling, guidance=told)
    if known.sampling is not None:
        return known.sampling
    if takes_guidance(model.model):
        return GUIDANCE_DISTILLED
    return FLOW if isinstance(model.model.model_sampling, kinds.CONST) else NOISE
