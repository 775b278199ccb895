"""Which way of taking a reference image a model is used with, by what its family and file say."""

from __future__ import annotations

from typing import Any

from ..core.character import Character
from ..core.errors import FacetError
from .family import ReferenceMode
from .table import class_names, family_of

__all__ = [
    "MODES",
    "MOST_PICTURES",
    "TAKES_SEVERAL",
    "ReferenceMode",
    "called",
    "is_patched",
    "mode_of",
    "model_name",
    "reference_method",
    "resolve_mode",
]

MODES = [mode.value for mode in ReferenceMode if mode is not ReferenceMode.AUTO]
"""What can be chosen where none is guessed, since img2img shows a model nothing of the original."""
TAKES_SEVERAL = frozenset({ReferenceMode.REFERENCE_LATENTS, ReferenceMode.QWEN_EDIT})
MOST_PICTURES = 3
"""The original and two more: what the edit models were trained with."""


def resolve_mode(mode: ReferenceMode, model: Any) -> ReferenceMode:
    """The mode to use for ``model``; FacetError when it cannot be known, or cannot work."""
    references, name = family_of(model).references, model_name(model)
    if mode is ReferenceMode.AUTO:
        return _resolved(model)
    if mode is ReferenceMode.REFERENCE_LATENTS and mode not in references:
        raise FacetError(
            f"A {name} model takes no reference latents and would ignore the original; "
            "set reference_mode to 'img2img', or to 'patched_model' with IP-Adapter applied."
        )
    if mode is ReferenceMode.QWEN_EDIT and mode not in references:
        raise FacetError(
            f"A {name} model is no Qwen-Image-Edit; set reference_mode to "
            + (
                "'reference_latents'."
                if ReferenceMode.REFERENCE_LATENTS in references
                else "'img2img', or to 'patched_model' with IP-Adapter applied."
            )
        )
    if mode is ReferenceMode.TRAINED_LORA and not is_patched(model):
        raise FacetError(
            "The MODEL carries no LoRA, so it does not know the character; load the character's "
            "LoRA before it, or choose another reference_mode."
        )
    if mode is ReferenceMode.PATCHED_MODEL and not is_patched(model):
        raise FacetError(
            "The MODEL carries no patch, so nothing shows it the original; apply IP-Adapter, PuLID "
            "or a LoRA of the character to it, or choose another reference_mode."
        )
    return mode


def mode_of(mode: ReferenceMode, model: Any) -> ReferenceMode | None:
    """``mode``, or what AUTO is for ``model``; None where AUTO cannot be told."""
    return mode if mode is not ReferenceMode.AUTO else _by_itself(model)


def _by_itself(model: Any) -> ReferenceMode | None:
    family = family_of(model)
    if family.always_edits:
        return family.references[0]
    method = getattr(model.model.diffusion_model, "default_ref_method", "")
    return family.edit_methods.get(method) if family.references else None


def _resolved(model: Any) -> ReferenceMode:
    if (mode := _by_itself(model)) is not None:
        return mode
    family, name = family_of(model), model_name(model)
    if not family.references:
        raise FacetError(
            f"A {name} model takes no reference images by itself; set reference_mode to "
            "'patched_model' with IP-Adapter or PuLID applied, or to 'img2img'."
        )
    raise FacetError(
        f"A {name} model may or may not take reference images and its file does not say; "
        f"set reference_mode to {family.edit_example}, 'patched_model' with IP-Adapter or PuLID "
        "applied, or 'img2img' for any other."
    )


def model_name(model: Any) -> str:
    """ComfyUI's class of ``model``: Stable Diffusion 1.5 and its like have none of their own."""
    name = type(model.model).__name__
    return name if name != "BaseModel" else class_names(model)[0]


def called(mode: ReferenceMode, character: Character) -> str:
    """What prompts call ``character``: its class, and by its trigger a model trained on it."""
    return character.phrase if mode is ReferenceMode.TRAINED_LORA else character.class_word


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
