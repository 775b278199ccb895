"""What other trainers are told of every character, whatever the family of the model."""

from __future__ import annotations

import re

from ..core.character import Character
from .family import Family
from .table import FAMILIES

RANK, ALPHA, LEARNING_RATE = 32, 16, 1e-4
STEPS_A_PICTURE, FEWEST_STEPS, MOST_STEPS = 50, 1500, 2500


def exported() -> list[Family]:
    """The families that other trainers are told to train, in the order of the nodes' choice."""
    return [family for family in FAMILIES if family.recipes]


def steps(character: Character) -> int:
    """50 steps for each picture, between 1500 and 2500: what guides to character LoRAs advise."""
    return min(MOST_STEPS, max(FEWEST_STEPS, STEPS_A_PICTURE * len(character.dataset)))


def lora_name(character: Character) -> str:
    """What a LoRA of the character is called: plain letters that every shell takes as they are."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", character.trigger)[:40].strip("_-")
    return f"{plain or 'character'}_lora"
