"""What to shoot when poses and clothes come from elsewhere: one shot for each pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ...core.character import Tags
from ...vision.pose import Pose
from ...vision.pose_map import draw_pose, placed
from ..sizes import fit, fitting
from .plan import ShotPlan, ShotRequest

BLACK = 0.1


@dataclass(frozen=True, eq=False)
class Guide:
    """A pose to take: keypoints, a picture (H, W, 3) in 0..1, or both; is_map: an OpenPose map."""

    pose: Pose | None = None
    picture: torch.Tensor | None = None
    is_map: bool = False

    def __post_init__(self) -> None:
        if self.is_map and self.picture is not None and float(self.picture.max()) < BLACK:
            raise ValueError("The OpenPose map is black and shows no person; give one with a pose.")

    @property
    def has_map(self) -> bool:
        """Whether there is, or can be drawn, a map for a ControlNet."""
        return self.pose is not None or self.is_map

    @property
    def kind(self) -> str:
        """What an edit model sees, as the dialects call it."""
        return "pose" if self.picture is not None and not self.is_map else "pose_map"

    def map(self, width: int, height: int) -> torch.Tensor:
        """The OpenPose map (height, width, 3), the pose's whole picture in its middle."""
        if self.picture is not None and self.is_map:
            return _on_black(self.picture, width, height)
        assert self.pose is not None
        laid = fitting((self.pose.width, self.pose.height), (width, height))
        return draw_pose(placed(self.pose, laid.box, width, height))

    def shown(self, width: int, height: int) -> torch.Tensor:
        """The picture that an edit model takes the pose from."""
        return self.map(width, height) if self.picture is None else self.picture


@dataclass(frozen=True, eq=False)
class TransferRequest(ShotRequest):
    """One shot: in the pose of ``guide``, which is number ``number``, and what its line says."""

    guide: Guide | None = None
    number: int = 0

    @property
    def label(self) -> str:
        """The line in words, with the pose's number."""
        parts = [super().label] if super().label else []
        return ", ".join([*parts, f"pose {self.number}"] if self.guide else parts) or "outfit"


def transfer_plan(
    guides: Sequence[Guide], lines: Sequence[ShotRequest], garment: torch.Tensor | None
) -> ShotPlan:
    """One shot for each pose, or without poses for each line; a single line holds for every pose.

    Raises ValueError when there is neither pose nor garment, or lines and poses do not fit.
    """
    if not guides and garment is None:
        raise ValueError(
            "There is neither a pose nor a garment; connect pose_image, pose_keypoint or garment."
        )
    wishes = list(lines) or [ShotRequest(Tags())]
    if not guides:
        return ShotPlan(tuple(TransferRequest(one.tags, one.instruction) for one in wishes))
    if len(wishes) not in (1, len(guides)):
        raise ValueError(
            f"There are {len(guides)} poses and {len(wishes)} lines; write one line for all, or "
            "one for each pose."
        )
    wishes = wishes * len(guides) if len(wishes) == 1 else wishes
    return ShotPlan(
        tuple(
            TransferRequest(wish.tags, wish.instruction, guide, number)
            for number, (guide, wish) in enumerate(zip(guides, wishes, strict=True), 1)
        )
    )


def _on_black(picture: torch.Tensor, width: int, height: int) -> torch.Tensor:
    laid = fitting((picture.shape[1], picture.shape[0]), (width, height))
    left, top, wide, tall = laid.box
    canvas = torch.zeros(height, width, 3)
    canvas[top : top + tall, left : left + wide] = fit(picture, wide, tall)
    return canvas
