"""LoRAs put on a model through ComfyUI, with no key left over."""

from __future__ import annotations

from typing import Any

import torch

LoraWeights = dict[str, torch.Tensor]


def with_lora(model: Any, clip: Any, lora: LoraWeights, strength: float) -> tuple[Any, Any]:
    """Clones of ``model`` and ``clip`` with ``lora`` at ``strength`` on them.

    Raises ValueError when a key of the LoRA finds no place in them, or a weight has another shape:
    ComfyUI itself would only log that and sample without it.
    """
    import comfy.lora
    import comfy.lora_convert
    import comfy.sd

    names = comfy.lora.model_lora_keys_unet(model.model, {})
    names = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, names)
    converted = comfy.lora_convert.convert_lora(lora)
    strange = [key for key in converted if not _has_place(key, names)]
    patches = comfy.lora.load_lora(converted, names, log_missing=False)
    if strange or not patches:
        example = f", such as {strange[0]!r}," if strange else ""
        raise ValueError(
            f"{len(strange)} of the LoRA's {len(converted)} weights{example} do not belong to "
            "this model; connect the model that it was trained on."
        )
    weights = {**model.model_state_dict(), **clip.cond_stage_model.state_dict()}
    for key, patch in patches.items():
        if isinstance(key, str) and key in weights and not _fits(patch, weights[key]):
            raise ValueError(
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
    from comfy.weight_adapter import LoRAAdapter

    if not isinstance(patch, LoRAAdapter):
        return True
    up, down, _alpha, middle, _dora, reshape = patch.weights
    if middle is not None or reshape is not None:
        return True
    return bool(
        up.shape[0] == weight.shape[0] and down.flatten(1).shape[1] == weight.flatten(1).shape[1]
    )
