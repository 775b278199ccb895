"""The frozen weights in eight bits for the length of a training."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch

from .exact import Changes
from .frozen import cast_weight, is_linear, is_of_comfyui

_FP8 = torch.float8_e4m3fn
_LARGEST = torch.finfo(_FP8).max
_WIDE = (torch.float32, torch.float16, torch.bfloat16)

# Below this a layer's eight bits save nothing worth a rounding.
_FEWEST_VALUES = 1 << 14


@contextlib.contextmanager
def kept_in_fp8(
    diffusion_model: torch.nn.Module, device: torch.device, room: int | None = None
) -> Iterator[None]:
    """Has the wide linear layers keep float8 (e4m3) copies of their weights, a scale to each row.

    As many as fit into ``room`` bytes lie on ``device`` (all where it is None), and the others on
    the CPU, from where ComfyUI streams them. What ComfyUI makes of a weight on the way, such as
    a LoRA under it, is in the copy. Afterwards every layer has its own weight back, bit for bit.
    """
    changed = Changes()
    streamed = []
    try:
        with torch.inference_mode(False), torch.no_grad():
            for module in diffusion_model.modules():
                if not _can_be_kept(module):
                    continue
                values, scale = _in_fp8(module, device)
                if room is not None:
                    room -= values.numel()
                    if room < 0:
                        values = values.cpu()
                parameter = torch.nn.Parameter(values, requires_grad=False)
                changed.set(module._parameters, "weight", parameter)
                function = functools.partial(_scaled, scale)
                changed.set(module.__dict__, "weight_function", [function])
                # ComfyUI's dynamic loading would stream the weight that it knows.
                if "_v" in module.__dict__:
                    streamed.append((module, module.__dict__.pop("_v")))
        yield
    finally:
        for module, known in streamed:
            module.__dict__["_v"] = known
        changed.undo()


def _can_be_kept(module: torch.nn.Module) -> bool:
    if not (is_linear(module) and is_of_comfyui(module)):
        return False
    weight = module.weight
    plain = type(weight) in (torch.Tensor, torch.nn.Parameter) and isinstance(weight, torch.Tensor)
    return plain and weight.dtype in _WIDE and weight.numel() >= _FEWEST_VALUES


def _in_fp8(layer: Any, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    with cast_weight(layer, torch.float32, device) as weight:
        scale = weight.abs().amax(1, keepdim=True).clamp_min(1e-12) / _LARGEST
        return (weight / scale).to(_FP8), scale


def _scaled(scale: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return weight * scale.to(weight)
