"""The picture warped so that a face's landmarks go where they are wanted, without a fold.

A thin-plate spline (Bookstein 1989, U = r² log r, smoothed by λ as in Wahba 1990) from where the
landmarks go back to where they are, evaluated on a coarse grid and interpolated bilinearly in
between. A bilinear cell's Jacobian determinant is affine, so its least value is at a corner: the
determinants at the corners of all cells say of every pixel that the map does not fold. An upper lid
that closes is a layer over it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from ...core.errors import FacetError
from .layers import Layer, sampled
from .lids import ClosingLid, closing_eyes, closing_lid
from .rig import Frame, frame_of
from .table import CONTROLS, EYES, GROUPS, OUTLINE

LEAST_JACOBIAN = 0.2
COARSE, FINE, CELL_PIXELS = 40, 160, 3
"""At most so many cells along the longer side of the region, of that many pixels at least: the
coarse grid finds what would fold in little time, the fine one is what the picture is sampled by."""
HOLD, FADE, EDGE = 1.55, 1.35, 1.8
"""In face sizes from its middle: where the spline is held still, and where moves fade out."""
FRAME_POINTS = 24
ROUNDS, MARGIN, WORST = 40, 0.02, 200
LEAST_STEP, MOST_STEP = 0.94, 0.6
NEAR = 0.22
"""Where the map would fold, landmarks within about this many eye distances move less."""
SHOWN = 0.02
SETTLED = 3
"""Rounds until places are found from the map that leads back from them."""
SMOOTHING, CHUNK = 1e-3, 512


@dataclass(frozen=True, eq=False)
class Warped:
    """A warped picture.

    image: (H, W, 3). mask: (H, W) in 0..1, 0 exactly where the picture kept its bytes. folds:
    (R, C), the least Jacobian determinant of the map that the picture was sampled by, in each cell
    of the grid over the face; (1, 1) where there is none. scale: how much of its way the most
    hindered landmark went, and reached (478,) how much each went. lids: the least determinant of
    the closing lids' own maps, which do not fold; 1 where none closes.
    """

    image: torch.Tensor
    mask: torch.Tensor
    folds: np.ndarray
    scale: float
    reached: np.ndarray
    lids: float = 1.0

    @property
    def least_jacobian(self) -> float:
        """The least determinant of the face's map."""
        return float(self.folds.min())


@dataclass(frozen=True, eq=False)
class _Region:
    """The part of the picture that may move, and the nodes of the grid over it.

    left, top, right, bottom: px. columns, rows: the nodes' places in px. nodes: (R C, 2) in u, v;
    fade: (R, C) in 0..1.
    """

    box: tuple[int, int, int, int]
    columns: np.ndarray
    rows: np.ndarray
    nodes: np.ndarray
    fade: np.ndarray
    frame_points: np.ndarray

    def read(self, values: np.ndarray, at: np.ndarray) -> np.ndarray:
        """``values`` (R, C, 2) at the nodes, read between them ``at`` (N, 2) px."""
        left, top, right, bottom = self.box
        share = (at - (left, top)) / (right - left, bottom - top)
        read = torch.nn.functional.grid_sample(
            torch.from_numpy(values).permute(2, 0, 1)[None],
            torch.from_numpy(2 * share - 1)[None, None],
            padding_mode="border",
            align_corners=True,
        )
        return read[0, :, 0].T.numpy()


