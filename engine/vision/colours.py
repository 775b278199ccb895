"""Colours by their names, and what part of a picture is of one."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

NAMED: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((205, 40, 45), (125, 20, 28)),
    "orange": ((240, 135, 45), (205, 95, 20)),
    "yellow": ((248, 218, 70), (215, 180, 30)),
    "green": ((65, 155, 80), (28, 80, 40), (150, 210, 140)),
    "teal": ((35, 155, 155), (15, 95, 100)),
    "blue": ((55, 100, 205), (25, 38, 95), (145, 190, 235)),
    "purple": ((130, 75, 180), (75, 35, 105), (190, 160, 220)),
    "pink": ((246, 155, 190), (230, 75, 150)),
    "brown": ((125, 82, 52), (75, 48, 32), (165, 120, 80)),
    "black": ((35, 34, 38), (60, 59, 64)),
    "grey": ((140, 142, 148), (85, 86, 90), (190, 192, 196)),
    "white": ((245, 244, 242),),
}
"""Typical sRGB values of the basic colour terms (Berlin and Kay 1969) and teal: full, dark and
light."""
SPELLED = {"gray": "grey", "violet": "purple", "navy": "blue", "turquoise": "teal"}
UNSURE = 9.0
"""So much farther than the nearest name, in CIELAB, another name may be and still be right: people
do not agree on the borders of colours."""
LIGHTNESS = 0.6
"""What lightness counts beside hue and chroma: light and shade move it."""


def to_rgb(image: torch.Tensor) -> torch.Tensor:
    """(H, W, C) with 1, 2, 3 or 4 channels as (H, W, 3); alpha is laid over white."""
    channels = image.shape[-1]
    colour = image[..., :1].expand(*image.shape[:-1], 3) if channels < 3 else image[..., :3]
    if channels in (2, 4):
        alpha = image[..., -1:]
        colour = colour * alpha + (1 - alpha)
    return colour


def to_lab(image: torch.Tensor) -> np.ndarray:
    """``image`` (H, W, 3) in 0..1 as CIELAB (H, W, 3)."""
    from kornia.color import rgb_to_lab

    picture = image.detach().to("cpu", torch.float32).permute(2, 0, 1)[None]
    return rgb_to_lab(picture)[0].permute(1, 2, 0).numpy()


def colour_names(lab: tuple[float, float, float]) -> tuple[str, ...]:
    """What people may call the colour ``lab``, the most fitting name first."""
    away = {
        name: min(float(np.linalg.norm((np.array(lab) - one) * (LIGHTNESS, 1, 1))) for one in known)
        for name, known in _prototypes().items()
    }
    least = min(away.values())
    return tuple(name for name in sorted(away, key=away.__getitem__) if away[name] < least + UNSURE)


def colour_word(word: str) -> str:
    """The name in ``NAMED`` that ``word`` says; '' when it is no colour."""
    word = word.lower()
    return word if word in NAMED else SPELLED.get(word, "")


@cache
def _prototypes() -> dict[str, np.ndarray]:
    return {
        name: to_lab(torch.tensor([values], dtype=torch.float32) / 255)[0]
        for name, values in NAMED.items()
    }
