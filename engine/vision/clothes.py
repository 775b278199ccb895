"""Whether a garment of the dataset appears where nobody asked for one.

A garment is known by its colour: the median of the clothes below a face, in CIELAB. It is the
dataset's own when so many of its pictures share one colour that the LoRA may take it for a part of
the character.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..core.character import Shot
from .colours import to_lab
from .faces import Face

CHIN = 152
SAME = 14.0
"""Distance in CIELAB up to which two garments are of one colour; the light of a scene moves it."""
SAME_IN_ALL_LIGHTS = 20.0
"""The same where most of a whole dataset has to agree, whose scenes have every light. On the flawed
sets of the dataset benchmark it finds 0.89 of the shots in one garment, and 0.995 of those found
are; in sets of many clothes the largest group is a fifth, where 0.8 is asked for."""
OWN_SHARE = 0.4
MIN_PIXELS = 24


@dataclass(frozen=True)
class Garment:
    """The dataset's own garment: CIELAB colour, how it is called, and in what share it is worn."""

    colour: tuple[float, float, float]
    name: str
    share: float

    def worn(self, colour: tuple[float, float, float] | None) -> bool | None:
        """Whether clothes of ``colour`` are this garment; None when no clothes are seen."""
        if colour is None:
            return None
        return bool(_distances(np.array([colour]), self.colour)[0] < SAME)


def clothes_colour(image: torch.Tensor, face: Face | None) -> tuple[float, float, float] | None:
    """Median CIELAB colour of the clothes under ``face`` in ``image`` (H, W, 3); None if unseen.

    They are looked for on the chest: from a quarter of the face's height under the chin to nearly
    one. A head that is turned has its chin in front of the chest.
    """
    if face is None:
        return None
    height, width = image.shape[:2]
    tall, turn = face.height, math.radians(face.yaw)
    x = face.landmarks[CHIN][0] - 0.5 * tall * math.sin(turn)
    y = face.landmarks[CHIN][1]
    half = (0.2 + 0.2 * abs(math.cos(turn))) * tall
    top, bottom = int(y + 0.25 * tall), int(min(height, y + 0.95 * tall))
    left, right = int(max(0, x - half)), int(min(width, x + half))
    if bottom <= top or right <= left or (bottom - top) * (right - left) < MIN_PIXELS:
        return None
    lab = to_lab(image[top:bottom, left:right]).reshape(-1, 3)
    lightness, a, b = (float(value) for value in np.median(lab, axis=0))
    return lightness, a, b


def own_garment(
    shots: Sequence[Shot], colours: Sequence[tuple[float, float, float] | None]
) -> Garment | None:
    """The garment that at least 40 % of ``shots`` wear, of those whose ``colours`` are known."""
    seen = [(shot, colour) for shot, colour in zip(shots, colours, strict=True) if colour]
    if len(seen) < 3:
        return None
    lab = np.array([colour for _, colour in seen])
    alike = of_one_colour(lab, SAME)
    share = float(alike.mean())
    if share < OWN_SHARE:
        return None
    lightness, a, b = (float(value) for value in np.median(lab[alike], axis=0))
    wearing = [shot for (shot, _), near in zip(seen, alike, strict=True) if near]
    outfits = Counter(shot.tags.outfit for shot in wearing if shot.tags.outfit)
    name = outfits.most_common(1)[0][0] if outfits else ""
    return Garment((lightness, a, b), name, share)


def of_one_colour(lab: np.ndarray, within: float) -> np.ndarray:
    """Which of the colours ``lab`` (N, 3) are ``within`` of the one that most others are near."""
    alike = np.stack([_distances(lab, colour) < within for colour in lab])
    near: np.ndarray = alike[int(alike.sum(1).argmax())]
    return near


def _distances(lab: np.ndarray, colour: Sequence[float] | np.ndarray) -> np.ndarray:
    """Distances of ``lab`` (N, 3) from ``colour``; lightness counts half, as shade moves it."""
    away = (lab - np.asarray(colour)) * (0.5, 1.0, 1.0)
    return np.sqrt(np.square(away).sum(-1))