def warp(
    image: torch.Tensor, landmarks: torch.Tensor, targets: torch.Tensor, yaw: float = 0.0
) -> Warped:
    """``image`` (H, W, 3) in 0..1 with its ``landmarks`` (478, 2) px moved to ``targets``.

    The very same tensor comes back when nothing moves, and pixels away from the face keep their
    bytes. Landmarks that would fold the picture go a part of their way. Pixels are squares, with
    the middle of the first one at (0.5, 0.5). Raises FacetError when the landmarks are not a
    face's, or the targets are not numbers.
    """
    height, width = image.shape[:2]
    before = landmarks.detach().to("cpu", torch.float64).numpy()
    after = targets.detach().to("cpu", torch.float64).numpy()
    frame = frame_of(before, yaw)
    if after.shape != before.shape or not np.isfinite(after).all():
        raise FacetError("Places to move landmarks to are not numbers.")
    start, goal = frame.inside(before), frame.inside(after)
    eyes = closing_eyes(start, goal)
    upper = {point for eye in eyes for point in GROUPS[EYES[eye][1]].points}
    known = [point for point in CONTROLS if point not in upper]
    reached, moves = np.ones(len(before)), goal - start
    grids = []
    if np.abs(moves[list(CONTROLS)]).max() > 1e-9:
        grids = [_region(start, frame, (height, width), n) for n in (COARSE, FINE)]
    region = grids[-1] if grids else None
    if region is None:
        return Warped(image, torch.zeros(height, width), np.ones((1, 1)), 1.0, reached)
    for grid in filter(None, grids):
        field, reached[known], folds = _unfolded(grid, start[known], moves[known], reached[known])
    moved = frame.vectors(field).reshape(*region.fade.shape, 2)
    left, top, right, bottom = region.box
    layers = [Layer(region.box, _upsampled(moved, (bottom - top, right - left)))]
    lids = [closing_lid(eye, start, goal, partial(_moved, region, field, frame)) for eye in eyes]
    layers += filter(None, (_lid_layer(lid, region, moved, frame) for lid in lids))
    picture, mask = sampled(image, layers, SHOWN * frame.width)
    wanted = np.abs(moves).max(1)[known] > 1e-3
    scale = float(reached[known][wanted].min()) if wanted.any() else 1.0
    stretched = min((lid.least_jacobian for lid in lids), default=1.0)
    return Warped(picture, mask, folds, scale, reached, stretched)


def _moved(region: _Region, field: np.ndarray, frame: Frame, places: np.ndarray) -> np.ndarray:
    """Where the face's map ``field`` (R C, 2) u, v brings ``places`` (N, 2) u, v."""
    shape = (*region.fade.shape, 2)
    now = places
    for _ in range(SETTLED):
        now = places - region.read(field.reshape(shape), frame.origin + frame.vectors(now))
    return now


def _lid_layer(lid: ClosingLid, region: _Region, moved: np.ndarray, frame: Frame) -> Layer | None:
    """``lid`` over the face, whose pixels are taken from ``moved`` (R, C, 2) px away; None where it
    is outside of the picture."""
    low, high = lid.box
    rim = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    corners = frame.origin + frame.vectors(rim)
    left, top = np.maximum(region.box[:2], np.floor(corners.min(0))).astype(int)
    right, bottom = np.minimum(region.box[2:], np.ceil(corners.max(0))).astype(int)
    if right <= left or bottom <= top:
        return None
    across, down = np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5
    pixels = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    at = frame.inside(pixels)
    taken = frame.origin + frame.vectors(lid.taken(at))
    away = taken + region.read(moved, taken) - pixels
    size = (bottom - top, right - left)
    return Layer(
        (int(left), int(top), int(right), int(bottom)),
        torch.from_numpy(away.astype(np.float32)).reshape(*size, 2),
        torch.from_numpy(lid.cover(at, frame.height).astype(np.float32)).reshape(size),
    )


