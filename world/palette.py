"""Colour tables and colour arithmetic of the demo world."""

from __future__ import annotations

import random

Colour = tuple[int, int, int]

SKIN: dict[str, Colour] = {
    "pale": (255, 228, 210),
    "fair": (246, 204, 172),
    "tan": (219, 165, 118),
    "brown": (160, 105, 68),
    "dark": (104, 67, 48),
    "green": (155, 206, 138),
    "blue": (150, 184, 234),
}
HAIR: dict[str, Colour] = {
    "black": (44, 39, 50),
    "brown": (112, 70, 44),
    "blonde": (243, 209, 112),
    "red": (200, 80, 42),
    "white": (236, 236, 243),
    "pink": (246, 146, 186),
    "blue": (68, 112, 222),
    "green": (66, 168, 100),
    "purple": (136, 82, 190),
}
EYES: dict[str, Colour] = {
    "brown": (116, 68, 38),
    "blue": (46, 118, 226),
    "green": (44, 160, 82),
    "amber": (232, 158, 34),
    "red": (212, 44, 52),
}
COLOURS: dict[str, Colour] = {
    "red": (218, 58, 60),
    "orange": (244, 146, 54),
    "yellow": (250, 217, 80),
    "green": (74, 170, 92),
    "teal": (46, 172, 172),
    "blue": (64, 112, 216),
    "purple": (140, 86, 192),
    "pink": (248, 160, 196),
    "white": (246, 245, 242),
    "grey": (146, 150, 160),
    "black": (50, 49, 58),
    "brown": (134, 92, 62),
}
WHITE: Colour = (255, 255, 255)
INK: Colour = (58, 36, 44)


def mix(a: Colour, b: Colour, amount: float) -> Colour:
    """Colour `amount` of the way from `a` to `b`."""
    return tuple(round(x + (y - x) * amount) for x, y in zip(a, b))  # type: ignore[return-value]


def shade(colour: Colour, amount: float = 0.22) -> Colour:
    """The colour in shadow: darker and a little cooler."""
    return mix(colour, (46, 26, 74), amount)


def tint(colour: Colour, amount: float = 0.3) -> Colour:
    """The colour in light: towards a warm white."""
    return mix(colour, (255, 250, 240), amount)


def jitter(colour: Colour, rng: random.Random, amount: float) -> Colour:
    """The colour with each channel moved by at most `amount` of 255."""
    moved = (round(c + rng.uniform(-amount, amount)) for c in colour)
    return tuple(min(255, max(0, c)) for c in moved)  # type: ignore[return-value]
