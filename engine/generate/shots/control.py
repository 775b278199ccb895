"""A ControlNet on a shot's conditioning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from ...comfyui.sampling import Conditioning, weights_fingerprint
from ...core.character import picture_hash


@dataclass(frozen=True, eq=False)
class Control:
    """A CONTROL_NET and its picture (H, W, 3), of the size that is made.

    strength: 0 leaves it out. start, end: shares of the sampling between which it holds.
    """

    control_net: Any
    hint: torch.Tensor
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def apply(
        self, positive: Conditioning, negative: Conditioning, vae: Any
    ) -> tuple[Conditioning, Conditioning]:
        """Both conditionings with the ControlNet in them, as ComfyUI's own node puts it there."""
        from nodes import ControlNetApplyAdvanced

        controlled: tuple[Conditioning, Conditioning] = ControlNetApplyAdvanced().apply_controlnet(
            positive,
            negative,
            self.control_net,
            self.hint[None],
            self.strength,
            self.start,
            self.end,
            vae=vae,
        )
        return controlled

    @cached_property
    def _described(self) -> str:
        values = (self.strength, self.start, self.end)
        return (
            f"Control({control_fingerprint(self.control_net)}, {picture_hash(self.hint)}, {values})"
        )

    def __repr__(self) -> str:
        # Shots are found again by this, so it has to be the same in the next process.
        return self._described


def control_fingerprint(control_net: Any) -> str:
    """A short hash of a few weights of ``control_net``, and of what was applied before it."""
    names = []
    while control_net is not None:
        weights = weights_fingerprint(_networks(control_net))
        names.append(f"{type(control_net).__name__} {weights}")
        control_net = control_net.previous_controlnet
    return ", ".join(names)


def _networks(control_net: Any) -> Iterator[nn.Module]:
    for value in vars(control_net).values():
        if isinstance(value, nn.Module):
            yield value
        elif isinstance(value, dict):
            # A Control-LoRA holds its weights by name until it is sampled with.
            tensors = {
                str(key).replace(".", "_"): nn.Parameter(one, requires_grad=False)
                for key, one in value.items()
                if isinstance(one, torch.Tensor) and one.is_floating_point()
            }
            if tensors:
                yield nn.ParameterDict(tensors)
