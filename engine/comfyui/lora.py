"""LoRAs: read from a file with what it says of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError

import torch

from ..core.character import Character
from ..core.errors import FacetError
from .lora_metadata import Calls, called, calls_in, says_in
from .lora_names import LoraWeights
from .lora_place import converted, patches_of, with_lora
from .lora_score import score_beside

__all__ = [
    "Calls",
    "LoraFile",
    "LoraWeights",
    "agreed",
    "called",
    "check_values",
    "converted",
    "patches_of",
    "read_lora",
    "read_weights",
    "with_lora",
]

_FAMILY = ("ss_base_model_version", "modelspec.architecture")
_LARGEST = 1e6
"""No weight of a LoRA that makes a picture comes near it; a broken training's do."""


@dataclass(frozen=True, eq=False)
class LoraFile:
    """A LoRA's weights and metadata; ``name`` is what to call it in a sentence."""

    weights: LoraWeights
    name: str = "the LoRA"
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[Calls, ...]:
        """How the characters in it are called, by its metadata; empty when that does not say."""
        return calls_in(self.metadata)

    @property
    def character(self) -> str:
        """The character's name; the file's own where the metadata does not say."""
        return self.metadata.get("facet.character") or self.name

    @property
    def family(self) -> str:
        """The family of models that it was trained on, in the words of its metadata."""
        return next((self.metadata[key] for key in _FAMILY if self.metadata.get(key)), "")

    @property
    def says(self) -> list[str]:
        """What its metadata tells of its pictures in words: a description, and frequent tags."""
        return says_in(self.metadata)


def agreed(character: Character | None, lora: LoraFile | None) -> tuple[Calls, str]:
    """How to call the character, and a note where ``character`` and ``lora`` disagree.

    The LoRA's own word wins: another was never learned.
    """
    known = lora.calls if lora else ()
    if character is None:
        return (known[0] if known else Calls()), ""
    own = Calls(character.trigger, character.class_word)
    match = next((one for one in known if one.trigger == own.trigger), None)
    if not known or match:
        return own, ""
    note = (
        f"The LoRA's file gives its trigger as '{known[0].trigger}', the character has "
        f"'{own.trigger}'; the LoRA's is used."
    )
    return Calls(known[0].trigger, known[0].class_word or own.class_word), note


def read_lora(path: Path) -> LoraFile:
    """The LoRA in ``path``.

    A score that stands beside it counts as its metadata. Raises FacetError with a sentence when
    there is no LoRA that can be read, or when its values can make no picture.
    """
    import comfy.utils

    try:
        state, metadata = comfy.utils.load_torch_file(
            str(path), safe_load=True, return_metadata=True
        )
    except Exception as error:  # torch and safetensors have dozens for what is no LoRA
        # What torch says of a pickle is a page, and how to run it all the same.
        unsafe = isinstance(error, UnpicklingError)
        told = "it holds no weights" if unsafe else f"{error}".strip().partition("\n")[0][:200]
        raise FacetError(
            f"{path.name} cannot be read ({told or type(error).__name__}); it is damaged or no "
            "LoRA, choose another."
        ) from error
    held = state.items() if isinstance(state, Mapping) else ()
    weights = {str(k): v for k, v in held if isinstance(v, torch.Tensor)}
    if not weights:
        raise FacetError(f"{path.name} holds no weights; choose a LoRA.")
    check_values(weights, path.name)
    said = {str(k): str(v) for k, v in (metadata or {}).items()}
    return LoraFile(weights, path.stem, said | score_beside(path, weights))


def read_weights(path: Path) -> LoraWeights:
    """The weights alone; raises FacetError as ``read_lora`` does."""
    return read_lora(path).weights


def check_values(weights: Mapping[str, torch.Tensor], name: str) -> None:
    """Raises FacetError where ``weights``, of the LoRA called ``name``, hold what is no number, or
    one so large that no picture comes of it."""
    for key, value in weights.items():
        # An alpha is a scale, and some trainers' are huge where ComfyUI does not read them.
        if not value.is_floating_point() or not value.numel():
            continue
        most = float(value.float().abs().amax())
        if math.isfinite(most) and (most <= _LARGEST or key.endswith("alpha")):
            continue
        told = f"values up to {most:.1g}" if math.isfinite(most) else "values that are no numbers"
        raise FacetError(
            f"{name} holds {told}, such as in {key}; its training broke down, so choose an earlier "
            "checkpoint or another LoRA."
        )
