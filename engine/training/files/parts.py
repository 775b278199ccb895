"""Layers that a LoRA file has in parts, such as q, k and v apart, joined where that is exact."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...core.errors import FacetError
from .formats import LayerTensors

DOWN, UP, ALPHA = "lora_down.weight", "lora_up.weight", "alpha"
LOHA = ("hada_w1_a", "hada_w1_b", ALPHA, "hada_w2_a", "hada_w2_b")

_PLAIN = {DOWN, UP, ALPHA}


def rank_of(tensors: LayerTensors) -> int:
    """The rank that ComfyUI divides an adapter's alpha by; 0 where it does not."""
    factors = (DOWN, "hada_w1_b", "lokr_w2_b", "lokr_w1_b")
    return next((len(tensors[name]) for name in factors if name in tensors), 0)


@dataclass(frozen=True, eq=False)
class LayerPart:
    """A file's adapter of ``rows`` of a layer's rows, from ``row`` on.

    ordered: whether they stand as the layer has them.
    """

    row: int
    rows: int
    tensors: dict[str, torch.Tensor]
    ordered: bool = True

    @property
    def plain(self) -> bool:
        return set(self.tensors) == _PLAIN

    @property
    def kind(self) -> str:
        if "dora_scale" in self.tensors:
            return "DoRA"
        return "LoKr" if any(name.startswith("lokr_") for name in self.tensors) else "LoHa"


def part_of(target: Any, rows: int, tensors: dict[str, torch.Tensor]) -> LayerPart:
    """What ``tensors`` are of the layer that ``target`` means, one of ComfyUI's names."""
    if isinstance(target, str):
        return LayerPart(0, rows, tensors)
    _, place, *order = target
    part = LayerPart(place[1] if place else 0, rows, tensors, not order)
    if order and part.plain:
        # ComfyUI orders the rows of the change, which are those of up.
        return LayerPart(part.row, rows, {**tensors, UP: order[0](tensors[UP])})
    return part


def joined(path: Path, module: str, parts: list[LayerPart], rows: int) -> dict[str, torch.Tensor]:
    """One layer's tensors from those of parts of its rows, where that is exact.

    A product of two matrices can be joined, and so can LoHa's product of two such products; LoKr's
    of blocks, and DoRA's norms over all rows, cannot.
    """
    if len(parts) == 1 and parts[0].rows == rows and parts[0].ordered:
        return parts[0].tensors
    parts = sorted(parts, key=lambda part: part.row)
    if all(part.plain for part in parts):
        return _joined_lora(parts, rows)
    ends = [part.row + part.rows for part in parts]
    whole = [part.row for part in parts] == [0, *ends[:-1]] and ends[-1] == rows
    if whole and all(part.ordered and set(part.tensors) == set(LOHA) for part in parts):
        return _joined_loha(parts)
    kind = next(part.kind for part in parts if not part.plain)
    raise FacetError(
        f"{path.name} has {module} in parts, such as q, k and v, and of {kind} these cannot be "
        "joined exactly; continue from a plain LoRA, or from a file that has the layer whole."
    )


def _joined_lora(parts: list[LayerPart], rows: int) -> dict[str, torch.Tensor]:
    downs = [part.tensors[DOWN] for part in parts]
    shared = all(torch.equal(downs[0], down) for down in downs)
    rank = len(downs[0]) if shared else sum(map(len, downs))
    up = torch.zeros(rows, rank)
    column = 0
    for part in parts:
        block = part.tensors[UP]
        up[part.row : part.row + len(block), column : column + block.shape[1]] += block
        column += 0 if shared else block.shape[1]
    down = downs[0] if shared else torch.cat(downs)
    return {DOWN: down, UP: up, ALPHA: torch.tensor(float(rank))}


def _joined_loha(parts: list[LayerPart]) -> dict[str, torch.Tensor]:
    given = [part.tensors for part in parts]
    scales = [float(one[ALPHA]) / rank_of(one) for one in given]
    scaled = [one["hada_w1_a"] * scale for one, scale in zip(given, scales, strict=True)]
    joined = {
        "hada_w1_a": torch.block_diag(*scaled),
        "hada_w1_b": torch.cat([one["hada_w1_b"] for one in given]),
        "hada_w2_a": torch.block_diag(*[one["hada_w2_a"] for one in given]),
        "hada_w2_b": torch.cat([one["hada_w2_b"] for one in given]),
    }
    return {**joined, ALPHA: torch.tensor(float(rank_of(joined)))}
