"""The thin-plate spline (Bookstein 1989, U = r² log r), smoothed by λ as in Wahba 1990."""

from __future__ import annotations

import numpy as np

SMOOTHING = 1e-3
CHUNK = 512


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
