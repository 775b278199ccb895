"""Low-rank adapters inside the user's own model, and the model handed back as it was."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

ADAPTER = "facet"

# Layers that set the scale of everything after them, or turn a size, a time or a prompt into
# numbers: adapting them changes every picture, not the character.
_NOT_ADAPTED = re.compile(
    r"(^|[._])(\w*mod\w*|\w*norm\w*|\w*embed\w*|time\w*|\w*in_layers|emb_layers|router|gate_logits"
    r"|final_layer|proj_in|proj_out)([._]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Adapter:
    """One adapted layer: ``down`` (rank, in) and ``up`` (out, rank), float32, both trained."""

    module: str
    down: torch.nn.Parameter
    up: torch.nn.Parameter


def target_modules(diffusion_model: torch.nn.Module) -> tuple[str, ...]:
    """Names of the layers to adapt: attention and feed-forward of every transformer block.

    Raises ValueError when the model has none.
    """
    names = tuple(
        name
        for name, module in diffusion_model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and re.search(r"\.\d+\.", name)
        and not _NOT_ADAPTED.search(name)
    )
    if not names:
        raise ValueError(
            f"{type(diffusion_model).__name__} has no transformer blocks to adapt; "
            "train with a diffusion model that has."
        )
    return names


def transformer_blocks(
    diffusion_model: torch.nn.Module, targets: tuple[str, ...]
) -> list[torch.nn.Module]:
    """The block around each target, innermost, in order and each once: what to checkpoint."""
    modules = dict(diffusion_model.named_modules())
    blocks: dict[str, torch.nn.Module] = {}
    for target in targets:
        parts = target.split(".")
        for end in range(len(parts) - 1, 0, -1):
            if isinstance(modules[".".join(parts[: end - 1])], torch.nn.ModuleList):
                name = ".".join(parts[:end])
                blocks[name] = modules[name]
                break
    return list(blocks.values())


@contextlib.contextmanager
def adapters(
    diffusion_model: torch.nn.Module,
    targets: tuple[str, ...],
    rank: int,
    seed: int,
    device: torch.device | None = None,
) -> Iterator[list[Adapter]]:
    """The adapters of ``targets`` on ``device``, in place for the length of the ``with``.

    Alpha is the rank, so that strength 1 is what was trained. ``down`` starts Kaiming-uniform
    from ``seed`` and ``up`` at zero (Hu et al. 2021, section 4.1). Afterwards the model has its
    own layers back, also when an error or a cancel ends the ``with``. Raises
    ModuleNotFoundError without peft.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise ModuleNotFoundError(
            "training needs the package peft, which cannot be imported here; install it with "
            "'pip install peft' in ComfyUI's Python environment."
        ) from error

    originals = {name: diffusion_model.get_submodule(name) for name in targets}
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=list(targets))
    try:
        # peft draws its own start from the global generator, which is ComfyUI's to use.
        with torch.random.fork_rng(devices=[]):
            inject_adapter_in_model(config, diffusion_model, adapter_name=ADAPTER)
        yield _initialised(diffusion_model, targets, seed, device)
    finally:
        for name, original in originals.items():
            parent, _, child = name.rpartition(".")
            setattr(diffusion_model.get_submodule(parent), child, original)
        for attribute in ("peft_config", "peft_type"):
            vars(diffusion_model).pop(attribute, None)


def _initialised(
    diffusion_model: torch.nn.Module,
    targets: tuple[str, ...],
    seed: int,
    device: torch.device | None,
) -> list[Adapter]:
    generator = torch.Generator().manual_seed(seed % 2**63)
    made = []
    for name in targets:
        layer: Any = diffusion_model.get_submodule(name)
        down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
        bound = 1 / math.sqrt(down.shape[1])
        start = torch.empty(down.shape).uniform_(-bound, bound, generator=generator)
        # peft follows the layer's device and dtype, which may be those of an offloaded model.
        down.data = start.to(device)
        up.data = torch.zeros(up.shape, device=device)
        made.append(Adapter(name, down, up))
    return made
