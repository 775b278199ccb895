"""Which layers of a model are trained, by preset and by pattern, and the blocks around them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

import torch

from ...core.errors import FacetError
from ...families.family import USUAL_LAYERS, Layers
from ..settings import TARGETS
from .frozen import is_linear

ALL, ATTENTION, ATTENTION_AND_MLP, WITH_CONVOLUTIONS = TARGETS


def target_modules(
    diffusion_model: torch.nn.Module,
    targets: str = ALL,
    pattern: str = "",
    layers: Layers = USUAL_LAYERS,
) -> tuple[str, ...]:
    """Names of the layers to adapt, in the model's order.

    ``targets`` is one of ``settings.TARGETS``. ``pattern`` has globs over the names of linear
    layers and convolutions, separated by commas: what one of them matches is taken in place of
    the preset, and what one with "-" in front matches is left out. ``layers``: those of the family.
    Raises FacetError when nothing is left, or when a glob matches nothing.
    """
    kind = type(diffusion_model).__name__
    known = tuple(_adaptable(diffusion_model))
    preset = tuple(_preset(diffusion_model, targets, layers))
    if not preset and not pattern.strip():
        raise FacetError(
            f"{kind} has no transformer blocks to adapt; train with a diffusion model that has."
            if targets == ALL
            else f"{kind} has no layer of the targets {targets!r}; take {ALL!r}."
        )
    globs = [part.strip() for part in pattern.split(",") if part.strip()]
    for glob in globs:
        if not _matching(known, [glob.removeprefix("-").strip()]):
            raise FacetError(
                f"target_pattern names {glob!r}, which matches no layer of {kind}; its layers "
                f"have names such as {(preset or known or ('none',))[0]}."
            )
    taken = [glob for glob in globs if not glob.startswith("-")]
    left_out = _matching(known, [glob[1:].strip() for glob in globs if glob.startswith("-")])
    chosen = _matching(known, taken) if taken else set(preset)
    names = tuple(name for name in known if name in chosen - left_out)
    if not names:
        raise FacetError(
            f"target_pattern {pattern!r} leaves no layer of {kind} to train; exclude fewer."
        )
    return names


def transformer_blocks(
    diffusion_model: torch.nn.Module, targets: tuple[str, ...], layers: Layers = USUAL_LAYERS
) -> list[torch.nn.Module]:
    """The block around each target, in order and each once: what to checkpoint."""
    modules = dict(diffusion_model.named_modules())
    usual = {_block_of(name, modules): None for name in _preset(diffusion_model, ALL, layers)}
    # Some layers stand in a list of their own inside the block.
    blocks = [name for name in usual if not any(_within(name, other) for other in usual)]
    for name in {_block_of(target, modules): None for target in targets}:
        # What stands between the blocks, such as a UNet's projections, is none.
        if not any(name == one or _within(name, one) or _within(one, name) for one in blocks):
            blocks.append(name)
    return [modules[name] for name in blocks if name and any(_within(one, name) for one in targets)]


def _within(name: str, other: str) -> bool:
    return bool(other) and name.startswith(f"{other}.")


def _adaptable(diffusion_model: torch.nn.Module) -> Iterable[str]:
    for name, module in diffusion_model.named_modules():
        if is_linear(module) or _is_plain_convolution(module):
            yield name


def _preset(diffusion_model: torch.nn.Module, targets: str, layers: Layers) -> Iterable[str]:
    kinds = {
        ATTENTION: (layers.attention,),
        ATTENTION_AND_MLP: (layers.attention, layers.mlp),
    }.get(targets)
    for name, module in diffusion_model.named_modules():
        if not re.search(r"\.\d+\.", name):
            continue
        if is_linear(module):
            wanted = kinds is None or any(kind.search(f".{name}.") for kind in kinds)
            if wanted and not layers.left_out.search(name):
                yield name
        elif (
            targets == WITH_CONVOLUTIONS
            and _is_plain_convolution(module)
            # The first and the last one turn latents into features and back.
            and not name.startswith(("input_blocks.0.", "out."))
        ):
            yield name


def _is_plain_convolution(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.Conv2d) and module.groups == 1


def _matching(names: Iterable[str], globs: list[str]) -> set[str]:
    return {name for name in names if any(fnmatchcase(name, glob) for glob in globs)}


def _block_of(target: str, modules: dict[str, torch.nn.Module]) -> str:
    parts = target.split(".")
    for end in range(len(parts) - 1, 0, -1):
        if isinstance(modules[".".join(parts[: end - 1])], torch.nn.ModuleList):
            name = ".".join(parts[:end])
            if isinstance(modules[name], torch.nn.Sequential) and end + 1 < len(parts):
                # A UNet runs the layers of such a list one by one.
                name = ".".join(parts[: end + 1])
            return name
    return ""
