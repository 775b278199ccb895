"""Upper lids that come down over the eye: layers of their own, for what is behind them stays.

A lid is skin that slides over the eyeball. One map for both would press the eyeball together until
it folds, and leave a slit in which the iris is seen. Here the skin between brow and lid is drawn
down column by column in the face's frame, and cannot fold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .table import BETWEEN, EYES, GROUPS

CLOSES = 0.97
"""Of the height between the lids: from there on down an upper lid comes over the eye."""
ABOVE = 0.2
"""How much of the way from the row between lid and brow up to the brow its skin comes from."""
OVER, RIM = 0.012, 0.006
"""In outer-eye distances: how far a closed lid goes over the lower one, and how much below its
landmarks belongs to it. Detectors have them a little inside the eye."""
LASHES, LEAST_SKIN, RAMP = 0.02, 0.03, 0.25
"""How much above its edge goes along as one, how much skin there is at least, in outer-eye
distances; and over which share of the skin the stretching begins and ends."""
SOFT, SHARPEST = 0.01, 1.0
"""How wide its edge is, in outer-eye distances, and in pixels at least."""
SMOOTH = 8


@dataclass(frozen=True, eq=False)
class ClosingLid:
    """An upper lid that comes down: curves (N, 2) u, v from one corner of the eye to the other.

    top: above it, all skin stays. before, after: its edge.
    """

    top: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the most u, v that it has."""
        whole = np.concatenate([self.top, self.before, self.after])
        return whole.min(0), whole.max(0) + np.array([0, SOFT])

    def cover(self, at: np.ndarray, height: float) -> np.ndarray:
        """How much of the pixels ``at`` (N, 2) u, v it covers: (N,). height: px of one v."""
        soft = max(SOFT, SHARPEST / height)
        low, high = self.after[[0, -1], 0]
        within = (at[:, 0] > low) & (at[:, 0] < high)
        return _fading((at[:, 1] - _at(self.after, at[:, 0])) / soft + 0.5) * within

    def taken(self, at: np.ndarray) -> np.ndarray:
        """Where skin ``at`` (N, 2) u, v was before the lid came down: (N, 2)."""
        before, drop, skin, lashes, ramp = self._skin(at[:, 0])
        down = at[:, 1] - (before - skin)
        end = skin + drop - lashes - ramp
        stretched = _ramped(down, ramp) - _ramped(down - end, ramp)
        return np.stack([at[:, 0], at[:, 1] - drop / end * stretched], axis=1)

    @property
    def least_jacobian(self) -> float:
        """The least determinant of that map."""
        across = np.linspace(self.after[0, 0], self.after[-1, 0], 65)
        _, drop, skin, lashes, ramp = self._skin(across)
        return float((1 - drop / (skin + drop - lashes - ramp)).min())

    def _skin(self, across: np.ndarray) -> tuple[np.ndarray, ...]:
        """At ``across`` (N,) u: where the edge was, how far it comes down, how much skin is
        stretched for it, and how much of that are lashes and each ramp."""
        before = _at(self.before, across)
        drop = np.maximum(0, _at(self.after, across) - before)
        skin = np.maximum(LEAST_SKIN, before - _at(self.top, across))
        return before, drop, skin, np.minimum(LASHES, RAMP * skin), RAMP * skin


def closing_eyes(start: np.ndarray, goal: np.ndarray) -> list[int]:
    """Which of EYES close on a face that goes from ``start`` to ``goal`` (478, 2) u, v."""
    found = []
    for number, (_, upper, lower, _, _) in enumerate(EYES):
        before, after = (_apart(places, upper, lower) for places in (start, goal))
        if after < CLOSES * before:
            found.append(number)
    return found


def closing_lid(
    eye: int, start: np.ndarray, goal: np.ndarray, moved: Callable[[np.ndarray], np.ndarray]
) -> ClosingLid:
    """The upper lid of one of EYES, on a face that goes from ``start`` to ``goal`` (478, 2) u, v.

    moved: where all that the face does besides brings places (N, 2) u, v.
    """
    (left, upper, lower, right, _), row = EYES[eye], BETWEEN[eye]
    edge = [left, *GROUPS[upper].points, right]
    bulge = np.array([0, *GROUPS[upper].weights, 0])[:, None] * (0, 1)
    closed = 1 - _apart(goal, upper, lower) / _apart(start, upper, lower)
    skin = goal[list(row.points)] + ABOVE * (goal[list(row.brow)] - goal[list(row.points)])
    before = moved(start[edge]) + RIM * bulge
    after = goal[edge] + (RIM + OVER * closed) * bulge
    return ClosingLid(*(_curve(points) for points in (skin, before, after)))


def _apart(places: np.ndarray, upper: str, lower: str) -> float:
    above, below = list(GROUPS[upper].points), list(GROUPS[lower].points)
    return float((places[below, 1] - places[above, 1]).mean())


def _curve(points: np.ndarray) -> np.ndarray:
    """A smooth curve through ``points`` (N, 2) from left to right: Catmull and Rom's, (M, 2)."""
    line = points[np.argsort(points[:, 0])]
    ends = np.concatenate([2 * line[:1] - line[1:2], line, 2 * line[-1:] - line[-2:-1]])
    one, two, three, four = (ends[at : len(ends) - 3 + at, None] for at in range(4))
    t = np.linspace(0, 1, SMOOTH, endpoint=False)[:, None]
    between = two + t / 2 * (
        three
        - one
        + t * (2 * one - 5 * two + 4 * three - four + t * (3 * (two - three) + four - one))
    )
    curve = np.concatenate([between.reshape(-1, 2), line[-1:]])
    curve[:, 0] = np.maximum.accumulate(curve[:, 0])
    return curve


def _at(curve: np.ndarray, across: np.ndarray) -> np.ndarray:
    height: np.ndarray = np.interp(across, curve[:, 0], curve[:, 1])
    return height


def _ramped(down: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """The integral up to ``down`` of what goes smoothly from 0 to 1 over ``ramp``."""
    t = np.clip(down / ramp, 0, 1)
    area: np.ndarray = ramp * t**3 * (1 - t / 2) + np.maximum(0, down - ramp)
    return area


def _fading(away: np.ndarray) -> np.ndarray:
    """1 up to 0, 0 from 1 on, smooth in between."""
    ramp = np.clip(1 - away, 0, 1)
    shares: np.ndarray = ramp * ramp * (3 - 2 * ramp)
    return shares
