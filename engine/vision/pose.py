"""Body poses: OpenPose keypoints, how far two poses differ, and core's SDPose that finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..comfyui.internals import internal
from ..core.errors import FacetError

JOINTS, HAND_JOINTS = 18, 21
NOSE, NECK = 0, 1
HIPS = (8, 11)
SHOULDERS = (2, 5)
TORSO_TO_SHOULDERS = 1.4
"""An adult's torso, neck to hips, over the width between the joints of the shoulders."""
POSED = tuple(range(14))
"""The joints that make a pose: nose, neck, arms and legs. Eyes and ears say where the face looks,
which the view has a gate for."""
CLOTHED = tuple(range(1, 14))
CONFIDENCE = 0.3
"""The score from which on a joint counts as seen; OpenPose's and SDPose's drawings use the same."""
FEWEST_JOINTS = 4
"""A person of fewer joints is none: what SDPose gives for a picture without anybody."""


@dataclass(frozen=True, eq=False)
class Pose:
    """One person's pose. body: (18, 3) x and y in pixels and a score, in OpenPose's COCO order.

    width, height: of the picture in pixels. hands: up to two of (21, 3).
    """

    body: torch.Tensor
    width: int
    height: int
    hands: tuple[torch.Tensor, ...] = ()

    @property
    def seen(self) -> torch.Tensor:
        """Which joints of the body are seen: (18,) bool."""
        return self.body[:, 2] >= CONFIDENCE

    @property
    def area(self) -> float:
        """Area of the box around the seen joints in square pixels."""
        points = self.body[self.seen, :2]
        return float((points.amax(0) - points.amin(0)).prod()) if len(points) else 0.0

    def record(self) -> tuple[float, ...]:
        """The body as shares of the picture's sides and scores, x, y, score by joint."""
        sides = self.body.new_tensor((self.width, self.height, 1))
        return tuple(round(value, 5) for value in (self.body / sides).flatten().tolist())


def pose_from_record(record: Sequence[float], width: int, height: int) -> Pose | None:
    """The pose that ``Pose.record`` described, in a picture of that size; None for no numbers."""
    if not record:
        return None
    body = torch.tensor(record).reshape(JOINTS, 3) * torch.tensor((width, height, 1))
    return Pose(body, width, height)


def poses_from_keypoints(frames: Any) -> list[Pose]:
    """The largest person of each frame of a POSE_KEYPOINT: OpenPose's dicts, in absolute pixels.

    Raises FacetError with a sentence when a frame is something else or shows nobody.
    """
    found = [frames] if isinstance(frames, Mapping) else frames
    if not isinstance(found, Sequence) or isinstance(found, str) or not found:
        raise FacetError("The POSE_KEYPOINT holds no frame; connect what finds a pose.")
    poses = []
    for number, frame in enumerate(found, 1):
        people = _people(frame, number)
        if not people:
            raise FacetError(f"Pose {number} shows no person; give a pose in which a body is seen.")
        poses.append(max(people, key=lambda pose: pose.area))
    return poses


def _people(frame: Any, number: int) -> list[Pose]:
    try:
        width, height = int(frame["canvas_width"]), int(frame["canvas_height"])
        people = [_person(person, width, height) for person in frame["people"]]
    except (KeyError, TypeError, ValueError, RuntimeError) as problem:
        raise FacetError(
            f"Pose {number} is not in OpenPose's format ({problem}); it needs canvas_width, "
            "canvas_height and people with 18 pose_keypoints_2d."
        ) from problem
    if width < 1 or height < 1:
        raise FacetError(f"Pose {number} has a canvas of {width} by {height} pixels.")
    return [pose for pose in people if int(pose.seen.sum()) >= FEWEST_JOINTS]


def _person(person: Mapping[str, Any], width: int, height: int) -> Pose:
    hands = (person.get(f"hand_{side}_keypoints_2d") for side in ("right", "left"))
    return Pose(
        _joints(person["pose_keypoints_2d"], JOINTS),
        width,
        height,
        tuple(_joints(hand, HAND_JOINTS) for hand in hands if hand),
    )


