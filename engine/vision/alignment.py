"""Faces turned, scaled and cropped to where face recognition expects them.

The five points are the centres of the eyes, the tip of the nose and the corners of the mouth, the
right eye and corner of the person first: those on the left of a picture that the face looks out of.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from .faces import Face

RIGHT_EYE, LEFT_EYE = (33, 133, 159, 145), (263, 362, 386, 374)
"""Corners and lids of each eye among the 478 landmarks. Their middle is the eye's centre, wherever
the eye looks; the irises (468, 473) go along with the gaze."""
NOSE_TIP, RIGHT_CORNER, LEFT_CORNER = 1, 61, 291

SIDE = 112
TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where ArcFace (Deng et al. 2019) has the five points in its 112 px crops: InsightFace's
`face_align.arcface_dst`, whose whole numbers are the middles of pixels."""


def five_points(face: Face) -> np.ndarray:
    """The five points of ``face`` (5, 2) in px of its picture."""
    marks = face.landmarks.astype(np.float64)
    eyes = [marks[list(eye)].mean(axis=0) for eye in (RIGHT_EYE, LEFT_EYE)]
    return np.stack([*eyes, marks[NOSE_TIP], marks[RIGHT_CORNER], marks[LEFT_CORNER]])


def similarity(points: np.ndarray, goal: np.ndarray) -> np.ndarray | None:
    """The turn, scale and shift that bring ``points`` nearest to ``goal``, both (N, 2): (2, 3).

    Least squares without a reflection (Umeyama 1991, equations 40 to 42). None when the points are
    not numbers or lie on one another.
    """
    if not np.isfinite(points).all():
        return None
    from_middle, to_middle = points.mean(axis=0), goal.mean(axis=0)
    start, end = points - from_middle, goal - to_middle
    variance = float(np.square(start).sum(axis=1).mean())
    if variance < 1e-6:
        return None
    left, singular, right = np.linalg.svd(end.T @ start / len(points))
    upright = np.array([1.0, math.copysign(1.0, np.linalg.det(left) * np.linalg.det(right))])
    rotation = left @ np.diag(upright) @ right
    scale = float((singular * upright).sum()) / variance
    if scale <= 0:
        return None
    shift = to_middle - scale * rotation @ from_middle
    return np.column_stack([scale * rotation, shift])


def aligned(
    image: torch.Tensor,
    face: Face,
    size: int = SIDE,
    margin: float = 0.0,
    fill: torch.Tensor | None = None,
) -> torch.Tensor | None:
    """The face in ``image`` (H, W, 3), upright and in its place: (size, size, 3).

    margin: what is seen around ArcFace's crop, as a share of its side. fill: the colour (3,) of
    what lies outside of the picture, black where none is given, as ArcFace's training had it.
    None when the landmarks are no face.
    """
    # A landmark is told from the picture's edge, so that a pixel's middle is at a half.
    goal = ((TEMPLATE + 0.5 - SIDE / 2) / (1 + 2 * margin) + SIDE / 2) * (size / SIDE)
    matrix = similarity(five_points(face), goal)
    if matrix is None:
        return None
    back = np.linalg.inv(matrix[:, :2])
    middles = np.arange(size) + 0.5
    source = (np.stack(np.meshgrid(middles, middles), axis=-1) - matrix[:, 2]) @ back.T
    picture = image[..., :3].detach().to("cpu", torch.float32)
    colour = picture.new_zeros(3) if fill is None else fill
    window, source = _window(picture - colour, source, math.sqrt(abs(np.linalg.det(back))))
    height, width = window.shape[-2:]
    places = torch.from_numpy(source / (width, height) * 2 - 1).float()
    crop = F.grid_sample(window, places[None], padding_mode="zeros", align_corners=False)
    return (crop[0].movedim(0, -1) + colour).clamp(0, 1)


def _window(
    picture: torch.Tensor, source: np.ndarray, step: float
) -> tuple[torch.Tensor, np.ndarray]:
    """The part of ``picture`` (H, W, 3) around ``source`` (S, S, 2), as (1, 3, h, w).

    It is made smaller where the crop takes one of ``step`` pixels, so that no pixel is left out
    and a large face looks like the same face in a small picture. ``source`` comes back in its px.
    """
    height, width = picture.shape[:2]
    pad = 2 * math.ceil(step)
    low = np.clip(np.floor(source.min(axis=(0, 1))) - pad, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(source.max(axis=(0, 1))) + pad, low + 1, (width, height)).astype(int)
    window = picture[low[1] : high[1], low[0] : high[0]].movedim(-1, 0)[None]
    source = source - low
    if step > 1:
        extent = high - low
        small = np.maximum(1, np.round(extent / step)).astype(int)
        window = F.interpolate(
            window, size=(int(small[1]), int(small[0])), mode="bilinear", antialias=True
        )
        source = source * (small / extent)
    return window, source
