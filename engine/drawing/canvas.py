"""The page that sheets, reports and curves are drawn on: one look, one font, smooth shapes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ..core.character import quantise

PAPER, CARD, INK, QUIET, LINE = "#faf9f6", "#ffffff", "#1d2126", "#616a74", "#e2e0da"
BLUE, PALE_BLUE, ORANGE, GREEN, PINK = "#0b62ad", "#a9c8e4", "#b5520a", "#2e8b57", "#d9a5a0"
VIOLET, GREY = "#7a5aa8", "#b9bfc5"
ON_DARK_BLUE, ON_DARK_ORANGE = "#74b9f5", "#f2a65e"
"""Blue and orange as letters on ``INK``."""

SCALE = 2
LEADING = 1.28
"""From one line to the next, as a multiple of the letters' size."""

_PARTS = re.compile(r" ?[^ -]+-*|[ -]+")
"""What a line may end after: a word, or a part of one up to its hyphen."""

Point = tuple[float, float]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Page:
    """A page drawn at ``scale`` times its size, so that its shapes come out smooth.

    All places and sizes are in pixels of the finished page.
    """

    def __init__(self, width: int, height: int, scale: int = SCALE, paper: str = PAPER) -> None:
        self.scale = scale
        self.image = Image.new("RGB", (width * scale, height * scale), paper)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        at: Point,
        text: str,
        size: int,
        colour: str = INK,
        bold: bool = False,
        anchor: str = "la",
    ) -> None:
        """Writes one line of ``text``, in letters that Pillow's own font has."""
        font = ImageFont.load_default(size * self.scale)
        where = (at[0] * self.scale, at[1] * self.scale)
        stroke = max(1, size * self.scale // 32) if bold else 0
        self.draw.text(where, _drawable(text), colour, font, anchor, stroke_width=stroke)

    def lines(
        self,
        at: Point,
        text: str,
        size: int,
        width: float,
        most: int = 6,
        colour: str = INK,
        bold: bool = False,
    ) -> float:
        """Writes ``text`` over at most ``most`` lines; returns where the next line would begin."""
        found = wrapped(text, size, width, most)
        for number, line in enumerate(found):
            self.text((at[0], at[1] + number * size * LEADING), line, size, colour, bold)
        return at[1] + len(found) * size * LEADING

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: str, radius: int = 0) -> None:
        """A filled box with round corners."""
        corners = (x0 * self.scale, y0 * self.scale, x1 * self.scale, y1 * self.scale)
        self.draw.rounded_rectangle(corners, radius * self.scale, fill)

    def picture(
        self, image: torch.Tensor, at: Point, size: Point, cover: bool = False, radius: int = 0
    ) -> None:
        """``image`` (H, W, 3) in 0..1 as large as fits the box at ``at``, in its middle.

        cover: fills the box instead, and loses what lies beyond it. radius: of its upper corners.
        """
        if at[1] * self.scale >= self.image.height:
            return
        room = (round(size[0] * self.scale), round(size[1] * self.scale))
        picture = fitted(Image.fromarray(quantise(image).numpy()), room, cover)
        corner = (
            int(at[0] * self.scale + (room[0] - picture.width) / 2),
            int(at[1] * self.scale + (room[1] - picture.height) / 2),
        )
        mask = None
        if radius:
            mask = Image.new("L", picture.size, 0)
            shape = (0, 0, picture.width - 1, picture.height + (radius + 2) * self.scale)
            ImageDraw.Draw(mask).rounded_rectangle(shape, radius * self.scale, 255)
        self.image.paste(picture, corner, mask)

    def legend(self, right: float, top: float, entries: Sequence[tuple[str, str]]) -> None:
        """Words with a box of their colour before each, from ``right`` to the left."""
        for text, colour in entries:
            self.text((right, top), text, 20, QUIET, anchor="ra")
            right -= ImageFont.load_default(20).getlength(text) + 12
            self.box(right - 20, top + 2, right, top + 22, colour, 4)
            right -= 48

    def finished(self) -> Image.Image:
        size = (self.image.width // self.scale, self.image.height // self.scale)
        return self.image.resize(size, Image.Resampling.BOX)

    def tensor(self) -> torch.Tensor:
        """The page at its own size as (H, W, 3) float32 in 0..1."""
        return torch.from_numpy(np.array(self.finished())).to(torch.float32) / 255


def fitted(picture: Image.Image, room: tuple[int, int], cover: bool = False) -> Image.Image:
    """``picture`` as large as fits ``room`` (width, height); ``cover`` fills it and crops."""
    if cover:
        return ImageOps.fit(picture, room, Image.Resampling.LANCZOS)
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def size_that_fits(text: str, size: int, width: float) -> int:
    """``size``, or the largest below it at which ``text`` fits ``width`` px; 8 at the least."""
    while size > 8 and ImageFont.load_default(size).getlength(text) > width:
        size -= 1
    return size


def shortened(text: str, size: int, width: float) -> str:
    """``text``, cut to ``width`` px where it is longer."""
    font = ImageFont.load_default(size)
    return text if font.getlength(text) <= width else _cut(text, font, width)


def wrapped(text: str, size: int, width: float, most: int = 0) -> list[str]:
    """``text`` in lines of at most ``width`` px; past ``most`` of them (0: any) it is cut."""
    font = ImageFont.load_default(size)
    lines = [""]
    for part in _PARTS.findall(" ".join(text.split())):
        if font.getlength((lines[-1] + part).strip()) <= width:
            lines[-1] = (lines[-1] + part).lstrip()
            continue
        if lines[-1]:
            lines.append("")
        word = part.strip()
        while len(word) > 1 and font.getlength(word) > width:
            fits = next(n for n in range(len(word) - 1, 0, -1) if _fits(word[:n], font, width))
            lines[-1], word = word[:fits], word[fits:]
            lines.append("")
        lines[-1] = word
    if most and len(lines) > most:
        lines[most - 1 :] = [_cut(lines[most - 1] + " " + lines[most], font, width)]
    return [line for line in lines if line]


def _fits(text: str, font: Font, width: float) -> bool:
    return len(text) == 1 or font.getlength(text) <= width


def _cut(text: str, font: Font, width: float) -> str:
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _drawable(text: str) -> str:
    """``text`` in letters that there are: accented ones without their accents, or left out."""
    plain = (x if _is_there(x) else unicodedata.normalize("NFD", x)[0] for x in text)
    return "".join(letter for letter in plain if _is_there(letter))


@cache
def _is_there(letter: str) -> bool:
    """Whether Pillow's own font has ``letter``, in any size."""
    font = ImageFont.load_default(32)
    return bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))
