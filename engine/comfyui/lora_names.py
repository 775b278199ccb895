"""What the layers in a LoRA file are called: ComfyUI's names, and what others put around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from ..core.errors import FacetError

LoraWeights = dict[str, torch.Tensor]
"""The tensors of a LoRA by their names in its file."""

_PART = re.compile(
    r"(?P<layer>.+)\."
    r"(?P<part>lora_(?:A|B|up|down|mid|magnitude_vector)|lokr_\w+|hada_\w+)"
    r"(?:\.(?!(?:weight|bias)$)(?P<adapter>.+?))?"
    r"(?P<end>\.weight|\.bias)?"
)
"""A layer's name, a part of its adapter and, as peft has it, the adapter's own name."""

_MAGNITUDE = "lora_magnitude_vector"
_AROUND = ("module.", "model.")
_BEFORE = ("", "diffusion_model.", "transformer.", "unet.", "text_encoder.")


def spelled(weights: Mapping[str, torch.Tensor], names: Mapping[str, Any]) -> LoraWeights:
    """``weights`` under the names in ``names``, ComfyUI's of the layers that may be patched.

    peft puts a name of the adapter's into every key (lora_A.default_0.weight), its model around a
    layer's name (base_model.model.), and calls DoRA's scale a magnitude; torch.compile and parallel
    training add theirs. What ``names`` does not have under any of these keeps its name. Raises
    FacetError when the file holds several adapters of one layer.
    """
    found: LoraWeights = {}
    for key, value in weights.items():
        plain, value = _without_adapter(key, value)
        name = _with_known_layer(plain, names)
        if name in found:
            others = {_adapter(one) for one in weights} - {""}
            raise FacetError(
                f"The LoRA holds several adapters ({', '.join(sorted(others)) or name}) for one "
                "layer; save the one to use to a file of its own."
            )
        found[name] = value
    return found


def diffusers_weights(model: Any) -> Iterator[tuple[str, str]]:
    """Each layer of a Stable Diffusion UNet by its name in diffusers, with ComfyUI's weight."""
    import comfy.utils

    for key, weight in comfy.utils.unet_to_diffusers(model.model_config.unet_config).items():
        if key.endswith(".weight"):
            yield key.removesuffix(".weight"), f"diffusion_model.{weight}"


def newer_names(model: Any) -> dict[str, str]:
    """The names that today's diffusers has for a UNet's layers; ComfyUI reads the older ones."""
    return {
        f"{before}{name}": weight
        for name, weight in diffusers_weights(model)
        for before in ("", "unet.")
    }


def _adapter(key: str) -> str:
    found = _PART.fullmatch(key)
    return (found and found["adapter"]) or ""


def _without_adapter(key: str, value: torch.Tensor) -> tuple[str, torch.Tensor]:
    found = _PART.fullmatch(key)
    if found is None:
        return key, value
    layer, part, adapter, end = found["layer"], found["part"], found["adapter"], found["end"] or ""
    if part == _MAGNITUDE:
        # ComfyUI divides by a norm of each row, (rows, 1, …); peft has one number a row.
        scale = value.reshape(-1, *[1] * max(1, value.ndim - 1))
        return f"{layer}.dora_scale", scale
    if adapter and part.startswith("lora_") and not end:
        end = ".weight"
    return f"{layer}.{part}{end}", value


def _with_known_layer(key: str, names: Mapping[str, Any]) -> str:
    # Older diffusers has it as in ….to_q_lora.up.weight, and a layer's name may hold dots.
    ends = [match.start() for match in re.finditer(r"\.|_lora\.", key)]
    for end in reversed(ends):
        for layer in _spellings(key[:end]):
            if layer in names:
                return layer + key[end:]
    return key


def _spellings(layer: str) -> Iterator[str]:
    yield layer
    bare = layer.replace("base_model.model.", "").replace("_orig_mod.", "")
    while True:
        for before in _BEFORE:
            yield before + bare
        around = next((one for one in _AROUND if bare.startswith(one)), None)
        if around is None:
            return
        bare = bare.removeprefix(around)
