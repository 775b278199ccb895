"""MediaPipe's face-mesh indices as far as the world places them, and a rigid head for the rest.

A rigid point is an azimuth in degrees (0 at the nose, positive on the person's left), a height in
head radii and a distance from the head's axis in face widths.
"""

from __future__ import annotations

import numpy as np

COUNT = 478

FACE_OVAL = (
    10,
    338,
    297,
    332,
    284,
    251,
    389,
    356,
    454,
    323,
    361,
    288,
    397,
    365,
    379,
    378,
    400,
    377,
    152,
    148,
    176,
    149,
    150,
    136,
    172,
    58,
    132,
    93,
    234,
    127,
    162,
    21,
    54,
    103,
    67,
    109,
)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
"""Each eye from the outer corner over the lower lid to the inner corner and back over the upper."""
RIGHT_BROW = ((46, 53, 52, 65, 55), (70, 63, 105, 66, 107))
LEFT_BROW = ((276, 283, 282, 295, 285), (300, 293, 334, 296, 336))
"""Lower and upper edge of each brow, from outside in."""
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)
"""Centre, then the picture's right, top, left, bottom of each iris."""
LIPS = {
    "lower": (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    "upper": (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    "gap_bottom": (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    "gap_top": (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
}
"""The lips' edges from the person's right corner to the left one."""
NOSE_LINE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2)
"""From the bridge down to below the tip."""
NOSE_WINGS = {
    64: (-1, 0.0),
    48: (-1, -0.03),
    98: (-1, 0.05),
    129: (-1, 0.02),
    294: (1, 0.0),
    278: (1, -0.03),
    327: (1, 0.05),
    358: (1, 0.02),
}
CHEEKS = {
    50: (-40, 0.36),
    205: (-36, 0.46),
    187: (-44, 0.56),
    280: (40, 0.36),
    425: (36, 0.46),
    411: (44, 0.56),
}
FOREHEAD = {151: (0, -0.52), 9: (0, -0.3), 8: (0, -0.18)}


def _ring(indices: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(indices, (*indices[1:], indices[0])))


def _line(indices: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(indices, indices[1:]))


def rigid_points() -> dict[int, tuple[float, float]]:
    """Index to azimuth and height of every point that no feature moves."""
    placed: dict[int, tuple[float, float]] = {}
    for i, index in enumerate(FACE_OVAL):
        turn = 2 * np.pi * i / len(FACE_OVAL)
        height = -0.72 * np.cos(turn) if np.cos(turn) > 0 else -0.98 * np.cos(turn)
        placed[index] = (float(80 * np.sin(turn)), float(height))
    placed.update({k: (float(a), y) for k, (a, y) in {**CHEEKS, **FOREHEAD}.items()})
    moved = set(RIGHT_EYE + LEFT_EYE + RIGHT_IRIS + LEFT_IRIS + NOSE_LINE) | set(NOSE_WINGS)
    moved |= {i for ring in LIPS.values() for i in ring}
    moved |= {i for brow in (RIGHT_BROW, LEFT_BROW) for edge in brow for i in edge}
    free = [i for i in range(COUNT) if i not in placed and i not in moved]
    golden = (1 + 5**0.5) / 2
    for i, index in enumerate(free):
        across, down = (i / golden) % 1, (i + 0.5) / len(free)
        placed[index] = (float(140 * across - 70), float(1.5 * down - 0.62))
    return placed


def topology() -> dict[str, list[tuple[int, int]]]:
    """Edges of each named part, as core's nodes draw them."""
    brow = {
        name: _line(edges[0]) + _line(edges[1])
        for name, edges in (("right_eyebrow", RIGHT_BROW), ("left_eyebrow", LEFT_BROW))
    }
    lips = [edge for ring in LIPS.values() for edge in _line(ring)]
    wings = [(98, 64), (64, 48), (48, 129), (327, 294), (294, 278), (278, 358), (98, 2), (2, 327)]
    parts = {
        "face_oval": _ring(FACE_OVAL),
        "left_eye": _ring(LEFT_EYE),
        "right_eye": _ring(RIGHT_EYE),
        **brow,
        "lips": lips,
        "irises": _ring(RIGHT_IRIS[1:]) + _ring(LEFT_IRIS[1:]),
        "nose": _line(NOSE_LINE) + wings,
    }
    rigid = rigid_points()
    indices = list(rigid)
    flat = np.array([(a / 90, y) for a, y in rigid.values()])
    distance = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    nearest = np.argsort(distance, axis=1)[:, 1:4]
    mesh = {tuple(sorted((indices[i], indices[j]))) for i, row in enumerate(nearest) for j in row}
    parts["tesselation"] = sorted(mesh) + [edge for edges in parts.values() for edge in edges]
    return parts
