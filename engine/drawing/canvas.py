"""The page that reports and curves are drawn on: one look, one font, smooth shapes."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

PAPER, CARD, INK, QUIET, LINE = "#faf9f6", "#ffffff", "#1d2126", "#616a74", "#e2e0da"
SCALE = 2


class Page:
    """A page drawn at twice its size, so that its shapes come out smooth; units are final px."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: int,
        colour: str = INK,
        bold: bool = False,
        anchor: str = "la",
    ) -> None:
        """Writes one line of ``text``, without the letters that Pillow's own font lacks."""
        font = ImageFont.load_default(size * SCALE)
        where = (at[0] * SCALE, at[1] * SCALE)
        stroke = max(1, size * SCALE // 32) if bold else 0
        self.draw.text(where, _drawable(text, font), colour, font, anchor, stroke_width=stroke)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: str, radius: int = 0) -> None:
        """A filled box with round corners."""
        corners = (x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE)
        self.draw.rounded_rectangle(corners, radius * SCALE, fill)

    def finished(self) -> Image.Image:
        """The page at its own size."""
        size = (self.image.width // SCALE, self.image.height // SCALE)
        return self.image.resize(size, Image.Resampling.BOX)


def _drawable(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    blank = bytes(font.getmask("\uffff"))
    return "".join(letter for letter in text if bytes(font.getmask(letter)) != blank)
