"""The optimizers that a training can be given, from the libraries that keep them, and their rates.

Those that PyTorch or ComfyUI do not bring are imported when they are chosen, and only then.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

import torch

from ...core.errors import FacetError
from ..settings import OPTIMIZERS, TrainingSettings

ADAMW, ADAMW_FUSED, ADAMW_8BIT, ADAFACTOR, PRODIGY, LION = OPTIMIZERS

_BETAS = (0.9, 0.99)
_ELSEWHERE: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    ADAMW_8BIT: ("bitsandbytes.optim", "AdamW8bit", "bitsandbytes", {"betas": _BETAS}),
    # Its own schedule follows the weights' size, and half of ours start at zero.
    ADAFACTOR: (
        "transformers.optimization",
        "Adafactor",
        "transformers",
        {"scale_parameter": False, "relative_step": False},
    ),
    # As its authors have it for diffusion models: safe beside a rate that rises at first.
    PRODIGY: (
        "pytorch_optimizer",
        "Prodigy",
        "pytorch-optimizer",
        {"betas": _BETAS, "bias_correction": True, "safeguard_warmup": True},
    ),
    LION: ("pytorch_optimizer", "Lion", "pytorch-optimizer", {"betas": _BETAS}),
}
"""Optimizers of other packages: module, class, package, and how they are made."""


def make(
    parameters: Sequence[torch.nn.Parameter],
    settings: TrainingSettings,
    text_encoder: Sequence[torch.nn.Parameter] = (),
) -> torch.optim.Optimizer:
    """The optimizer that ``settings`` name, over ``parameters`` and those of the text encoder.

    The latter are a group of their own, with a rate of their own. ``set_learning_rate`` has to be
    called before each step. Some keep tensors in their groups and not only in their state. Raises
    ModuleNotFoundError when a library is missing, and ValueError where the parameters' device has
    no such optimizer.
    """
    weights = [{"params": list(part)} for part in (parameters, text_encoder) if part]
    device = weights[0]["params"][0].device
    decay = settings.weight_decay
    # What it is made with is overwritten before the first step.
    rate = learning_rate_at(settings, 0)
    name = settings.optimizer
    if name in _ELSEWHERE:
        module, kind, package, more = _ELSEWHERE[name]
        made = _from(module, kind, name, package)
        return made(weights, lr=rate, weight_decay=decay, **more)
    fused = device.type in ("cpu", "cuda")
    if name == ADAMW_FUSED and not fused:
        raise FacetError(
            f"The optimizer {name!r} has no kernel for the device {device.type!r}; "
            f"choose {ADAMW!r}."
        )
    return torch.optim.AdamW(weights, lr=rate, betas=_BETAS, weight_decay=decay, fused=fused)


def set_learning_rate(
    optimizer: torch.optim.Optimizer, settings: TrainingSettings, step: int
) -> None:
    """Gives each group its learning rate of step ``step``, counted from 0."""
    given = (settings.learning_rate, settings.text_encoder_rate)
    for group, rate in zip(optimizer.param_groups, given, strict=False):
        group["lr"] = learning_rate_at(settings, step, rate)


def learning_rate_at(settings: TrainingSettings, step: int, full: float | None = None) -> float:
    """The learning rate of step ``step``, counted from 0; ``full``: another than the model's.

    Prodigy finds the rate itself, one for all, and takes a factor of it, which starts from 1.
    """
    full = settings.learning_rate if full is None else full
    return schedule_at(settings, step) * (1.0 if settings.optimizer == PRODIGY else full)


def schedule_at(settings: TrainingSettings, step: int) -> float:
    """The share of the full learning rate that step ``step``, counted from 0, goes at."""
    warmup = round(settings.warmup * settings.steps)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(settings.steps - warmup, 1)
    factor = {
        "cosine": 0.5 * (1 + math.cos(math.pi * done)),
        "linear": 1 - done,
        "constant": 1.0,
        "cosine with restarts": 0.5 * (1 + math.cos(math.pi * (done * settings.restarts % 1))),
    }
    return factor[settings.schedule]


def _from(module: str, kind: str, name: str, package: str) -> Any:
    try:
        return getattr(importlib.import_module(module), kind)
    except (ImportError, AttributeError) as error:
        raise ModuleNotFoundError(
            f"The optimizer {name!r} comes from the package {package}, which cannot be imported "
            f"here; install it with 'pip install -U {package}' in ComfyUI's Python environment, "
            f"or choose {ADAMW!r}."
        ) from error
