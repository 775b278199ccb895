"""Whether a shot has the pose and the clothes that were asked for."""

from __future__ import annotations

from typing import Any

import torch

from ...core.character import Score
from ...vision.embedding import embed
from ...vision.pose import Pose, clothed_box, pose_error, pose_from_record
from .reading import Reading

POSE_GATE = "pose"
GARMENT_GATE = "garment"


def pose_score(reading: Reading, size: tuple[int, int], asked: Pose | None, limit: float) -> Score:
    """Mean distance of the joints from those of ``asked`` in torso lengths, against ``limit``.

    size: width and height in pixels of the picture that was read.
    """
    if not reading.pose_model:
        return Score(POSE_GATE, None, None, None, "skipped: no pose_model is connected")
    if asked is None:
        return Score(POSE_GATE, None, None, None, "skipped: the pose has no keypoints to compare")
    found = pose_from_record(reading.pose, *size)
    if found is None:
        return Score(POSE_GATE, None, limit, False, "no person's pose was found")
    error = pose_error(asked, found)
    if error is None:
        return Score(POSE_GATE, None, None, None, "skipped: too little of the body to measure by")
    note = "" if error <= limit else f"the pose is off by {error:.2f} torso lengths"
    return Score(POSE_GATE, error, limit, error <= limit, note)


class GarmentGate:
    """How alike a shot's clothes are to a garment.

    garment: (h, w, 3) cut out, on white, or None. clip_vision: a CLIP_VISION, or None.
    limit: the least cosine.
    """

    def __init__(self, garment: torch.Tensor | None, clip_vision: Any, limit: float) -> None:
        self.clip_vision = clip_vision
        self.limit = limit
        measured = garment is not None and clip_vision is not None
        self.embedding = embed(clip_vision, [garment])[0] if measured else None

    def score(self, image: torch.Tensor, reading: Reading) -> Score:
        """The cosine of the clothed part of ``image`` (H, W, 3) with the garment.

        The part is that around the joints below the head, where the pose was measured, and else
        the whole picture.
        """
        if self.embedding is None:
            return Score(GARMENT_GATE, None, None, None, "skipped: no CLIP_VISION is connected")
        height, width = image.shape[:2]
        pose = pose_from_record(reading.pose, width, height)
        box = None if pose is None else clothed_box(pose)
        left, top, right, bottom = box or (0, 0, width, height)
        cosine = float(embed(self.clip_vision, [image[top:bottom, left:right]])[0] @ self.embedding)
        passed = cosine >= self.limit
        notes = [] if passed else [f"only {cosine:.2f} like the garment"]
        notes += [] if box else ["by the whole picture: no pose was measured"]
        return Score(GARMENT_GATE, cosine, self.limit, passed, "; ".join(notes))
