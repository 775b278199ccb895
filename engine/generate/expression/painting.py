"""Which part of an edited picture a model should paint, because a warp only moves what is there."""

from __future__ import annotations

import numpy as np
import torch

from .rig import frame_of
from .table import CONTROLS, GROUPS, OUTLINE

MOVED = 0.012
"""In outer-eye distances: a landmark that moved less has left nothing to paint."""
AROUND, SOFT = 0.11, 0.1
"""How far around a moved landmark is painted, and over how much more that fades out."""
NODES = 96
FILLED = (
    ("upper_lip_r", "upper_lip_l", "lower_lip", "mouth_corner_r", "mouth_corner_l"),
    ("upper_lid_r", "lower_lid_r"),
    ("upper_lid_l", "lower_lid_l"),
)
"""Groups around an opening: where one of their landmarks moved, all they enclose is painted."""


def parts_to_paint(
    size: tuple[int, int], before: np.ndarray, after: np.ndarray, yaw: float = 0.0
) -> torch.Tensor:
    """A mask (H, W) in 0..1 with a soft edge, of ``size``, over the parts of a face that moved.

    before, after: landmarks (478, 2) px; yaw: of the head, in degrees. All 0 when nothing moved.
    """
    height, width = size
    frame = frame_of(before.astype(np.float64), yaw)
    start, goal = frame.inside(before), frame.inside(after)
    distance = np.linalg.norm(goal - start, axis=1)
    outline = set(OUTLINE)
    moved = {point for point in CONTROLS if distance[point] > MOVED and point not in outline}
    for groups in FILLED:
        around = {point for group in groups for point in GROUPS[group].points}
        if moved & around:
            moved |= around
    mask = torch.zeros(height, width)
    if not moved:
        return mask
    points = np.concatenate([start[list(moved)], goal[list(moved)], _middles(goal, moved)])
    reach = AROUND + SOFT
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * reach
    rim = frame.origin + frame.vectors((points[:, None] + corners[None]).reshape(-1, 2))
    left, top = np.maximum(0, np.floor(rim.min(0))).astype(int)
    right, bottom = np.minimum((width, height), np.ceil(rim.max(0))).astype(int)
    if right <= left or bottom <= top:
        return mask
    columns = left + (np.arange(NODES) + 0.5) * (right - left) / NODES
    rows = top + (np.arange(NODES) + 0.5) * (bottom - top) / NODES
    nodes = frame.inside(np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2))
    away = np.sqrt(np.square(nodes[:, None] - points[None]).sum(-1).min(1))
    ramp = np.clip((reach - away) / SOFT, 0, 1)
    soft = torch.from_numpy((ramp * ramp * (3 - 2 * ramp)).reshape(1, 1, NODES, NODES))
    mask[top:bottom, left:right] = torch.nn.functional.interpolate(
        soft.float(), size=(bottom - top, right - left), mode="bilinear", align_corners=False
    )[0, 0]
    return mask


def _middles(places: np.ndarray, moved: set[int]) -> np.ndarray:
    """Points along the middle of each opening that moved, so that it is filled (N, 2)."""
    found = [np.zeros((0, 2))]
    for groups in FILLED:
        around = [point for group in groups for point in GROUPS[group].points]
        if moved >= set(around):
            middle = places[around].mean(0)
            found += [middle + share * (places[around] - middle) for share in (0.3, 0.6)]
    return np.concatenate(found)
