"""A standing figure as OpenPose keypoints, 200 by 300 px, its torso 100 px long."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from facet.engine.vision.pose import Pose

WIDTH, HEIGHT = 200, 300
STANDING = np.array(
    [
        (100, 30), (100, 60), (70, 62), (60, 110), (55, 155), (130, 62), (140, 110), (145, 155),
        (80, 160), (80, 215), (80, 270), (120, 160), (120, 215), (120, 270), (94, 24), (106, 24),
        (86, 28), (114, 28),
    ]
)  # fmt: skip
STANDING = np.concatenate((STANDING, np.full((18, 1), 0.9)), 1).astype(np.float32)


def frame(*people: np.ndarray) -> dict[str, Any]:
    """An OpenPose frame with ``people`` (18, 3), as core's SDPose node writes it."""
    written = []
    for person in people:
        empty = {"foot": 6, "face": 70, "hand_right": 21, "hand_left": 21}
        rows = {f"{part}_keypoints_2d": [0.0] * 3 * count for part, count in empty.items()}
        written.append({"pose_keypoints_2d": person.flatten().tolist(), **rows})
    return {"canvas_width": WIDTH, "canvas_height": HEIGHT, "people": written}


def posed() -> Pose:
    """The standing figure."""
    return Pose(torch.tensor(STANDING), WIDTH, HEIGHT)
