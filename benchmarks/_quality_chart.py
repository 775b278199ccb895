"""Identity over steps, a curve for each trainer, as a PNG file."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PAPER, INK, QUIET, LINE = "#faf9f6", "#1d2126", "#616a74", "#e2e0da"
COLOURS = {"facet": "#0b62ad", "core": "#b5520a"}
NAMES = {"facet": "Facet LoRA Trainer", "core": "TrainLoraNode"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1200, 750, 110, 300, 110, 90
Curve = list[tuple[int, float, float]]


def draw(curves: dict[str, Curve], path: Path) -> None:
    """Steps, mean identity and its standard error of each trainer, written to ``path``."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(sheet)
    points = [point for curve in curves.values() for point in curve]
    last = max(steps for steps, _, _ in points)
    low = min(0.0, *(mean - error for _, mean, error in points))
    high = max(1.0, *(mean + error for _, mean, error in points))

    def at(steps: float, identity: float) -> tuple[float, float]:
        across = LEFT + (WIDTH - LEFT - RIGHT) * steps / last
        return across, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (identity - low) / (high - low)

    pen.text((LEFT, 34), "Identity of people nobody trained on", INK, ImageFont.load_default(30))
    for tenth in range(0, 11, 2):
        x, y = at(0, tenth / 10)
        pen.line((x, y, WIDTH - RIGHT, y), LINE, 2)
        pen.text((x - 14, y), f"{tenth / 10:g}", QUIET, ImageFont.load_default(20), anchor="rm")
    for steps in sorted({steps for steps, _, _ in points}):
        x, _ = at(steps, low)
        label = ImageFont.load_default(20)
        pen.text((x, HEIGHT - BOTTOM + 16), f"{steps}", QUIET, label, anchor="ma")
    pen.text((LEFT, HEIGHT - 34), "steps", QUIET, ImageFont.load_default(20), anchor="lm")
    for who, curve in curves.items():
        colour = COLOURS[who]
        pen.line([at(steps, mean) for steps, mean, _ in curve], colour, 5, joint="curve")
        for steps, mean, error in curve:
            x, y = at(steps, mean)
            pen.line([at(steps, mean - error), at(steps, mean + error)], colour, 2)
            pen.ellipse((x - 7, y - 7, x + 7, y + 7), colour)
        x, y = at(*curve[-1][:2])
        pen.text((x + 20, y), NAMES[who], colour, ImageFont.load_default(24), anchor="lm")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
