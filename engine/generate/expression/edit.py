"""One face of a picture with another expression: the rig, the warp, and what they could not do.

A warp only moves what is there: a model should paint the parts that moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ...vision.faces import Face
from .measured import Calibrated, calibrated, neutralised
from .rig import MOST_TURN, checked, displaced, frame_of, with_rows
from .table import BY_NAME, CONTROLS, GROUPS, OUTLINE
from .teeth import JAW, held_jaw
from .warp import LEAST_JACOBIAN, Warped, warp

SMALL = 64
"""Faces of fewer pixels across show little of an expression."""
WORTH_TELLING = 0.05
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


@dataclass(frozen=True, eq=False)
class Edited:
    """A picture with the expression of one face changed.

    image: (H, W, 3); the very same tensor when nothing changed. mask: (H, W) in 0..1, of what
    moved. notes: sentences for people. remainder: by slider, what was asked for and the warp could
    not show. sliders: the amounts that the rig was given. landmarks: (478, 2) px, as they are now.
    """

    image: torch.Tensor
    mask: torch.Tensor
    notes: tuple[str, ...] = ()
    remainder: dict[str, float] = field(default_factory=dict)
    sliders: dict[str, float] = field(default_factory=dict)
    landmarks: np.ndarray | None = None


def edit(
    image: torch.Tensor,
    face: Face | None,
    sliders: Mapping[str, float],
    *,
    face_model: Any = None,
    neutralise: bool = False,
    paints: bool = False,
) -> Edited:
    """``image`` (H, W, 3) in 0..1 with ``face`` moved by ``sliders``.

    face_model: measures the result, and the amounts are searched for until it sees what was asked
    for. neutralise: what the face shows already is taken away first. paints: a model paints what
    has moved, so that the jaw is not held for the teeth. A face of None changes nothing. Raises
    FacetError for sliders that there are not, or that are no numbers.
    """
    asked = checked(sliders)
    still = torch.zeros(image.shape[:2])
    if face is None:
        return Edited(image, still, ("No face was found; the image is unchanged.",))
    face = with_rows(face)
    if not any(asked.values()) and not neutralise:
        return Edited(image, still, landmarks=face.landmarks)
    if _outside(face, image):
        note = "The face lies outside the image; the image is unchanged."
        return Edited(image, still, (note,), landmarks=face.landmarks)
    notes = []
    if neutralise and not face.blendshapes:
        neutralise = False
        notes.append(
            "The current expression of a face placed by hand is not known; it was not neutralised."
        )
    if face.box[2] - face.box[0] < SMALL:
        notes.append(
            f"The face is only {round(face.box[2] - face.box[0])} pixels wide; enlarge the "
            "image first for a finer expression."
        )
    landmarks = torch.from_numpy(face.landmarks)
    amounts = neutralised(asked, face) if neutralise else asked
    jaw = None if paints else held_jaw(image, face, amounts)
    held = {} if jaw is None else {JAW: amounts[JAW] - jaw}
    if jaw is not None:
        amounts = {**amounts, JAW: jaw}
    notes += _teeth(held, amounts)
    missed: dict[str, float] = {}
    if face_model is not None and face.blendshapes:
        search = calibrated(image, face_model, amounts, face, held)
        amounts, targets, warped, missed = (
            search.sliders,
            search.targets,
            search.warped,
            search.remainder,
        )
        notes += _missed(search)
    else:
        targets = displaced(landmarks, amounts, face.yaw)
        warped = warp(image, landmarks, targets, face.yaw)
    hindered = _hindered(warped, amounts)
    notes += _folding(hindered, amounts, paints)
    if warped.lids < LEAST_JACOBIAN and not paints:
        notes.append(
            "There is little skin to close the eyes with, and it is stretched; connect a studio to "
            "repaint them."
        )
    turned = {
        name: value - (MOST_TURN if value > 0 else -MOST_TURN)
        for name, value in asked.items()
        if BY_NAME[name].region == "head" and abs(value) > MOST_TURN
    }
    if turned:
        notes.append(
            f"A warp turns a head by at most {MOST_TURN:g} degrees; for more, connect a studio "
            "whose model is shown the original."
        )
    reached = landmarks.numpy() + (targets - landmarks).numpy() * warped.reached[:, None]
    return Edited(
        warped.image,
        warped.mask,
        tuple(notes),
        {**hindered, **missed, **held, **turned},
        {name: value for name, value in amounts.items() if value},
        reached.astype(np.float32),
    )


def _outside(face: Face, image: torch.Tensor) -> bool:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = face.box
    return x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height


def _hindered(warped: Warped, amounts: Mapping[str, float]) -> dict[str, float]:
    """By slider, how much of its amount would have folded the picture."""
    left: dict[str, float] = {}
    for name, amount in amounts.items():
        ways, total = 0.0, 0.0
        for move in BY_NAME[name].moves:
            group = GROUPS[move.group]
            far = np.array(group.weights) * (np.hypot(move.u, move.v) + abs(move.share))
            ways += float((far * (1 - warped.reached[list(group.points)])).sum())
            total += float(far.sum())
        if total and abs(amount * ways / total) > WORTH_TELLING:
            left[name] = amount * ways / total
    return left


def _teeth(held: Mapping[str, float], amounts: Mapping[str, float]) -> list[str]:
    if held.get(JAW, 0.0) < WORTH_TELLING:
        return []
    return [
        f"The teeth that show would be stretched: {JAW} is held at {amounts[JAW]:.2f}; connect a "
        "studio to repaint an open mouth."
    ]


def _folding(
    hindered: Mapping[str, float], amounts: Mapping[str, float], paints: bool
) -> list[str]:
    if not hindered:
        return []
    said = [f"{name} to {amounts[name] - left:.2f}" for name, left in hindered.items()]
    advice = "the model is asked for" if paints else "connect a studio to repaint"
    return [f"Without folding the image a warp shows only {', '.join(said)}; {advice} the rest."]


def _missed(search: Calibrated) -> list[str]:
    if not search.heard:
        return ["The detector sees nothing of what was asked for, so nothing was calibrated."]
    if not search.remainder:
        return []
    said = [f"{name} by {value:+.2f}" for name, value in search.remainder.items()]
    return [f"The detector still misses {', '.join(said)}."]


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
