"""What other trainers are told of every character, whatever the family of the model."""

from __future__ import annotations

import re

from ..core.character import Character
from . import table
from .family import Family
from .steps import OTHER_TRAINERS

RANK, ALPHA, LEARNING_RATE = 32, 16, 1e-4


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
