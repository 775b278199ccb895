"""Draws the face: ears, head, eyes, brows, nose, mouth, beard and glasses."""

from __future__ import annotations

import math

from .canvas import Canvas, Point, ellipse, smooth
from .head import EYE_Y, MOUTH_Y, NOSE_Y, Head
from .palette import INK, WHITE, Colour, mix, shade, tint

LIP = (150, 44, 58)
MOUTH_INSIDE = (126, 34, 52)
TONGUE = (236, 116, 122)
TEAR = (150, 212, 255)


def draw_ear(canvas: Canvas, head: Head, sign: int) -> None:
    """The ear on the person's right (-1) or left (1)."""
    person = head.identity
    x, _, _ = head.on_surface(sign * math.pi / 2, 0.2, 1.0)
    dark = shade(person.skin_rgb, 0.16)
    if person.ears == "pointed":
        out = x + math.copysign(0.42, x) * abs(head.facing) - 0.36 * head.side
        inner = math.copysign(0.12, out - x)
        base = [(x - inner, 0.02), (out, -0.42), (x + inner, 0.3), (x, 0.42)]
        canvas.shaded(smooth(base, 5), person.skin_rgb, dark)
    canvas.shaded(ellipse(x, 0.2, 0.17, 0.22), person.skin_rgb, dark)
    canvas.oval(x + 0.01 * sign, 0.21, 0.08, 0.12, mix(dark, (230, 90, 90), 0.25))


def draw_head(canvas: Canvas, head: Head) -> None:
    """The head in two tones, with the nose of a turned head and blush."""
    skin = head.identity.skin_rgb
    if abs(head.side) > 0.3 and not head.from_behind:
        x, y = head.nose_tip
        base = 0.8 * head.identity.face_width * head.side
        nose = [(base, y - 0.3), (x, y - 0.06), (x, y + 0.05), (base, y + 0.16)]
        canvas.shape(smooth(nose, 5), skin)
    canvas.shaded(head.outline(), skin, shade(skin, 0.15), (-0.1, -0.1))
    if head.from_behind:
        return
    blush = mix(skin, (255, 84, 104), 0.5)
    for sign in (-1, 1):
        x, y, depth = head.on_surface(sign * 0.62, 0.47, 0.93)
        if depth > 0.15:
            canvas.clipped(ellipse(x, y, 0.2 * depth + 0.02, 0.12), head.outline(0.97), blush, 0.5)


def _brow_colour(head: Head) -> Colour:
    person = head.identity
    return shade(person.hair_rgb if person.hair_style != "bald" else (112, 78, 58), 0.42)


def _draw_eye(canvas: Canvas, head: Head, sign: int) -> None:
    x, y, width = head.eye(sign)
    if not width:
        return
    half, tall = head.eye_half_width * width, head.eye_half_height
    white = ellipse(x, y, half, tall)
    canvas.shape(white, (252, 252, 255))
    iris_x, iris_y = x + 0.035 * head.side, y + 0.01
    iris_w, iris_h = half * 0.76, min(tall, 0.25 * head.identity.eye_size) * 0.84
    colour = head.identity.eye_rgb
    iris = ellipse(iris_x, iris_y, iris_w, iris_h)
    canvas.clipped(iris, white, shade(colour, 0.34))
    bright = ellipse(iris_x, iris_y + 0.3 * iris_h, iris_w * 0.84, iris_h * 0.66)
    canvas.clipped(bright, white, colour)
    canvas.clipped(ellipse(iris_x, iris_y, iris_w * 0.46, iris_h * 0.5), white, (26, 18, 30))
    canvas.oval(iris_x - 0.3 * iris_w, iris_y - 0.4 * iris_h, 0.34 * iris_w, 0.3 * iris_h, WHITE)
    canvas.oval(iris_x + 0.4 * iris_w, iris_y + 0.42 * iris_h, 0.17 * iris_w, 0.15 * iris_h, WHITE)
    tilt = (head.expression.brow_inner - head.expression.brow_outer) * 0.45
    lash: list[Point] = []
    for i in range(9):
        turn = math.pi * (1.06 + 0.88 * i / 8)
        u = math.cos(turn)
        lash.append((x + u * half * 1.04, y + math.sin(turn) * tall - sign * u * tilt * 0.8))
    canvas.stroke(lash, INK, 0.075)


def _draw_mouth(canvas: Canvas, head: Head, expression: str) -> None:
    if expression == "neutral":
        canvas.stroke(head.mouth_points("gap_top", 9), LIP, 0.075)
        return
    if expression == "sad":
        canvas.stroke(head.mouth_points("upper", 9), LIP, 0.085)
        return
    upper, lower = head.mouth_points("upper", 11), head.mouth_points("lower", 11)
    outline = upper + lower[::-1]
    x, width = head.middle
    if expression == "angry":
        canvas.shape(outline, WHITE)
        middle = sum(p[1] for p in upper + lower) / (2 * len(upper))
        canvas.stroke([(upper[1][0], middle), (upper[-2][0], middle)], (170, 160, 170), 0.035)
        canvas.stroke([*outline, outline[0]], LIP, 0.06)
        return
    canvas.shape(outline, MOUTH_INSIDE)
    if expression == "smile":
        half = head.expression.mouth.half_width * head.identity.mouth_width * width
        canvas.clipped(ellipse(x, MOUTH_Y - 0.08, half * 0.86, 0.14), outline, WHITE)
        canvas.clipped(ellipse(x, MOUTH_Y + 0.22, half * 0.6, 0.12), outline, TONGUE)
    else:
        canvas.clipped(ellipse(x, MOUTH_Y + 0.27, 0.13 * width, 0.12), outline, TONGUE)
    canvas.stroke([*outline, outline[0]], LIP, 0.04)