def _region(places: np.ndarray, frame: Frame, size: tuple[int, int], cells: int) -> _Region | None:
    """Where a face with its landmarks at ``places`` (478, 2) u, v moves; None outside of it all."""
    outline = places[list(OUTLINE)]
    low, high = outline.min(0), outline.max(0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 0.3)
    turns = np.linspace(0, 2 * math.pi, 73)[:-1]
    round_about = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    rim = frame.origin + frame.vectors(middle + round_about * half * EDGE)
    height, width = size
    left, top = np.maximum(0, np.floor(rim.min(0))).astype(int)
    right, bottom = np.minimum((width, height), np.ceil(rim.max(0))).astype(int)
    if right - left < 2 or bottom - top < 2:
        return None
    cell = max(CELL_PIXELS, max(right - left, bottom - top) / cells)
    columns = np.linspace(left, right, max(2, round((right - left) / cell)) + 1)
    rows = np.linspace(top, bottom, max(2, round((bottom - top) / cell)) + 1)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    nodes = frame.inside(grid)
    distance = np.linalg.norm((nodes - middle) / half, axis=1)
    ramp = np.clip((distance - FADE) / (EDGE - 0.05 - FADE), 0, 1)
    fade = (1 - ramp * ramp * (3 - 2 * ramp)).reshape(len(rows), len(columns))
    around = middle + round_about[:: len(turns) // FRAME_POINTS] * half * HOLD
    return _Region(
        (int(left), int(top), int(right), int(bottom)), columns, rows, nodes, fade, around
    )


def _unfolded(
    region: _Region, start: np.ndarray, moves: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The field (R C, 2) u, v that the picture is sampled by, away from each node.

    shares: how much of its way each landmark goes at most (N,); how much it went comes back, and
    the least determinant in each cell (R-1, C-1).
    """
    still = np.zeros_like(region.frame_points)
    fade = region.fade.reshape(-1, 1)
    moving = fade[:, 0] > 0
    for number in range(2 * ROUNDS):
        scaled = moves * shares[:, None]
        ends = np.concatenate([start + scaled, region.frame_points])
        field = np.zeros_like(region.nodes)
        field[moving] = spline(ends, np.concatenate([-scaled, still]), region.nodes[moving])
        field *= fade
        folds = _determinants(region, field).min(0)
        least = float(folds.min())
        if least >= LEAST_JACOBIAN:
            break
        worst = folds.reshape(-1)
        bad = np.argsort(worst)[:WORST]
        where = _cell_middles(region)[bad[worst[bad] < LEAST_JACOBIAN + MARGIN]]
        away = np.square(start[:, None] + scaled[:, None] - where[None]).sum(-1).min(1)
        step = float(np.clip(LEAST_STEP + (least - LEAST_JACOBIAN) / 3, MOST_STEP, LEAST_STEP))
        # Where that does not end it, everything moves less: at no move at all nothing folds.
        near = np.exp(-away / NEAR**2) if number < ROUNDS else 1.0
        shares = shares * (1 - (1 - step) * near)
    else:
        return np.zeros_like(region.nodes), np.zeros(len(start)), np.ones_like(folds)
    return field, shares, folds


def _determinants(region: _Region, field: np.ndarray) -> np.ndarray:
    """The map's Jacobian determinants at the four corners of each cell: (4, R-1, C-1)."""
    shape = (*region.fade.shape, 2)
    mapped, flat = (region.nodes + field).reshape(shape), region.nodes.reshape(shape)

    def crosses(nodes: np.ndarray) -> np.ndarray:
        across, along = np.diff(nodes, axis=1), np.diff(nodes, axis=0)
        pairs = (
            (across[:-1], along[:, :-1]),
            (across[:-1], along[:, 1:]),
            (across[1:], along[:, :-1]),
            (across[1:], along[:, 1:]),
        )
        return np.stack([a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0] for a, b in pairs])

    return crosses(mapped) / crosses(flat)


def _cell_middles(region: _Region) -> np.ndarray:
    """The middles of the cells: ((R-1) (C-1), 2) u, v."""
    nodes = region.nodes.reshape(*region.fade.shape, 2)
    return ((nodes[:-1, :-1] + nodes[1:, 1:]) / 2).reshape(-1, 2)


def _upsampled(moved: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """``moved`` (R, C, 2) at the nodes as (h, w, 2) at the middles of the region's pixels."""
    field = torch.from_numpy(moved.astype(np.float32))
    for axis, side in enumerate(size):
        cells = field.shape[axis] - 1
        at = (torch.arange(side) + 0.5) * (cells / side)
        before = at.long().clamp_max(cells - 1)
        share = (at - before).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        start, end = field.index_select(axis, before), field.index_select(axis, before + 1)
        field = torch.lerp(start, end, share)
    return field


def spline(
    places: np.ndarray, values: np.ndarray, at: np.ndarray, smoothing: float = SMOOTHING
) -> np.ndarray:
    """The thin-plate spline through ``values`` (N, 2) at ``places`` (N, 2), read ``at`` (M, 2)."""
    count = len(places)
    affine = np.concatenate([np.ones((count, 1)), places], axis=1)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(places, places) + smoothing * np.eye(count)
    system[:count, count:], system[count:, :count] = affine, affine.T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    # Single precision is a thousandth of a pixel here, and several times as fast.
    single, centres = at.astype(np.float32), places.astype(np.float32)
    bending = weights[:count].astype(np.float32)
    bent = np.empty((len(at), 2), np.float32)
    for first in range(0, len(at), CHUNK):
        part = slice(first, first + CHUNK)
        bent[part] = _kernel(single[part], centres) @ bending
    return bent + weights[count] + at @ weights[count + 1 :]


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """U = r² log r of the distances between ``first`` (N, 2) and ``second`` (M, 2)."""
    squared = first[:, :1] - second[:, 0]
    squared *= squared
    across = first[:, 1:] - second[:, 1]
    across *= across
    squared += across
    squared += squared.dtype.type(1e-30)
    np.log(squared, out=across)
    across *= squared
    across *= squared.dtype.type(0.5)
    return across
