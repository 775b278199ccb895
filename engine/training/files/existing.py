"""LoRA files from elsewhere, as the start of a training: kohya's, diffusers' and peft's keys."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from ...comfyui.lora import converted, patches_of, read_weights
from ...core.errors import FacetError
from ..model.lora import TEXT_ENCODERS, Adapter
from .formats import LayerTensors
from .names import diffusers_weights, known_names, module_of

_DOWN, _UP, _ALPHA = "lora_down.weight", "lora_up.weight", "alpha"
_IN_TEXT = ("lora_te", "text_encoder", "lora_prior_te", "cond_stage_model", "clip_l", "t5xxl")

# What ComfyUI's adapters hold, in their order, as the suffixes of a file.
_LOKR = ("lokr_w1", "lokr_w2", _ALPHA, "lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b")
_LOHA = ("hada_w1_a", "hada_w1_b", _ALPHA, "hada_w2_a", "hada_w2_b")


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
    patches = _patches(path, model, encoder)
    for patch in patches.values():
        _tensors(path, patch)
    modules = {*map(_module, patches)}
    _check_encoders(path, modules, targets)
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
    found: dict[str, list[tuple[int, dict[str, torch.Tensor]]]] = {}
    for target, patch in _patches(path, model, encoder).items():
        module = _module(target)
        if module not in trained:
            raise FacetError(
                f"{path.name} changes {module}, which is not trained here; choose targets, or a "
                "target_pattern, that take it in."
            )
        row = 0 if isinstance(target, str) else target[1][1]
        found.setdefault(module, []).append((row, _tensors(path, patch)))
    return {
        module: _joined(parts, _rows(_layer(model, encoder, module)))
        for module, parts in found.items()
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


def _patches(path: Path, model: Any, encoder: Any) -> dict[Any, Any]:
    """What ComfyUI would patch with the file: its adapter for each weight, or part of a weight."""
    try:
        state = _usual(converted(read_weights(path)))
    except Exception as error:
        raise FacetError(
            f"{path.name} cannot be read as a LoRA ({error}); choose another to continue from."
        ) from error
    if encoder is None and any(key.startswith(_IN_TEXT) for key in state):
        raise FacetError(
            f"{path.name} changes the text encoder as well, which would be lost; turn "
            "text_encoder on, or continue from a LoRA of the diffusion model alone."
        )
    known = _known(model, encoder)
    state = {_with_prefix(key, known): value for key, value in state.items()}
    patches, stray = patches_of(state, known)
    if stray:
        raise FacetError(
            f"{path.name} does not belong to {type(model).__name__}: {len(stray)} of its entries "
            f"match none of its layers, such as {stray[0]}. Continue from a LoRA of this family."
        )
    return patches


def _module(target: Any) -> str:
    return module_of(target if isinstance(target, str) else target[0])


def _usual(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Keys without what peft puts around a layer's name."""
    return {
        key.removeprefix("base_model.model.").replace(".default.", "."): value
        for key, value in state.items()
    }


def _known(model: Any, encoder: Any) -> dict[str, Any]:
    # ComfyUI reads a UNet's attention by the names of older diffusers only.
    newer = {
        f"{prefix}{name}": weight
        for name, weight in diffusers_weights(model)
        for prefix in ("", "unet.")
    }
    return newer | known_names(model, encoder)


def _with_prefix(key: str, known: dict[str, Any]) -> str:
    layer = key.rsplit(".lora_", 1)[0].rsplit(".alpha", 1)[0]
    return f"diffusion_model.{key}" if f"diffusion_model.{layer}" in known else key


def _tensors(path: Path, patch: Any) -> dict[str, torch.Tensor]:
    weights: Any = getattr(patch, "weights", None)
    name = getattr(patch, "name", "")
    if name == "lora" and weights[3] is None and weights[5] is None:
        up, down, alpha, _, magnitude, _ = weights
        up = up.float() * (1.0 if alpha is None else alpha / len(down))
        tensors = {_DOWN: down.float(), _UP: up, _ALPHA: torch.tensor(float(len(down)))}
        return tensors | ({} if magnitude is None else {"dora_scale": magnitude.float()})
    suffixes = {"lokr": _LOKR, "loha": _LOHA}.get(name)
    if suffixes is None or any(extra is not None for extra in weights[len(suffixes) :]):
        raise FacetError(
            f"{path.name} holds more than training can continue from, such as whole weights or "
            "tucker factors; continue from a LoRA, LoKr, LoHa or DoRA file."
        )
    given = zip(suffixes, weights, strict=False)
    return {suffix: torch.as_tensor(value).float() for suffix, value in given if value is not None}


