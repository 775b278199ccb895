"""The picture of a pose that OpenPose ControlNets know: coloured limbs and joints on black."""

from __future__ import annotations

import colorsys
import math
from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageDraw

from .pose import CONFIDENCE, Pose

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""Limbs and colours of OpenPose's COCO body (Cao et al. 2019), by limb and by joint."""
FINGERS = tuple(
    (0 if not joint else 4 * finger + joint, 4 * finger + joint + 1)
    for finger in range(5)
    for joint in range(4)
)
LIMB_SHADE = 0.6
"""Limbs are darker than joints in the maps that ControlNets were trained with (Zhang et al. 2023).
"""
THICKNESS = 4 / 512
"""Half the width of a limb, and the radius of a joint, as a share of the map's shorter side."""
LARGEST_CANVAS = 4096


def draw_pose(pose: Pose) -> torch.Tensor:
    """``pose`` as an OpenPose map (H, W, 3) float32 in 0..1, of the size of its picture.

    Body and hands are drawn; the face is not, because its landmarks are those of the person who
    posed.
    """
    finer = max(1, min(4, LARGEST_CANVAS // max(pose.width, pose.height)))
    canvas = Image.new("RGB", (pose.width * finer, pose.height * finer))
    draw = ImageDraw.Draw(canvas)
    radius = max(1.0, THICKNESS * min(pose.width, pose.height)) * finer
    body = _scaled(pose.body, finer)
    for (start, end), colour in zip(LIMBS, COLOURS, strict=False):
        if _seen(body, start, end):
            shade = tuple(int(value * LIMB_SHADE) for value in colour)
            draw.polygon(_ellipse(body[start], body[end], radius), fill=shade)
    for joint, colour in enumerate(COLOURS):
        if _seen(body, joint):
            _dot(draw, body[joint], radius, colour)
    for hand in pose.hands:
        _draw_hand(draw, _scaled(hand, finer), radius / 2)
    return torch.from_numpy(np.array(canvas.reduce(finer))).to(torch.float32) / 255


def placed(pose: Pose, box: tuple[int, int, int, int], width: int, height: int) -> Pose:
    """``pose`` with its picture in ``box`` (left, top, width, height) of one of another size."""
    scale = torch.tensor((box[2] / pose.width, box[3] / pose.height))
    corner = torch.tensor((float(box[0]), float(box[1])))

    def moved(joints: torch.Tensor) -> torch.Tensor:
        points = (joints[:, :2] + 0.5) * scale - 0.5 + corner
        return torch.cat((points, joints[:, 2:]), 1)

    hands = tuple(map(moved, pose.hands))
    return replace(pose, body=moved(pose.body), width=width, height=height, hands=hands)


def _draw_hand(draw: ImageDraw.ImageDraw, hand: list[list[float]], radius: float) -> None:
    for number, (start, end) in enumerate(FINGERS):
        if _seen(hand, start, end):
            hue = colorsys.hsv_to_rgb(number / len(FINGERS), 1, 1)
            colour = tuple(round(255 * value) for value in hue)
            draw.polygon(_ellipse(hand[start], hand[end], radius), fill=colour)
    for joint in range(len(hand)):
        if _seen(hand, joint):
            _dot(draw, hand[joint], radius, (0, 0, 255))


def _scaled(joints: torch.Tensor, finer: int) -> list[list[float]]:
    """Joints in pixels of the finer canvas; a pixel's centre is at its whole number."""
    points = (joints[:, :2] + 0.5) * finer - 0.5
    return torch.cat((points, joints[:, 2:]), 1).tolist()


def _seen(joints: list[list[float]], *which: int) -> bool:
    return all(joints[joint][2] >= CONFIDENCE for joint in which)


def _dot(
    draw: ImageDraw.ImageDraw, joint: list[float], radius: float, colour: tuple[int, ...]
) -> None:
    x, y = joint[:2]
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _ellipse(start: list[float], end: list[float], radius: float) -> list[tuple[float, float]]:
    """The outline of a limb: an ellipse from joint to joint, ``radius`` px thick at its middle."""
    across, down = end[0] - start[0], end[1] - start[1]
    half = math.hypot(across, down) / 2
    cosine, sine = (across / 2 / half, down / 2 / half) if half else (1.0, 0.0)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    outline = []
    for step in range(72):
        along = half * math.cos(math.tau * step / 72)
        aside = radius * math.sin(math.tau * step / 72)
        outline.append(
            (middle[0] + along * cosine - aside * sine, middle[1] + along * sine + aside * cosine)
        )
    return outline
