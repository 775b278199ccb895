"""Draws the background."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw

from .canvas import smooth
from .palette import COLOURS, Colour, jitter, mix, shade, tint
from .scene import Scene


def _gradient(pixels: int, top: Colour, bottom: Colour) -> Image.Image:
    ramp = np.linspace(0, 1, pixels, dtype=np.float32)[:, None, None]
    rows = np.array(top, np.float32) * (1 - ramp) + np.array(bottom, np.float32) * ramp
    return Image.fromarray(np.repeat(rows, pixels, 1).astype(np.uint8))


def _park(draw: ImageDraw.ImageDraw, w: int, rng: random.Random) -> None:
    ground = w * rng.uniform(0.62, 0.68)
    rises = ((0.0, 0.0), (0.3, 0.1), (0.7, 0.02), (1.0, 0.09))
    hill = [(w * x, ground - w * up) for x, up in rises]
    draw.polygon([*smooth(hill, 8, closed=False), (w, w), (0, w)], fill=(124, 196, 104))
    draw.polygon([(0, w * 0.78), (w, w * 0.74), (w, w), (0, w)], fill=(98, 176, 90))
    for x, size in ((rng.uniform(0.06, 0.16), 0.18), (rng.uniform(0.84, 0.94), 0.2)):
        trunk = (w * (x - 0.03), w * 0.42, w * (x + 0.03), ground + w * 0.04)
        draw.rectangle(trunk, fill=(128, 90, 62))
        draw.ellipse((w * (x - size), w * 0.12, w * (x + size), w * 0.5), fill=(66, 150, 78))
        draw.ellipse((w * (x - size), w * 0.12, w * (x + size * 0.5), w * 0.42), fill=(88, 170, 88))


def _room(draw: ImageDraw.ImageDraw, w: int, rng: random.Random) -> None:
    floor = w * rng.uniform(0.76, 0.8)
    draw.rectangle((0, floor, w, w), fill=(166, 118, 82))
    draw.rectangle((0, floor - w * 0.02, w, floor), fill=(250, 242, 228))
    left = rng.uniform(0.05, 0.1)
    draw.rectangle((w * left, w * 0.1, w * (left + 0.26), w * 0.44), fill=(252, 248, 238))
    draw.rectangle((w * (left + 0.02), w * 0.12, w * (left + 0.24), w * 0.42), fill=(158, 210, 244))
    draw.rectangle((w * (left + 0.12), w * 0.12, w * (left + 0.14), w * 0.42), fill=(252, 248, 238))
    draw.rectangle((w * 0.74, w * 0.16, w * 0.92, w * 0.36), fill=(196, 140, 96))
    draw.rectangle((w * 0.76, w * 0.18, w * 0.9, w * 0.34), fill=(244, 196, 128))


def _night(draw: ImageDraw.ImageDraw, w: int, rng: random.Random) -> None:
    draw.ellipse((w * 0.72, w * 0.06, w * 0.9, w * 0.24), fill=(252, 244, 204))
    for _ in range(12):
        x, y, r = rng.uniform(0, w), rng.uniform(0, w * 0.6), w * rng.uniform(0.006, 0.012)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(236, 236, 255))
    ridge = [(0, w * 0.82), (w * 0.3, w * 0.74), (w * 0.65, w * 0.83), (w, w * 0.76)]
    draw.polygon([*smooth(ridge, 8, closed=False), (w, w), (0, w)], fill=(28, 34, 70))


def _beach(draw: ImageDraw.ImageDraw, w: int, rng: random.Random) -> None:
    sea = w * rng.uniform(0.46, 0.52)
    draw.ellipse((w * 0.06, w * 0.06, w * 0.24, w * 0.24), fill=(255, 236, 140))
    draw.rectangle((0, sea, w, w), fill=(62, 158, 214))
    draw.rectangle((0, sea, w, sea + w * 0.05), fill=(48, 138, 202))
    shore = [(0, w * 0.72), (w * 0.35, w * 0.75), (w * 0.7, w * 0.71), (w, w * 0.74)]
    draw.polygon([*smooth(shore, 8, closed=False), (w, w), (0, w)], fill=(232, 248, 250))
    sand = [(x, y + w * 0.03) for x, y in shore]
    draw.polygon([*smooth(sand, 8, closed=False), (w, w), (0, w)], fill=(246, 224, 168))


def _city(draw: ImageDraw.ImageDraw, w: int, rng: random.Random) -> None:
    for i, top in enumerate((0.3, 0.16, 0.42, 0.2, 0.34)):
        left, top = w * i / 5, w * (top + rng.uniform(-0.03, 0.03))
        wall = ((134, 142, 170), (156, 150, 176), (120, 132, 160))[i % 3]
        draw.rectangle((left, top, left + w / 5, w), fill=wall)
        for row in range(3):
            for column in (0.25, 0.62):
                x, y = left + w / 5 * column, top + w * (0.05 + 0.1 * row)
                draw.rectangle((x, y, x + w * 0.035, y + w * 0.045), fill=(255, 232, 160))
    draw.rectangle((0, w * 0.86, w, w), fill=(104, 108, 124))


def draw_place(scene: Scene, pixels: int, rng: random.Random) -> Image.Image:
    """The background of a scene, an RGB square."""
    if scene.place == "plain":
        colour = mix(jitter(COLOURS[scene.background_colour], rng, 8), (255, 255, 255), 0.12)
        return _gradient(pixels, tint(colour, 0.14), shade(colour, 0.07))
    skies: dict[str, tuple[Colour, Colour]] = {
        "park": ((140, 204, 246), (214, 240, 252)),
        "room": ((240, 224, 200), (226, 204, 176)),
        "night": ((20, 24, 66), (62, 64, 128)),
        "beach": ((126, 204, 248), (220, 244, 252)),
        "city": ((188, 208, 232), (240, 226, 214)),
    }
    image = _gradient(pixels, *skies[scene.place])
    paint = {"park": _park, "room": _room, "night": _night, "beach": _beach, "city": _city}
    paint[scene.place](ImageDraw.Draw(image), pixels, rng)
    return image