def _joined(parts: list[tuple[int, dict[str, torch.Tensor]]], rows: int) -> dict[str, torch.Tensor]:
    """One layer's tensors from those of parts of its rows: (first row, tensors) of each."""
    if len(parts) == 1 and parts[0][0] == 0:
        tensors = parts[0][1]
        if _UP not in tensors or len(tensors[_UP]) == rows:
            return tensors
    parts = sorted(parts, key=lambda part: part[0])
    downs = [tensors[_DOWN] for _, tensors in parts]
    shared = all(torch.equal(downs[0], down) for down in downs)
    rank = len(downs[0]) if shared else sum(map(len, downs))
    up = torch.zeros(rows, rank)
    column = 0
    for row, tensors in parts:
        block = tensors[_UP]
        up[row : row + len(block), column : column + block.shape[1]] = block
        column += 0 if shared else block.shape[1]
    down = downs[0] if shared else torch.cat(downs)
    return {_DOWN: down, _UP: up, _ALPHA: torch.tensor(float(rank))}


def _layer(model: Any, encoder: Any, module: str) -> Any:
    if module.startswith(TEXT_ENCODERS):
        return encoder.get_submodule(module.removeprefix(TEXT_ENCODERS))
    return model.diffusion_model.get_submodule(module)


def _rows(layer: Any) -> int:
    base = layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer
    return int(getattr(base, "out_features", None) or base.out_channels)


def _give(path: Path, adapter: Adapter, given: LayerTensors) -> None:
    values = adapter.parameters()
    wanted, held = set(values), set(given) - {_ALPHA}
    if wanted != held:
        raise FacetError(
            f"{path.name} is of another kind than the adapter chosen: it has "
            f"{', '.join(sorted(held))} for {adapter.module}, where {', '.join(sorted(wanted))} "
            "are trained. Choose the adapter that made the file."
        )
    scale = 1.0
    if adapter.alpha and _ALPHA in given:
        scale = float(given[_ALPHA]) / adapter.alpha
    with torch.no_grad():
        if _UP in values:
            _give_lora(path, adapter, given)
            return
        for number, (name, value) in enumerate(values.items()):
            if value.shape != given[name].shape:
                raise FacetError(
                    f"{path.name} has {name} as {tuple(given[name].shape)} for {adapter.module}, "
                    f"where {tuple(value.shape)} is trained; choose the rank that made the file."
                )
            value.copy_(given[name] * (scale if number == 0 else 1.0))


def _give_lora(path: Path, adapter: Adapter, given: LayerTensors) -> None:
    down, up = given[_DOWN], given[_UP]
    values = adapter.parameters()
    rank, room = len(down), len(values[_DOWN])
    if rank > room:
        raise FacetError(
            f"{path.name} has rank {rank} for {adapter.module}, which does not fit into rank "
            f"{room}; set rank to {rank} or more."
        )
    if (down[0].numel(), len(up)) != (values[_DOWN][0].numel(), len(values[_UP])):
        raise FacetError(
            f"{path.name} is made for a layer of {down[0].numel()} by {len(up)} where "
            f"{adapter.module} has {values[_DOWN][0].numel()} by {len(values[_UP])}; it belongs "
            "to another model."
        )
    own = (adapter.alpha or room) / room
    values[_DOWN][:rank].copy_(down.view_as(values[_DOWN][:rank]))
    values[_UP].zero_()
    values[_UP][:, :rank].copy_((up / own).view_as(values[_UP][:, :rank]))
    if "dora_scale" in values:
        values["dora_scale"].copy_(given["dora_scale"].view_as(values["dora_scale"]))
