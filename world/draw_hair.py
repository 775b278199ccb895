"""Draws hair: what hangs behind the body, the cap with its hairline, tails, and accessories."""

from __future__ import annotations

import math

import numpy as np

from .canvas import Canvas, Point, ellipse, smooth
from .head import Head
from .palette import shade, tint

# Hairline knots: degrees of azimuth from the nose, and height (y down) of the hair's lower edge.
HAIRLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "short": (
        (0, -0.5),
        (40, -0.46),
        (58, -0.28),
        (72, 0.12),
        (82, -0.1),
        (100, -0.1),
        (116, 0.4),
        (180, 0.6),
    ),
    "spiky": (
        (0, -0.46),
        (40, -0.42),
        (60, -0.24),
        (72, 0.1),
        (82, -0.1),
        (100, -0.1),
        (116, 0.4),
        (180, 0.6),
    ),
    "bob": ((0, -0.27), (48, -0.25), (58, -0.02), (63, 0.72), (90, 0.92), (180, 0.95)),
    "long": ((0, -0.56), (34, -0.34), (52, -0.02), (62, 0.9), (72, 1.75), (110, 2.0), (180, 2.05)),
    "ponytail": (
        (0, -0.6),
        (40, -0.53),
        (60, -0.3),
        (74, 0.0),
        (84, -0.1),
        (100, -0.1),
        (120, 0.3),
        (180, 0.42),
    ),
    "bun": (
        (0, -0.6),
        (40, -0.54),
        (60, -0.34),
        (76, -0.06),
        (100, -0.12),
        (120, 0.3),
        (180, 0.42),
    ),
    "curly": ((0, -0.42), (44, -0.36), (58, -0.12), (68, 0.5), (90, 0.78), (180, 0.86)),
    "twintails": (
        (0, -0.27),
        (44, -0.24),
        (58, -0.06),
        (68, 0.26),
        (80, -0.06),
        (104, -0.06),
        (120, 0.34),
        (180, 0.44),
    ),
    "mohawk": (
        (0, -0.72),
        (40, -0.6),
        (60, -0.4),
        (74, -0.1),
        (100, -0.14),
        (120, 0.3),
        (180, 0.5),
    ),
}
VOLUME = {
    "short": 1.06,
    "spiky": 1.06,
    "bob": 1.15,
    "long": 1.13,
    "ponytail": 1.06,
    "bun": 1.06,
    "curly": 1.22,
    "twintails": 1.08,
    "mohawk": 1.0,
}
COVERS_EARS = ("bob", "long", "curly")


def _hairline(head: Head, azimuth: float) -> float:
    person = head.identity
    style = person.hair_style
    turned = math.degrees((azimuth + math.pi) % (2 * math.pi) - math.pi)
    knots = HAIRLINES[style]
    y = float(np.interp(abs(turned), [k[0] for k in knots], [k[1] for k in knots]))
    if y > 0.6:
        y = 0.6 + (y - 0.6) * person.hair_length
    if abs(turned) < 58 and style != "mohawk":
        y += 0.13 * person.parting * turned / 58
        if style in ("short", "bob", "twintails", "curly"):
            y += 0.07 * abs(math.sin(math.radians(turned) * 4.5 + person.parting))
        if style == "spiky":
            y += 0.24 * abs(((turned + 200) / 26) % 1 - 0.5)
    return y


def _cap(head: Head) -> list[Point]:
    person = head.identity
    volume = VOLUME[person.hair_style] * person.hair_volume
    rx, ry = person.face_width * volume, person.face_height * (volume + 0.05)
    lower: list[Point] = []
    for i in range(33):
        u = math.sin(math.pi / 2 * (-1 + 2 * i / 32))
        azimuth = math.asin(u) - head.yaw
        y = _hairline(head, azimuth)
        if y > 0.5:
            y -= 0.22 * max(0.0, abs(u) - 0.6)
        squeeze = 1.0 if y > 0 or person.hair_style in COVERS_EARS else math.sqrt(1 - (y / ry) ** 2)
        lower.append((u * rx * squeeze, y))
    upper = [
        (rx * math.cos(t), -0.06 + ry * math.sin(t)) for t in (-math.pi * i / 24 for i in range(25))
    ]
    return lower + upper


def _bump_cap(head: Head, colour: tuple[int, int, int], canvas: Canvas) -> None:
    """Curls or spikes around the cap's upper edge."""
    person = head.identity
    rx, ry = person.face_width, person.face_height
    if person.hair_style == "curly":
        for i in range(13):
            turn = math.pi * (-0.12 + 1.24 * i / 12)
            x, y = 1.2 * rx * math.cos(turn), -0.1 - 1.18 * ry * math.sin(turn)
            canvas.shaded(ellipse(x, y, 0.3, 0.3, 20), colour)
    if person.hair_style == "spiky":
        for i in range(8):
            turn = math.pi * (0.02 + 0.96 * i / 7)
            c, s = math.cos(turn), -math.sin(turn)
            tip = (1.5 * rx * c, 1.5 * ry * s)
            left = (1.0 * rx * c + 0.3 * s, 1.02 * ry * s - 0.3 * c - 0.04)
            right = (1.0 * rx * c - 0.3 * s, 1.02 * ry * s + 0.3 * c - 0.04)
            canvas.shaded([left, tip, right, (0, -0.3)], colour)


def _tails(head: Head) -> list[float]:
    return {"ponytail": [math.pi], "bun": [math.pi], "twintails": [1.8, -1.8]}.get(
        head.identity.hair_style, []
    )


