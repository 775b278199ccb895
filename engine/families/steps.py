"""How many steps a LoRA of a character takes: both rules side by side, for they differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepRule:
    """So many steps for each image, within bounds."""

    per_image: int
    fewest: int
    most: int

    def steps(self, images: int) -> int:
        """The number of steps for so many images."""
        return min(max(self.per_image * images, self.fewest), self.most)


FACET = StepRule(per_image=100, fewest=800, most=2500)
"""Facet's own trainer: shifted towards noise, where identity is decided, and at full scale, a small
dataset is learned in 800 steps; checkpoints are measured, so that the best is kept."""

OTHER_TRAINERS = StepRule(per_image=50, fewest=1500, most=2500)
"""What guides to character LoRAs advise for kohya, ai-toolkit and OneTrainer: exported recipes have
an alpha of half the rank, so each step changes half as much, and a small dataset needs more."""
