"""How other trainers are told to train each family of models: the table in recipes.json, read."""

from __future__ import annotations

import json
import re
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from ..core.character import Character
from .steps import OTHER_TRAINERS

RANK, ALPHA, LEARNING_RATE = 32, 16, 1e-4


class Family(str, Enum):
    """The models that other trainers are told to train."""

    FLUX = "flux"
    SDXL = "sdxl"
    SD15 = "sd15"
    CHROMA = "chroma"
    QWEN_IMAGE = "qwen_image"
    Z_IMAGE = "z_image"
    FLUX2 = "flux2"

    @property
    def label(self) -> str:
        """The family as people call it."""
        return str(_recipes()[self.value]["label"])

    @property
    def side(self) -> int:
        """The side of the square that it was trained at, in pixels."""
        return int(_recipes()[self.value]["side"])

    def recipe(self, trainer: str) -> dict[str, Any] | None:
        """What ``trainer`` (sd_scripts, ai_toolkit, onetrainer) is told; None if it cannot."""
        return _recipes()[self.value].get(trainer)


def steps(character: Character) -> int:
    """How many steps another trainer is told to take."""
    return OTHER_TRAINERS.steps(len(character.dataset))


def lora_name(character: Character) -> str:
    """What a LoRA of the character is called: plain letters that every shell takes as they are."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", character.trigger)[:40].strip("_-")
    return f"{plain or 'character'}_lora"


@cache
def _recipes() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(
        Path(__file__).with_name("recipes.json").read_text("utf-8")
    )
    return found
