"""A transparent, supersampled drawing surface in head radii."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

from PIL import Image, ImageChops, ImageDraw

from .palette import Colour, shade

Point = tuple[float, float]


def smooth(points: Sequence[Point], steps: int = 6, closed: bool = True) -> list[Point]:
    """A Catmull-Rom curve through the points, as a polyline."""
    count = len(points)
    out: list[Point] = []
    for i in range(count if closed else count - 1):
        if closed:
            a, b, c, d = (points[(i + k - 1) % count] for k in range(4))
        else:
            a, b, c, d = (points[min(max(i + k - 1, 0), count - 1)] for k in range(4))
        for step in range(steps):
            t = step / steps
            weights = (
                (-t + 2 * t**2 - t**3) / 2,
                (2 - 5 * t**2 + 3 * t**3) / 2,
                (t + 4 * t**2 - 3 * t**3) / 2,
                (t**3 - t**2) / 2,
            )
            pairs = zip(weights, (a, b, c, d))
            out.append(tuple(map(sum, zip(*((w * p[0], w * p[1]) for w, p in pairs)))))  # type: ignore[arg-type]
    return out if closed else [*out, points[-1]]


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 36) -> list[Point]:
    """An ellipse as a polygon."""
    turn = 2 * math.pi / count
    return [(x + rx * math.cos(i * turn), y + ry * math.sin(i * turn)) for i in range(count)]


class Canvas:
    """Draws shapes given in head radii (x right, y down, origin at the head's centre).

    `pixels` is the side of the supersampled square, `height` the visible height in head radii and
    `centre` the point shown in its middle. The alpha channel of `image` is the subject's mask.
    """

    def __init__(self, pixels: int, height: float, centre: Point):
        self.pixels = pixels
        self.scale = pixels / height
        self.centre = centre

    @cached_property
    def image(self) -> Image.Image:
        """What is drawn so far; made when first asked for."""
        return Image.new("RGBA", (self.pixels, self.pixels), (0, 0, 0, 0))

    @cached_property
    def draw(self) -> ImageDraw.ImageDraw:
        """Draws on `image`."""
        return ImageDraw.Draw(self.image)

    def to_pixels(self, points: Sequence[Point]) -> list[Point]:
        """Points in head radii to supersampled pixels."""
        half, (cx, cy), k = self.pixels / 2, self.centre, self.scale
        return [((x - cx) * k + half, (y - cy) * k + half) for x, y in points]

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """A flat ellipse."""
        self.draw.ellipse(self._box(x, y, rx, ry), fill=colour)

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """A flat polygon."""
        self.draw.polygon(self.to_pixels(points), fill=colour)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """A line with round joints and ends."""
        placed = self.to_pixels(points)
        thick = max(1.0, width * self.scale)
        self.draw.line(placed, fill=colour, width=round(thick), joint="curve")
        r = thick / 2 - 0.5
        for x, y in (placed[0], placed[-1]):
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def glaze(self, points: Sequence[Point], colour: Colour, opacity: float) -> None:
        """A see-through polygon over what is there."""
        self._paste(self.to_pixels(points), colour, opacity, None)

    def shaded(
        self,
        points: Sequence[Point],
        colour: Colour,
        shadow: Colour | None = None,
        offset: Point = (-0.1, -0.08),
    ) -> None:
        """A polygon in two tones: what the shape moved by `offset` does not cover is in shadow."""
        placed = self.to_pixels(points)
        self.draw.polygon(placed, fill=colour)
        self._paste(placed, shadow or shade(colour), 1.0, offset)

    def clipped(
        self, points: Sequence[Point], inside: Sequence[Point], colour: Colour, opacity: float = 1.0
    ) -> None:
        """The part of a polygon that lies inside another one."""
        self._paste(self.to_pixels(points), colour, opacity, None, self.to_pixels(inside))

    def _box(self, x: float, y: float, rx: float, ry: float) -> list[Point]:
        return self.to_pixels([(x - rx, y - ry), (x + rx, y + ry)])

    def _paste(
        self,
        placed: Sequence[Point],
        colour: Colour,
        opacity: float,
        offset: Point | None,
        inside: Sequence[Point] | None = None,
    ) -> None:
        left = max(0, math.floor(min(p[0] for p in placed)))
        top = max(0, math.floor(min(p[1] for p in placed)))
        right = min(self.pixels, math.ceil(max(p[0] for p in placed)) + 1)
        bottom = min(self.pixels, math.ceil(max(p[1] for p in placed)) + 1)
        if right <= left or bottom <= top:
            return
        level = round(255 * opacity)

        def stencil(points: Sequence[Point], dx: float = 0.0, dy: float = 0.0) -> Image.Image:
            mask = Image.new("L", (right - left, bottom - top), 0)
            moved = [(x - left + dx, y - top + dy) for x, y in points]
            ImageDraw.Draw(mask).polygon(moved, fill=level)
            return mask

        mask = stencil(placed)
        if offset is not None:
            moved = stencil(placed, offset[0] * self.scale, offset[1] * self.scale)
            mask = ImageChops.subtract(mask, moved)
        if inside is not None:
            mask = ImageChops.darker(mask, stencil(inside))
        self.image.paste((*colour, 255), (left, top, right, bottom), mask)