def _joints(flat: Any, count: int) -> torch.Tensor:
    joints = torch.tensor(flat, dtype=torch.float32).reshape(count, 3)
    # What was not found stands there as NaN, as -1 or with a score of 0.
    lost = ~torch.isfinite(joints).all(1) | (joints[:, :2] < 0).all(1)
    return torch.where(lost[:, None], torch.zeros_like(joints), joints)


def torso_length(pose: Pose) -> float | None:
    """Length of the torso, neck to the middle of the hips, in pixels; None when it is not seen."""
    if not (pose.seen[NECK] and all(pose.seen[joint] for joint in HIPS)):
        return None
    middle = pose.body[list(HIPS), :2].mean(0)
    return _length(middle - pose.body[NECK, :2])


def torso_by_shoulders(pose: Pose) -> float | None:
    """The same from the width of the shoulders, for poses whose hips are out of the picture."""
    if not (pose.seen[NECK] and all(pose.seen[joint] for joint in SHOULDERS)):
        return None
    left, right = (pose.body[joint, :2] for joint in SHOULDERS)
    return _length((left - right) * TORSO_TO_SHOULDERS)


def _length(across: torch.Tensor) -> float | None:
    length = float(across.norm())
    return length if length >= 1 else None


def pose_error(asked: Pose, found: Pose) -> float | None:
    """Mean distance of the joints, in torso lengths, with the two necks laid on each other.

    Each pose is measured by its own torso, so that neither place nor size in the picture counts
    (PCK's normalisation, Yang and Ramanan 2013). A joint that was asked for and is not found counts
    as one torso. None when a torso is not seen.
    """
    for measure in (torso_length, torso_by_shoulders):
        first, second = measure(asked), measure(found)
        if first is not None and second is not None:
            break
    else:
        return None
    distances = []
    for joint in POSED:
        if asked.seen[joint]:
            one = (asked.body[joint, :2] - asked.body[NECK, :2]) / first
            other = (found.body[joint, :2] - found.body[NECK, :2]) / second
            distances.append(float((one - other).norm()) if found.seen[joint] else 1.0)
    return sum(distances) / len(distances)


def clothed_box(pose: Pose) -> tuple[int, int, int, int] | None:
    """Where the clothes are: left, top, right, bottom px around the seen joints below the head.

    None when fewer than four are seen.
    """
    points = pose.body[list(CLOTHED), :2][pose.seen[list(CLOTHED)]]
    if len(points) < FEWEST_JOINTS:
        return None
    low, high = points.amin(0), points.amax(0)
    margin = 0.08 * float((high - low).max())
    left, top = (max(0, int(value - margin)) for value in low.tolist())
    right = min(pose.width, int(float(high[0]) + margin) + 1)
    bottom = min(pose.height, int(float(high[1]) + margin) + 1)
    return (left, top, right, bottom) if right - left >= 8 and bottom - top >= 8 else None


@dataclass(frozen=True)
class PoseModel:
    """Core's SDPose: the MODEL and the VAE of its checkpoint."""

    model: Any
    vae: Any

    def __post_init__(self) -> None:
        if not hasattr(self.model.model.diffusion_model, "heatmap_head"):
            family = type(self.model.model).__name__
            raise FacetError(
                f"A {family} model finds no poses; connect the MODEL of an SDPose checkpoint as "
                "pose_model."
            )
        if self.vae is None:
            raise FacetError("pose_model needs its own VAE; connect the checkpoint's as pose_vae.")

    @torch.no_grad()
    def find(self, image: torch.Tensor) -> Pose | None:
        """The pose of the person in ``image`` (H, W, 3) in 0..1; None when nobody is seen."""
        answer = internal("SDPoseKeypointExtractor").execute(
            self.model, self.vae, image[None, ..., :3], 1
        )
        (frame,) = answer.result[0]
        people = _people(frame, 1)
        return max(people, key=lambda pose: pose.area) if people else None