def _draw_beard(canvas: Canvas, head: Head) -> None:
    person = head.identity
    if person.beard == "none":
        return
    x, width = head.middle
    colour = person.hair_rgb if person.hair_style != "bald" else (112, 78, 58)
    if person.beard == "beard":
        top: list[Point] = []
        for i in range(15):
            azimuth = -1.35 + 2.7 * i / 14
            cheek = 0.2 if abs(azimuth) > 1.0 else 0.5 if abs(azimuth) > 0.62 else 0.44
            px, py, depth = head.on_surface(azimuth, cheek, 1.0)
            if depth > -0.1:
                top.append((px, py))
        if len(top) < 2:
            return
        left, right = min(top)[0], max(top)[0]
        low = head.chin * 1.12
        jaw = [p for p in head.outline(1.07) if p[1] > 0.2 and left - 0.14 <= p[0] <= right + 0.14]
        jaw.sort(key=lambda p: -p[0])
        canvas.shaded([*sorted(top), *jaw], colour, shade(colour, 0.2), (-0.06, -0.08))
        canvas.glaze(ellipse(x, low - 0.16, 0.2 * width, 0.06), tint(colour, 0.25), 0.35)
    half = 0.36 * width
    wings = [
        (x - half, MOUTH_Y - 0.05),
        (x - half * 0.45, MOUTH_Y - 0.2),
        (x, MOUTH_Y - 0.15),
        (x + half * 0.45, MOUTH_Y - 0.2),
        (x + half, MOUTH_Y - 0.05),
        (x, MOUTH_Y - 0.075),
    ]
    canvas.shape(smooth(wings, 5), shade(colour, 0.12))


def _draw_glasses(canvas: Canvas, head: Head) -> None:
    person = head.identity
    if person.glasses == "none":
        return
    frame = (36, 34, 46) if person.glasses == "square" else (176, 112, 30)
    inner: list[float] = []
    for sign in (-1, 1):
        x, y, width = head.eye(sign)
        if not width:
            continue
        half, tall = 0.3 * max(width, 0.5), 0.32
        if person.glasses == "round":
            rim = ellipse(x, y + 0.01, half, tall)
        else:
            corners = [(-1, -0.86), (1, -0.86), (1, 0.86), (-1, 0.86)]
            rim = [(x + u * half, y + 0.01 + v * tall) for u, v in corners]
        canvas.glaze(rim, (220, 240, 255), 0.22)
        canvas.stroke([*rim, rim[0]], frame, 0.085)
        inner.append(x - sign * half)
        arm_x, _, arm_depth = head.on_surface(sign * 1.45, EYE_Y, 1.0)
        if arm_depth > 0.02:
            canvas.stroke([(x + sign * half, EYE_Y - 0.04), (arm_x, EYE_Y - 0.06)], frame, 0.07)
    if len(inner) == 2:
        canvas.stroke([(inner[0], EYE_Y - 0.02), (inner[1], EYE_Y - 0.02)], frame, 0.075)


def draw_features(canvas: Canvas, head: Head, expression: str) -> None:
    """Everything inside the face; nothing when the head is seen from behind."""
    if head.from_behind:
        return
    _draw_beard(canvas, head)
    for sign in (-1, 1):
        _draw_eye(canvas, head, sign)
    skin = head.identity.skin_rgb
    x = head.middle[0]
    size = head.identity.nose_size
    if abs(head.side) <= 0.75:
        nose_x = x + 0.06 * head.side
        canvas.oval(nose_x, NOSE_Y + 0.03, 0.085 * size, 0.055 * size, shade(skin, 0.27))
    _draw_mouth(canvas, head, expression)
    if expression == "sad":
        sign = 1 if head.eye(1)[2] else -1
        tear_x, tear_y, width = head.eye(sign)
        drop = [(0.0, -0.14), (0.09, 0.06), (0.0, 0.14), (-0.09, 0.06)]
        at = [(tear_x + u * max(width, 0.6) + 0.04 * sign, tear_y + 0.36 + v) for u, v in drop]
        canvas.shape(smooth(at, 4), TEAR)
    for sign in (-1, 1):
        if head.eye(sign)[2]:
            canvas.stroke(
                smooth(head.brow(sign), 4, closed=False),
                _brow_colour(head),
                head.identity.brow_thickness,
            )
    _draw_glasses(canvas, head)
