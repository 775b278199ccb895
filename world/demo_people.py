"""Draws the 48 held-out people that ship with the pack.

python facet.py world demo_people
"""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image

from .identity import HELD_OUT_FROM, Identity
from .render import render
from .scene import Scene

FOLDER = Path(__file__).resolve().parents[1] / "engine" / "demo" / "people"
COUNT = 48
FIRST = HELD_OUT_FROM + 5000
"""Demo person 0. Held-out figures are measured on other people, from HELD_OUT_FROM on."""


def demo_scene(index: int) -> Scene:
    """How demo person `index` is shown: from the front, in daylight."""
    rng = random.Random(f"demo {index}")
    return Scene.sample(
        rng,
        view="front",
        framing="close_up" if index % 3 else "medium",
        pose="standing",
        expression="smile" if index % 2 else "neutral",
        lighting="natural",
    )


def main() -> None:
    """Draw them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for index in range(COUNT):
        picture = render(Identity.from_seed(FIRST + index), demo_scene(index), 128)
        Image.fromarray(picture.image).save(FOLDER / f"{index:02d}.png", optimize=True)
