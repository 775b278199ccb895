"""LoRA files that other programs read, each checked by loading it the way ComfyUI does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from ..character import Character
from .settings import TrainingSettings

LoraWeights = Mapping[str, tuple[torch.Tensor, torch.Tensor]]
"""(down, up) of each adapted module, by its name in the diffusion model."""

# Above this many values a file is written in half precision: 64 MB in single.
_LARGEST_IN_FULL = 16_000_000

_ARCHITECTURES = {
    "Flux": ("flux1", "flux-1-dev"),
    "Flux2": ("flux2", "flux-2-dev"),
    "SDXL": ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base"),
    "SD3": ("sd3", "stable-diffusion-3-medium"),
    "BaseModel": ("sd_v1", "stable-diffusion-v1"),
}


class UnusableLora(RuntimeError):
    """A LoRA file that ComfyUI would not load, or that would change nothing."""


def lora_names(model: Any, modules: Iterable[str]) -> dict[str, str]:
    """The name each module goes by in a LoRA file, for ``model`` (a BaseModel).

    kohya's ``lora_unet_…`` where ComfyUI maps that name back to this very layer, else ComfyUI's
    generic ``diffusion_model.…``. Raises ValueError when ComfyUI would find the layer by neither.
    """
    import comfy.lora

    known = comfy.lora.model_lora_keys_unet(model, {})
    names = {}
    for module in modules:
        candidates = (f"lora_unet_{module.replace('.', '_')}", f"diffusion_model.{module}")
        weight = f"diffusion_model.{module}.weight"
        found = next((name for name in candidates if known.get(name) == weight), None)
        if found is None:
            raise ValueError(
                f"ComfyUI knows no LoRA name for the layer {module} of {type(model).__name__}; "
                "this model cannot be trained yet."
            )
        names[module] = found
    return names


def lora_state_dict(weights: LoraWeights, names: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """The tensors of a LoRA file; alpha is the rank, so that strength 1 is what was trained."""
    size = sum(down.numel() + up.numel() for down, up in weights.values())
    dtype = torch.float32 if size <= _LARGEST_IN_FULL else torch.float16
    state = {}
    for module, (down, up) in weights.items():
        state[f"{names[module]}.lora_down.weight"] = down.to(dtype).contiguous()
        state[f"{names[module]}.lora_up.weight"] = up.to(dtype).contiguous()
        state[f"{names[module]}.alpha"] = torch.tensor(float(down.shape[0]), dtype=dtype)
    return state


def lora_metadata(
    model: Any, character: Character, settings: TrainingSettings, title: str, step: int
) -> dict[str, str]:
    """What the file says about itself: kohya's ss_*, the modelspec, and where it comes from.

    No date, so that the same training gives the same file.
    """
    kind = type(model).__name__
    base_version, architecture = _ARCHITECTURES.get(kind, (kind.lower(), kind.lower()))
    pictures = [
        {"hash": shot.hash, "source": shot.provenance.source, "weight": shot.weight}
        for shot in character.dataset
    ]
    return {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(settings.rank),
        "ss_network_alpha": str(float(settings.rank)),
        "ss_base_model_version": base_version,
        "ss_output_name": title,
        "ss_learning_rate": repr(settings.learning_rate),
        "ss_lr_scheduler": settings.schedule,
        "ss_optimizer": "torch.optim.AdamW",
        "ss_max_train_steps": str(settings.steps),
        "ss_steps": str(step),
        "ss_num_train_images": str(len(pictures)),
        "ss_total_batch_size": str(settings.batch_size),
        "ss_guidance_scale": repr(settings.guidance),
        "ss_seed": str(settings.seed),
        "ss_session_id": character.hash[:16],
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": f"{architecture}/lora",
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "modelspec.title": title,
        "modelspec.trigger_phrase": f"{character.trigger} {character.class_word}",
        "facet.character": character.name,
        "facet.trigger": character.trigger,
        "facet.class_word": character.class_word,
        "facet.dataset_hash": character.hash,
        "facet.pictures": json.dumps(pictures),
        "facet.settings": json.dumps(settings.record(), sort_keys=True),
        "facet.step": str(step),
        "facet.subject": settings.subject,
    }


def read_lora(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a LoRA file, as core's loaders read it."""
    import comfy.utils

    return comfy.utils.load_torch_file(str(path), safe_load=True)


def check_lora(path: Path, model: Any, modules: Iterable[str]) -> None:
    """Loads a LoRA file back as ComfyUI does, for ``model`` (a BaseModel).

    Raises UnusableLora when a key of it matches no layer, a layer of ``modules`` is missing, or
    the file would change nothing.
    """
    import comfy.lora
    import comfy.lora_convert

    state = comfy.lora_convert.convert_lora(read_lora(path))
    known = comfy.lora.model_lora_keys_unet(model, {})
    patches = comfy.lora.load_lora(dict(state), known, log_missing=False)
    expected = {f"diffusion_model.{module}.weight" for module in modules}
    found = set(patches)
    stray = sorted({key.rsplit(".lora_", 1)[0] for key in state if ".lora_" in key} - set(known))
    if stray or found != expected:
        odd = stray or sorted(found ^ expected)
        raise UnusableLora(
            f"{path.name} was saved, but {len(odd)} of its layers do not load in ComfyUI, such as "
            f"{odd[0]}; the file is of no use."
        )
    ups = [value for key, value in state.items() if key.endswith(".lora_up.weight")]
    if not all(bool(torch.isfinite(value).all()) for value in state.values()):
        raise UnusableLora(f"{path.name} holds values that are not numbers; train again, slower.")
    if not any(bool(value.any()) for value in ups):
        raise UnusableLora(f"{path.name} would change nothing: no step has moved its weights.")
