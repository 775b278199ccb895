"""The sizes that pictures are trained at: near their own shape, and shared where that helps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...core.character import Shot
from ...core.shapes import MOST_RATIO, SMALLEST_SIDE, seen_part
from ..settings import TrainingSettings

LARGEST = 1024

# What a picture may lose at its edges, or in area, to share a size with others.
_KEPT_AT_LEAST = 7 / 8
_AREA_AT_LEAST = 3 / 4

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, eq=False)
class View:
    """A shot at one size, mirrored or not, and its share of the shot's weight."""

    shot: Shot
    size: Size
    mirrored: bool = False
    share: float = 1.0


def views(shots: Sequence[Shot], settings: TrainingSettings, multiple: int) -> list[View]:
    """Every way in which ``shots`` are trained; together they weigh what the shots do.

    At each resolution of ``settings`` once, never enlarged, and mirrored as well if it says so.
    In batches of more than one, pictures of almost one shape share a size, because a batch has
    only one; alone each keeps its own.
    """
    resolutions = trained_sides(shots, settings)
    pictures = [_size(shot) for shot in shots]
    columns = []
    for resolution in resolutions:
        sizes = [fitted_size(*picture, resolution, multiple) for picture in pictures]
        if settings.batch_size > 1:
            sizes = shared_sizes(pictures, sizes, settings.batch_size)
        columns.append(sizes)
    made = []
    turns = (False, True) if settings.flip else (False,)
    for shot, different in zip(shots, map(dict.fromkeys, zip(*columns))):
        ways = [(size, turned) for size in different for turned in turns]
        made += [View(shot, size, turned, 1 / len(ways)) for size, turned in ways]
    return made


def trained_sides(shots: Sequence[Shot], settings: TrainingSettings) -> tuple[int, ...]:
    """The sides in pixels of the squares whose areas ``shots`` are trained at."""
    return settings.sides() or (settings.resolution or common_resolution(shots),)


def common_resolution(shots: Sequence[Shot]) -> int:
    """The side of the square with the median picture's area, at most 1024 pixels."""
    areas = sorted(math.prod(shot.size) for shot in shots)
    return min(round(math.sqrt(areas[len(areas) // 2])), LARGEST)


def fitted_size(width: int, height: int, resolution: int, multiple: int = 16) -> Size:
    """The size (width, height) in pixels to train a picture at.

    Nearest to the shape of its part that a model can see, with an area of at most ``resolution``
    squared, in multiples of ``multiple``; never enlarged but to the smallest side a model can take.
    """
    width, height = seen_part(width, height)
    scale = min(1.0, resolution / math.sqrt(width * height))
    smallest = math.ceil(SMALLEST_SIDE / multiple)

    def fitted(side: int) -> int:
        return max(round(side * scale / multiple), smallest) * multiple

    return fitted(width), fitted(height)


def shared_sizes(pictures: Sequence[Size], fitted: Sequence[Size], batch: int) -> list[Size]:
    """``fitted`` sizes of ``pictures``, where those too rare to fill a ``batch`` join others.

    A picture joins the most common size that it can be cut to without being enlarged and without
    losing more than an eighth of itself or a quarter of its pixels.
    """
    counts = Counter(fitted)
    common_first = sorted(counts, key=lambda size: (-counts[size], size))

    def choose(picture: Size, own: Size) -> Size:
        if counts[own] >= batch:
            return own
        return next(size for size in common_first if size == own or _can_join(picture, own, size))

    return [choose(picture, own) for picture, own in zip(pictures, fitted, strict=True)]


def size_multiple(model: Any, vae: Any) -> int:
    """What sides in pixels are multiples of, for ``model`` (a BaseModel) and its VAE.

    The VAE's factor times the model's patch, or times two, as models without patches halve it.
    """
    return int(vae.spacial_compression_encode()) * max(2, patch_size(model))


def patch_size(model: Any) -> int:
    """The side in latent pixels of the patches that ``model`` (a BaseModel) sees, 1 for none."""
    patch = getattr(model.diffusion_model, "patch_size", 2)
    return int(patch[-1] if isinstance(patch, list | tuple) else patch)


def smaller_pictures(shots: Sequence[Shot], settings: TrainingSettings) -> str:
    """A sentence when some of ``shots`` are smaller than what they are to be trained at."""
    asked = max(settings.sides(), default=settings.resolution)
    small = sum(math.prod(_size(shot)) < (0.95 * asked) ** 2 for shot in shots)
    if not small:
        return ""
    return (
        f"{small} of {len(shots)} images are smaller than {asked} by {asked} pixels and are "
        "trained at their own size, since enlarging them would teach their blur."
    )


def cut_pictures(shots: Sequence[Shot]) -> str:
    """A sentence when some of ``shots`` are longer than any shape that models see."""
    long = sum(seen_part(*_size(shot)) != _size(shot) for shot in shots)
    if not long:
        return ""
    return (
        f"{long} of {len(shots)} images are more than {MOST_RATIO} times as long as they are wide; "
        "only their middle is trained. Crop them to the character."
    )


def _size(shot: Shot) -> Size:
    height, width = shot.size
    return width, height


def _can_join(picture: Size, own: Size, other: Size) -> bool:
    def scale(size: Size) -> float:
        return max(size[0] / picture[0], size[1] / picture[1])

    kept = math.prod(other) / (scale(other) ** 2 * math.prod(picture))
    enough = math.prod(other) >= _AREA_AT_LEAST * math.prod(own)
    return enough and kept >= _KEPT_AT_LEAST and scale(other) <= max(1.0, scale(own))
