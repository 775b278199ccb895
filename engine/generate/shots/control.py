"""A ControlNet on a shot's conditioning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ...comfyui.fingerprint import control_fingerprint
from ...comfyui.sampling import Conditioning
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

    def key_values(self) -> dict[str, object]:
        """What tells it from another, the same in the next process; see ``store.keys``."""
        return {
            "net": control_fingerprint(self.control_net),
            "hint": picture_hash(self.hint),
            "strength": self.strength,
            "start": self.start,
            "end": self.end,
        }
