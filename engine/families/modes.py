"""The ways in which a model takes a reference picture, and which model takes which."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..core.character import Character


class ReferenceMode(str, Enum):
    """The ways a model takes a reference picture. New ones come last: workflows store these."""

    AUTO = "auto"
    REFERENCE_LATENTS = "reference_latents"
    IMG2IMG = "img2img"
    PATCHED_MODEL = "patched_model"
    QWEN_EDIT = "qwen_edit"
    TRAINED_LORA = "trained_lora"


TAKES_REFERENCE_LATENTS = frozenset(
    {
        "Boogu",
        "Flux",
        "Flux2",
        "HiDreamO1",
        "JoyImage",
        "Krea2",
        "LongCatImage",
        "Lumina2",
        "MageFlow",
        "Omnigen2",
        "QwenImage",
        "ZImagePixelSpace",
    }
)
"""Model classes of ComfyUI whose networks look at the pictures in `reference_latents`.

Chroma is not among them: it inherits the conditioning of Flux, and its network leaves it unread.
"""

TAKES_PICTURES = frozenset({"HiDreamO1"})
"""Those among them that want the pictures themselves, because they have no latents."""

UNAMBIGUOUS = {
    "Flux2": ReferenceMode.REFERENCE_LATENTS,
    "HiDreamO1": ReferenceMode.REFERENCE_LATENTS,
    "JoyImage": ReferenceMode.REFERENCE_LATENTS,
    "Omnigen2": ReferenceMode.REFERENCE_LATENTS,
}
"""Model classes of which every published file was trained with references."""

TAKES_SEVERAL = frozenset({ReferenceMode.REFERENCE_LATENTS, ReferenceMode.QWEN_EDIT})
MOST_PICTURES = 3
"""The original and two more: what the edit models were trained with."""


def resolve_mode(mode: ReferenceMode, model: Any) -> ReferenceMode:
    """The mode to use for ``model``; ValueError when it cannot be known, or cannot work."""
    family = type(model.model).__name__
    # Stable Diffusion 1.5 and its like have no class of their own.
    name = family if family != "BaseModel" else type(model.model.model_config).__name__
    if mode is ReferenceMode.AUTO:
        return _resolved(family, name, model)
    if mode is ReferenceMode.REFERENCE_LATENTS and family not in TAKES_REFERENCE_LATENTS:
        raise ValueError(
            f"A {name} model takes no reference latents and would ignore the original; "
            "set reference_mode to 'img2img', or to 'patched_model' with IP-Adapter applied."
        )
    if mode is ReferenceMode.QWEN_EDIT and family != "QwenImage":
        raise ValueError(
            f"A {name} model is no Qwen-Image-Edit; set reference_mode to "
            + (
                "'reference_latents'."
                if family in TAKES_REFERENCE_LATENTS
                else "'img2img', or to 'patched_model' with IP-Adapter applied."
            )
        )
    if mode is ReferenceMode.TRAINED_LORA and not is_patched(model):
        raise ValueError(
            "The MODEL carries no LoRA, so it does not know the character; put the character's "
            "LoRA before it, or choose another reference_mode."
        )
    if mode is ReferenceMode.PATCHED_MODEL and not is_patched(model):
        raise ValueError(
            "The MODEL carries no patch, so nothing shows it the original; put IP-Adapter, PuLID "
            "or a LoRA of the character before it, or choose another reference_mode."
        )
    return mode


def _resolved(family: str, name: str, model: Any) -> ReferenceMode:
    if family in UNAMBIGUOUS:
        return UNAMBIGUOUS[family]
    if family not in TAKES_REFERENCE_LATENTS:
        raise ValueError(
            f"A {name} model looks at no reference pictures by itself; set reference_mode to "
            "'patched_model' with IP-Adapter or PuLID applied, or to 'img2img'."
        )
    # Of the Qwen-Image files only that of the edit model 2511 names its way of taking references.
    method = getattr(model.model.diffusion_model, "default_ref_method", None)
    if family == "QwenImage" and method == "index_timestep_zero":
        return ReferenceMode.QWEN_EDIT
    edit = "'qwen_edit' for Qwen-Image-Edit" if family == "QwenImage" else _EDIT
    raise ValueError(
        f"A {name} model may or may not take reference pictures and its file does not say; set "
        f"reference_mode to {edit}, 'patched_model' with IP-Adapter or PuLID applied, or "
        "'img2img' for any other."
    )


_EDIT = "'reference_latents' for an edit model such as Kontext"


def called(mode: ReferenceMode, character: Character) -> str:
    """What prompts call ``character``: its class, and by its trigger a model trained on it."""
    if mode is ReferenceMode.TRAINED_LORA:
        return f"{character.trigger} {character.class_word}"
    return character.class_word


def reference_method(model: Any) -> str | None:
    """How references are told apart, where ``model`` leaves them unread unless it is told."""
    untold = getattr(model.model.diffusion_model, "default_ref_method", "told") is None
    return "index" if untold else None


def is_patched(model: Any) -> bool:
    """Whether anything was added to ``model`` that could show it a character.

    That is: weights (LoRA), attention or blocks (IP-Adapter, InstantID), wrappers and injections,
    or a method of the network that was replaced (PuLID for Flux).
    """
    options = model.model_options.get("transformer_options", {})
    replaced = set(model.object_patches) - {"model_sampling", "manual_cast_dtype"}
    network = model.model.diffusion_model
    methods = [name for name, value in vars(network).items() if callable(value)]
    return bool(
        model.patches
        or replaced
        or model.injections
        or any(model.wrappers.values())
        or any(options.get(kind) for kind in ("patches", "patches_replace", "wrappers"))
        or "model_function_wrapper" in model.model_options
        or any(callable(getattr(type(network), name, None)) for name in methods)
    )
