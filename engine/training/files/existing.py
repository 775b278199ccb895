"""LoRA files from elsewhere, as the start of a training: kohya's, diffusers' and peft's keys."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from ...comfyui.lora import read_weights
from ...comfyui.lora_names import newer_names, spelled
from ...comfyui.lora_place import converted, fits, meant, patches_of
from ...core.errors import FacetError
from ..model.lora import TEXT_ENCODERS, Adapter
from .formats import LayerTensors
from .names import known_names, module_of
from .parts import ALPHA, DOWN, LOHA, UP, LayerPart, joined, part_of, rank_of

LOGGER = logging.getLogger(__name__)

_IN_TEXT = ("lora_te", "text_encoder", "lora_prior_te", "cond_stage_model", "clip_l", "t5xxl")

# What ComfyUI's adapters hold, in their order, as the suffixes of a file.
_LOKR = ("lokr_w1", "lokr_w2", ALPHA, "lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b")
# Factors by whether the rank is their rows or their columns.
DOWNS = {DOWN, "hada_w1_b", "hada_w2_b", "lokr_w1_b", "lokr_w2_b"}
UPS = {UP, "hada_w1_a", "hada_w2_a", "lokr_w1_a", "lokr_w2_a"}


def start_from(path: Path, model: Any, made: list[Adapter], encoder: Any = None) -> None:
    """Gives freshly made adapters the values of the LoRA file at ``path``.

    ``encoder`` is the text encoder's model where it is trained too. A smaller rank fits into a
    larger one; what is left of it starts as it would have. Layers that the file does not have
    start anew. Raises FacetError when the file does not fit.
    """
    layers = read_adapters(path, model, [adapter.module for adapter in made], encoder)
    for adapter in made:
        if adapter.module in layers:
            _give(path, adapter, layers[adapter.module])


def with_layers_of(
    path: Path, model: Any, targets: tuple[str, ...], encoder: Any = None
) -> tuple[str, ...]:
    """``targets`` and the layers of the LoRA file at ``path``, in the model's order, those of the
    text encoder's model ``encoder`` after it.

    Other trainers take in layers that this one leaves alone. Raises FacetError when the file
    cannot be read, belongs to another model or holds what no adapter does.
    """
    patches, strays = _patches(path, model, encoder)
    if strays:
        LOGGER.warning("%s %s", path.name, strays)
    modules = {*map(_module, patches)}
    _check_encoders(path, modules, targets)
    _by_module(path, model, encoder, patches)
    taken = {*targets, *modules}
    names = [name for name, _ in model.diffusion_model.named_modules()]
    if encoder is not None:
        names += [f"{TEXT_ENCODERS}{name}" for name, _ in encoder.named_modules()]
    return tuple(name for name in names if name in taken)


def read_adapters(
    path: Path, model: Any, targets: Iterable[str], encoder: Any = None
) -> dict[str, dict[str, torch.Tensor]]:
    """The tensors that a LoRA file has for layers of ``model`` (a BaseModel), by module.

    They are named and scaled as ``Adapter.file_tensors`` gives them, in float32 on the CPU; where
    the file has a layer in parts, as diffusers has Flux's qkv, the parts are joined exactly.
    Raises FacetError when the file cannot be read, belongs to another model, or changes layers
    that are not among ``targets``.
    """
    trained = set(targets)
    patches, _ = _patches(path, model, encoder)
    for module in map(_module, patches):
        if module not in trained:
            raise FacetError(
                f"{path.name} changes {module}, which is not trained here; choose targets, or a "
                "target_pattern, that take it in."
            )
    return _by_module(path, model, encoder, patches)


def _by_module(
    path: Path, model: Any, encoder: Any, patches: Mapping[Any, Any]
) -> dict[str, dict[str, torch.Tensor]]:
    """The tensors of ``patches`` by module, those of parts of one joined."""
    found: dict[str, list[LayerPart]] = {}
    shapes: dict[str, torch.Size] = {}
    for target, patch in patches.items():
        module, tensors = _module(target), _tensors(path, patch)
        shape = shapes[module] = _shape(_layer(model, encoder, module))
        part = meant(shape, target)
        if not fits(patch, part):
            raise FacetError(
                f"{path.name} is made for {module} of another shape than {tuple(shape)}; it "
                "belongs to another model."
            )
        found.setdefault(module, []).append(part_of(target, part[0], tensors))
    return {
        module: joined(path, module, parts, shapes[module][0]) for module, parts in found.items()
    }


def _check_encoders(path: Path, modules: Iterable[str], targets: Iterable[str]) -> None:
    trained = {_encoder_of(target) for target in targets}
    others = {_encoder_of(module) for module in modules} - trained
    if others:
        raise FacetError(
            f"{path.name} changes the text encoder {min(others)} as well, which cannot be trained "
            "and would be lost; continue from a LoRA without it."
        )


def _encoder_of(module: str) -> str:
    """The text encoder that a layer is in; '' for one of the diffusion model."""
    inside = module.removeprefix(TEXT_ENCODERS)
    return "" if inside == module else inside.split(".")[0]


def _patches(path: Path, model: Any, encoder: Any) -> tuple[dict[Any, Any], str]:
    """What ComfyUI would patch with the file: its adapter for each weight, or part of a weight.

    And what of the file it would not read, to put behind the file's name; '' for nothing.
    """
    names = newer_names(model) | known_names(model, encoder)
    try:
        state = spelled(converted(read_weights(path)), names)
        if encoder is None and any(key.startswith(_IN_TEXT) for key in state):
            raise FacetError(
                f"{path.name} changes the text encoder as well, which would be lost; turn "
                "text_encoder on, or continue from a LoRA of the diffusion model alone."
            )
        patches, strays = patches_of(state, names)
    except FacetError as error:
        raise FacetError(f"continue_from: {error}") from error
    if not patches:
        raise FacetError(
            f"{path.name} does not belong to {type(model).__name__}: {len(strays)} of its entries "
            f"match none of its layers, such as {strays[0]}. Continue from a LoRA of this family."
        )
    told = ""
    if strays:
        told = (
            f"has {len(strays)} of its {len(state)} weights ({len(strays) / len(state):.1%}), such "
            f"as {strays[0]}, for no layer of {type(model).__name__}; they are lost, and the "
            "training continues from the rest."
        )
    return patches, told


def _module(target: Any) -> str:
    return module_of(target if isinstance(target, str) else target[0])


def _tensors(path: Path, patch: Any) -> dict[str, torch.Tensor]:
    weights: Any = getattr(patch, "weights", None)
    name = getattr(patch, "name", "")
    if name == "lora" and weights[3] is None and weights[5] is None:
        up, down, alpha, _, magnitude, _ = weights
        up = up.float() * (1.0 if alpha is None else alpha / len(down))
        tensors = {DOWN: down.float(), UP: up, ALPHA: torch.tensor(float(len(down)))}
        return tensors | ({} if magnitude is None else {"dora_scale": magnitude.float()})
    suffixes = {"lokr": _LOKR, "loha": LOHA}.get(name)
    if suffixes is None or any(extra is not None for extra in weights[len(suffixes) :]):
        raise FacetError(
            f"{path.name} holds more than training can continue from, such as whole weights, "
            "tucker factors or the scale of a LoKr or LoHa with DoRA; continue from a LoRA, LoKr, "
            "LoHa or DoRA file."
        )
    given = zip(suffixes, weights, strict=False)
    tensors = {suffix: torch.as_tensor(v).float() for suffix, v in given if v is not None}
    # Without an alpha ComfyUI does not scale, as it does with an alpha of the rank.
    rank = rank_of(tensors)
    return {ALPHA: torch.tensor(float(rank)), **tensors} if rank else tensors


def _layer(model: Any, encoder: Any, module: str) -> Any:
    if module.startswith(TEXT_ENCODERS):
        return encoder.get_submodule(module.removeprefix(TEXT_ENCODERS))
    return model.diffusion_model.get_submodule(module)


def _shape(layer: Any) -> torch.Size:
    base = layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer
    if hasattr(base, "out_features"):  # its weight may be quantised, of another shape
        return torch.Size((base.out_features, base.in_features))
    return base.weight.shape


def _give(path: Path, adapter: Adapter, given: LayerTensors) -> None:
    values = adapter.parameters()
    wanted, held = set(values), set(given) - {ALPHA}
    if wanted != held:
        raise FacetError(
            f"{path.name} is of another kind than the adapter chosen: it has "
            f"{', '.join(sorted(held))} for {adapter.module}, where {', '.join(sorted(wanted))} "
            "are trained. Choose the adapter that made the file."
        )
    rank, room = rank_of(given), rank_of(values)
    if rank > room:
        raise FacetError(
            f"{path.name} has rank {rank} for {adapter.module}, which does not fit into rank "
            f"{room}; set rank to {rank} or more."
        )
    scale = 1.0
    if adapter.alpha and rank:
        scale = float(given[ALPHA]) / rank / (adapter.alpha / room)
    scaled = next(name for name in values if name not in DOWNS)
    with torch.no_grad():
        for name, value in values.items():
            if _filled(value, name, given[name] * scale if name == scaled else given[name]):
                continue
            advice = "choose the rank that made the file"
            if name == "dora_scale":
                advice = "it scales rows where columns are scaled here, so continue elsewhere"
            raise FacetError(
                f"{path.name} has {name} as {tuple(given[name].shape)} for {adapter.module}, "
                f"where {tuple(value.shape)} is trained; {advice}."
            )


def _filled(value: torch.Tensor, name: str, given: torch.Tensor) -> bool:
    """Gives ``value`` what the file has under ``name``; whether it fits.

    What is left of a larger rank changes nothing and can learn: one factor of it is zero.
    """
    room = value
    if name in DOWNS:
        room = value[: len(given)]
    elif name in UPS:
        value[:, given.shape[1] :] = 0
        room = value[:, : given.shape[1]]
    if given.numel() != room.numel() or len(given) != len(room):
        return False
    room.copy_(given.reshape(room.shape))
    return True
