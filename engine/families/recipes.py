"""How many steps a LoRA takes, and what other trainers are told whatever the family."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..core.character import Character
from . import table
from .family import Family

RANK, ALPHA, LEARNING_RATE = 32, 16, 1e-4


@dataclass(frozen=True)
class StepRule:
    """So many steps for each image, within bounds."""

    per_image: int
    fewest: int
    most: int

    def steps(self, images: int) -> int:
        return min(max(self.per_image * images, self.fewest), self.most)


FACET = StepRule(per_image=100, fewest=800, most=2500)
"""Facet's own trainer: shifted towards noise, where identity is decided, and at full scale, a small
dataset is learned in 800 steps; checkpoints are measured, so that the best is kept."""

OTHER_TRAINERS = StepRule(per_image=50, fewest=1500, most=2500)
"""What guides to character LoRAs advise for kohya, ai-toolkit and OneTrainer: exported recipes have
an alpha of half the rank, so each step changes half as much, and a small dataset needs more."""


def exported() -> list[Family]:
    """The families that other trainers are told to train, in the order of the nodes' choice."""
    return [family for family in table.FAMILIES if family.recipes]


def steps(character: Character) -> int:
    """How many steps another trainer is told to take."""
    return OTHER_TRAINERS.steps(len(character.dataset))


def lora_name(character: Character) -> str:
    """What a LoRA of the character is called: plain letters that every shell takes as they are."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", character.trigger)[:40].strip("_-")
    return f"{plain or 'character'}_lora"