def _draw_tails(canvas: Canvas, head: Head, in_front: bool) -> None:
    person = head.identity
    colour = person.hair_rgb
    long = person.hair_length
    for azimuth in _tails(head):
        x, _, depth = head.on_surface(azimuth, 0.0, 1.02)
        if (depth > 0) != in_front:
            continue
        if person.hair_style == "bun":
            canvas.shaded(ellipse(x * 0.8, -0.98, 0.44, 0.4), colour)
            continue
        if person.hair_style == "ponytail":
            root, swing = (x * 0.85, -0.5), x * 1.15
            if abs(swing) < 0.35 and not in_front:
                swing = 0.95
            spine = [
                root,
                (root[0] + (swing - root[0]) * 0.8, -0.35),
                (swing * 1.2, 0.5 * long),
                (swing * 1.1, 1.35 * long),
            ]
        else:
            out = x + math.copysign(0.3, x if abs(x) > 0.1 else azimuth)
            spine = [(x * 0.95, -0.35), (out, -0.2), (out * 1.1, 0.7 * long), (out, 1.6 * long)]
        widths = (0.12, 0.24, 0.26, 0.05)
        left = [(px - w, py) for (px, py), w in zip(spine, widths)]
        right = [(px + w, py) for (px, py), w in zip(spine, widths)]
        canvas.shaded(smooth([*left, *right[::-1]], 6), colour)
        canvas.oval(spine[0][0], spine[0][1], 0.15, 0.13, shade(colour, 0.5))


def draw_back_hair(canvas: Canvas, head: Head) -> None:
    """Hair that hangs behind the head and the body."""
    person = head.identity
    dark = shade(person.hair_rgb, 0.3)
    if head.from_behind:
        return
    rx = person.face_width * VOLUME.get(person.hair_style, 1.0) * person.hair_volume
    shift = -0.2 * head.side
    if person.hair_style == "long":
        end = 1.95 * person.hair_length
        hang = [
            (-rx, -0.2),
            (rx, -0.2),
            (rx * 1.05, end * 0.7),
            (rx * 0.8, end),
            (-rx * 0.8, end),
            (-rx * 1.05, end * 0.7),
        ]
        canvas.shape(smooth([(x + shift, y) for x, y in hang], 6), dark)
    elif person.hair_style == "bob":
        end = 1.02 * person.hair_length
        hang = [
            (-rx, -0.2),
            (rx, -0.2),
            (rx * 1.04, end * 0.7),
            (rx * 0.7, end),
            (-rx * 0.7, end),
            (-rx * 1.04, end * 0.7),
        ]
        canvas.shape(smooth([(x + shift * 0.4, y) for x, y in hang], 6), dark)
    elif person.hair_style == "curly":
        canvas.oval(shift * 0.6, -0.02, rx * 1.16, 1.16, dark)
    _draw_tails(canvas, head, False)


def draw_hair(canvas: Canvas, head: Head) -> None:
    """The hair on the head, and tails that hang in front of it."""
    person = head.identity
    colour = person.hair_rgb
    if person.hair_style == "bald":
        shine = ellipse(-0.36, -0.62, 0.2, 0.11)
        canvas.clipped(shine, head.outline(), tint(person.skin_rgb, 0.6), 0.6)
        return
    if person.hair_style == "mohawk":
        canvas.clipped(_cap(head), head.outline(), shade(person.skin_rgb, 0.2))
        for i in range(13):
            rise = math.radians(28 + 150 * i / 12)
            forward = math.cos(rise)
            if forward * head.facing < 0 and abs(head.side) < 0.5 and math.sin(rise) < 0.8:
                continue
            x, y = head.side * forward * 1.14 * person.face_width, -math.sin(rise) * 1.2
            canvas.shaded(ellipse(x, y - 0.06, 0.2 + 0.07 * abs(head.side), 0.3, 20), colour)
        return
    _bump_cap(head, colour, canvas)
    cap = _cap(head)
    canvas.shaded(cap, colour, shade(colour, 0.2), (-0.09, -0.07))
    shine = smooth([(-0.66, -0.5), (-0.5, -0.78), (-0.1, -0.93), (-0.14, -0.8), (-0.44, -0.66)], 5)
    canvas.clipped([(x * person.face_width, y) for x, y in shine], cap, tint(colour, 0.45), 0.85)
    _draw_tails(canvas, head, True)


def draw_accessory(canvas: Canvas, head: Head) -> None:
    """A headband, bow or flower."""
    person = head.identity
    colour = person.accessory_rgb
    grow = VOLUME.get(person.hair_style, 1.0) if person.hair_style != "mohawk" else 1.0
    if person.accessory == "headband":
        rx = person.face_width * grow * person.hair_volume
        arc = [
            (rx * math.sin(t) * 0.97, -0.44 - 0.24 * math.cos(t))
            for t in (-math.pi / 2 + math.pi * i / 14 for i in range(15))
        ]
        canvas.stroke(arc, colour, 0.2)
        canvas.stroke([(x, y - 0.04) for x, y in arc[2:6]], tint(colour, 0.4), 0.06)
    x, _, depth = head.on_surface(0.72, 0.0, 0.9 * grow)
    if depth < -0.3:
        return
    y = -0.8 * grow
    if person.accessory == "bow":
        for sign in (-1, 1):
            wing = [(x, y), (x + sign * 0.42, y - 0.3), (x + sign * 0.46, y + 0.26)]
            canvas.shaded(smooth([wing[0], wing[1], wing[2]], 6), colour)
        canvas.oval(x, y, 0.13, 0.13, shade(colour, 0.3))
    elif person.accessory == "flower":
        for i in range(5):
            turn = 2 * math.pi * i / 5 - math.pi / 2
            petal = ellipse(x + 0.2 * math.cos(turn), y + 0.2 * math.sin(turn), 0.17, 0.17, 20)
            canvas.shaded(petal, colour, shade(colour, 0.14))
        canvas.oval(x, y, 0.12, 0.12, (255, 214, 90))
