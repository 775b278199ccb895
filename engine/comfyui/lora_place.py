"""Where the weights of a LoRA go in a model: by ComfyUI's own key maps and adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..core.errors import FacetError
from .internals import internal
from .lora_names import LoraWeights, newer_names, spelled

_OF_DIFFUSION = re.compile(
    r"lora_unet|lora_transformer|lycoris|(unet|transformer|diffusion_model)\."
)


def converted(weights: LoraWeights) -> LoraWeights:
    """``weights`` under the names by which ComfyUI reads them, whatever the model."""
    renamed: LoraWeights = internal("convert_lora")(weights)
    return renamed


class _Fetched(dict[str, torch.Tensor]):
    """A LoRA that notes which of its weights are taken out of it."""

    def __init__(self, weights: LoraWeights) -> None:
        super().__init__(weights)
        self.taken: set[str] = set()

    def __getitem__(self, key: str) -> torch.Tensor:
        self.taken.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401


def patches_of(weights: LoraWeights, names: Mapping[str, Any]) -> tuple[dict[Any, Any], list[str]]:
    """What ComfyUI patches with ``weights``, and those of their names that it does not read.

    names: ComfyUI's keys of the layers that may be patched, as ``model_lora_keys_unet`` has them.
    Raises FacetError when a layer lacks a part of its adapter.
    """
    import comfy.lora

    fetched = _Fetched(weights)
    try:
        patches: dict[Any, Any] = comfy.lora.load_lora(fetched, dict(names), log_missing=False)
    except KeyError as error:
        raise FacetError(
            f"The LoRA lacks {error}, without which the rest of that layer is of no use; it is "
            "damaged, choose another."
        ) from error
    except RuntimeError as error:
        raise FacetError(
            f"ComfyUI cannot read the LoRA ({error}); it is damaged, choose another."
        ) from error
    return patches, sorted(set(weights) - fetched.taken)


@dataclass(frozen=True, eq=False)
class PlacedLora:
    """A LoRA as a model and its text encoder take it.

    patches: ComfyUI's, by the weights that they change. strays: the names of its ``count`` weights
    that have no place there.
    """

    patches: Mapping[Any, Any]
    strays: tuple[str, ...]
    count: int

    @property
    def note(self) -> str:
        """What of it is left out, as a sentence; '' where all of it has its place."""
        if not self.strays:
            return ""
        return (
            f"{len(self.strays)} of the LoRA's {self.count} weights "
            f"({len(self.strays) / self.count:.1%}), such as {self.strays[0]}, have no place in "
            "this model, as in ComfyUI itself, and are left out."
        )


def place(model: Any, clip: Any, lora: LoraWeights) -> PlacedLora:
    """Where the weights of ``lora`` go in ``model`` and ``clip``.

    Raises FacetError when none of those for the diffusion model has a place, or one has another
    shape: ComfyUI itself would only log that and sample without it.
    """
    import comfy.lora

    weights = {**model.model_state_dict(), **clip.cond_stage_model.state_dict()}
    names = newer_names(model.model) | comfy.lora.model_lora_keys_unet(model.model, {})
    names = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, names)
    names = {name: target for name, target in names.items() if _weight_of(target) in weights}
    renamed = spelled(converted(lora), names)
    patches, strays = patches_of(renamed, names)
    in_model = any(_weight_of(target).startswith("diffusion_model.") for target in patches)
    if not patches or (not in_model and any(map(_OF_DIFFUSION.match, strays))):
        example = f", such as {strays[0]!r}," if strays else ""
        raise FacetError(
            f"{len(strays)} of the LoRA's {len(renamed)} weights{example} do not belong to "
            "this model; connect the model that it was trained on."
        )
    for target, patch in patches.items():
        key = _weight_of(target)
        if key in weights and not fits(patch, meant(weights[key].shape, target)):
            raise FacetError(
                f"The LoRA's weights for {key!r} have another shape than the model's "
                f"{tuple(weights[key].shape)}; connect the model that it was trained on."
            )
    return PlacedLora(patches, tuple(strays), len(renamed))


def with_lora(model: Any, clip: Any, lora: LoraWeights, strength: float) -> tuple[Any, Any]:
    """Clones of ``model`` and ``clip`` with ``lora`` at ``strength`` on them.

    What has no place in them is left out. Raises FacetError as ``place`` does.
    """
    return put(model, clip, place(model, clip, lora), strength)


def put(model: Any, clip: Any, placed: PlacedLora, strength: float) -> tuple[Any, Any]:
    """Clones of ``model`` and ``clip`` with ``placed``, which was placed in them, on them.

    A CLIP of which nothing is patched is handed back as it is, so that what it has encoded holds.
    """
    patched, read = model.clone(), clip.clone()
    patched.add_patches(placed.patches, strength)
    return patched, read if read.add_patches(placed.patches, strength) else clip


def _weight_of(target: Any) -> str:
    return target if isinstance(target, str) else target[0]


def meant(shape: torch.Size, target: Any) -> torch.Size:
    """The shape of the part that ``target``, of ComfyUI's names, means of a weight of ``shape``."""
    if isinstance(target, str) or target[1] is None:
        return shape
    dimension, _, length = target[1]
    return torch.Size((*shape[:dimension], length, *shape[dimension + 1 :]))


def fits(patch: Any, shape: torch.Size) -> bool:
    """Whether the adapter ``patch`` gives a change for a weight of ``shape``; True for a kind that
    is not known here, and for tucker factors."""
    kind, factors = getattr(patch, "name", ""), list(getattr(patch, "weights", ()))
    try:
        if kind == "lora":
            up, down, _alpha, middle, scale, reshape = factors
            if reshape is not None:
                return True
            # A middle factor holds the kernel.
            wanted = shape[1:2] if middle is not None else shape[1:]
            sized = _product(up, down, shape[0], wanted.numel())
        elif kind == "loha":
            w1_a, w1_b, _alpha, w2_a, w2_b, tucker, _, scale = factors
            columns = shape[1:].numel()
            sized = tucker is not None or (
                _product(w1_a, w1_b, shape[0], columns) and _product(w2_a, w2_b, shape[0], columns)
            )
        elif kind == "lokr":
            w1, w2, _alpha, w1_a, w1_b, w2_a, w2_b, tucker, scale = factors
            first = w1.shape if w1 is not None else (w1_a @ w1_b).shape
            if w2 is None and tucker is not None:
                return True
            second = w2.flatten(1).shape if w2 is not None else (w2_a @ w2_b.flatten(1)).shape
            sized = (first[0] * second[0], first[1] * second[1]) == (shape[0], shape[1:].numel())
        else:
            return True
    except (AttributeError, IndexError, RuntimeError, TypeError):
        # A factor is not there, or is no matrix.
        return False
    return sized and (scale is None or scale.numel() in (shape[0], *shape[1:2]))


def _product(left: torch.Tensor, right: torch.Tensor, rows: int, columns: int) -> bool:
    """Whether ``left`` times ``right`` is (rows, columns)."""
    left, right = left.flatten(1), right.flatten(1)
    return left.shape[1] == len(right) and (len(left), right.shape[1]) == (rows, columns)
