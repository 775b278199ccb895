"""LoRAs: read from a file with what it says of itself, matched with a model, and put on it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from ..core.character import Character
from ..core.errors import FacetError
from .internals import internal

LoraWeights = dict[str, torch.Tensor]
"""The tensors of a LoRA by their names in its file."""

_FAMILY = ("ss_base_model_version", "modelspec.architecture")


@dataclass(frozen=True)
class Calls:
    """How prompts call a character: ``zqx person``. Empty where nobody says it."""

    trigger: str = ""
    class_word: str = ""

    @property
    def text(self) -> str:
        """As in 'zqx person'."""
        return f"{self.trigger} {self.class_word}".strip()


@dataclass(frozen=True, eq=False)
class LoraFile:
    """A LoRA's weights and metadata; ``name`` is what to call it in a sentence."""

    weights: LoraWeights
    name: str = "the LoRA"
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[Calls, ...]:
        """How the characters in it are called, by its metadata; empty when that does not say.

        Facet's own keys are read, the modelspec's trigger phrase, and kohya's folder names such as
        ``10_zqx person``.
        """
        told = self.metadata
        phrases = told.get("modelspec.trigger_phrase", "").split(",")
        if told.get("facet.trigger"):
            own = Calls(told["facet.trigger"], told.get("facet.class_word", ""))
            rest = [called(phrase) for phrase in phrases]
            return (own, *(one for one in rest if one.trigger not in ("", own.trigger)))
        found = [called(phrase) for phrase in phrases if phrase.strip()]
        if not found:
            folders = _json(told.get("ss_dataset_dirs"))
            names = [re.fullmatch(r"\d+_(.+)", name) for name in folders]
            found = [called(name[1]) for name in names if name]
        return tuple(dict.fromkeys(one for one in found if one.trigger))

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
        """What its metadata tells of its pictures in words: a description, and frequent tags.

        kohya counts the tags of each folder; those of half of the pictures or more are given.
        """
        tags: Counter[str] = Counter()
        pictures = 0
        for name, counts in _json(self.metadata.get("ss_tag_frequency")).items():
            if isinstance(counts, dict):
                numbers = {str(tag): n for tag, n in counts.items() if isinstance(n, int)}
                tags.update(numbers)
                folder = _json(self.metadata.get("ss_dataset_dirs")).get(name)
                known = folder.get("img_count") if isinstance(folder, dict) else None
                pictures += known if isinstance(known, int) else max(numbers.values(), default=0)
        frequent = [tag.strip() for tag, n in tags.items() if 2 * n >= pictures > 0]
        description = self.metadata.get("modelspec.description", "")
        return [text for text in (description, *frequent) if text]


def called(phrase: str) -> Calls:
    """The trigger and the class word in a phrase such as 'zqx person'."""
    trigger, _, rest = phrase.strip().partition(" ")
    return Calls(trigger, rest.strip())


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

    Raises FacetError with a sentence when there is no LoRA that can be read.
    """
    import comfy.utils
    from safetensors import SafetensorError

    refused = (OSError, ValueError, RuntimeError, KeyError, EOFError, UnpicklingError)
    try:
        state, metadata = comfy.utils.load_torch_file(
            str(path), safe_load=True, return_metadata=True
        )
    except (*refused, SafetensorError) as error:
        # What torch says of a pickle is a page, and how to run it all the same.
        told = "it holds no weights" if isinstance(error, UnpicklingError) else error
        raise FacetError(
            f"{path.name} cannot be read ({told}); it is damaged or no LoRA, choose another."
        ) from error
    weights = {str(k): v for k, v in state.items() if isinstance(v, torch.Tensor)}
    if not weights:
        raise FacetError(f"{path.name} holds no weights; choose a LoRA.")
    return LoraFile(weights, path.stem, {str(k): str(v) for k, v in (metadata or {}).items()})


def read_weights(path: Path) -> LoraWeights:
    """The weights alone; raises FacetError as ``read_lora`` does."""
    return read_lora(path).weights


def converted(weights: LoraWeights) -> LoraWeights:
    """``weights`` under the names by which ComfyUI reads them."""
    renamed: LoraWeights = internal("convert_lora")(weights)
    return renamed


def patches_of(weights: LoraWeights, names: Mapping[str, Any]) -> tuple[dict[Any, Any], list[str]]:
    """What ComfyUI patches with ``weights``, and those of their names that it does not read.

    names: ComfyUI's keys of the layers that may be patched, as ``model_lora_keys_unet`` has them.
    """
    import comfy.lora

    patches: dict[Any, Any] = comfy.lora.load_lora(dict(weights), dict(names), log_missing=False)
    read = {key for patch in patches.values() for key in getattr(patch, "loaded_keys", ())}
    return patches, sorted(set(weights) - read)


def with_lora(model: Any, clip: Any, lora: LoraWeights, strength: float) -> tuple[Any, Any]:
    """Clones of ``model`` and ``clip`` with ``lora`` at ``strength`` on them.

    Raises FacetError when a key of the LoRA finds no place in them, or a weight has another shape:
    ComfyUI itself would only log that and sample without it.
    """
    import comfy.lora
    import comfy.sd

    names = comfy.lora.model_lora_keys_unet(model.model, {})
    names = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, names)
    renamed = converted(lora)
    strange = [key for key in renamed if not _has_place(key, names)]
    patches, _ = patches_of(renamed, names)
    if strange or not patches:
        example = f", such as {strange[0]!r}," if strange else ""
        raise FacetError(
            f"{len(strange)} of the LoRA's {len(renamed)} weights{example} do not belong to "
            "this model; connect the model that it was trained on."
        )
    weights = {**model.model_state_dict(), **clip.cond_stage_model.state_dict()}
    for key, patch in patches.items():
        if isinstance(key, str) and key in weights and not _fits(patch, weights[key]):
            raise FacetError(
                f"The LoRA's weights for {key!r} have another shape than the model's "
                f"{tuple(weights[key].shape)}; connect the model that it was trained on."
            )
    return comfy.sd.load_lora_for_models(model, clip, lora, strength, strength)


def _has_place(key: str, names: dict[str, Any]) -> bool:
    """Whether ``key`` is a module that ComfyUI knows, a dot, and the name of one of its parts."""
    parts = key.split(".")
    return any(".".join(parts[:end]) in names for end in range(1, len(parts)))


def _fits(patch: Any, weight: torch.Tensor) -> bool:
    """Whether a plain LoRA's up and down have the sizes of ``weight``; True for other adapters."""
    if not isinstance(patch, internal("LoRAAdapter")):
        return True
    up, down, _alpha, middle, _dora, reshape = patch.weights
    if middle is not None or reshape is not None:
        return True
    return bool(
        up.shape[0] == weight.shape[0] and down.flatten(1).shape[1] == weight.flatten(1).shape[1]
    )


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
