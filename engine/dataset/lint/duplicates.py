"""Pictures that show the same twice: alike to an encoder, and in their pixels once laid over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ...core.character import Character
from ...vision.embedding import embed
from ...vision.similarity import least_alike, small
from .finding import Finding, found
from .looks import Look

SAME_EMBEDDING = 0.85
"""Cosine below which two pictures are not the same. It is low, because an encoder that knows people
finds all pictures of one person alike; what decides is the pixels."""
SAME_ROUGHLY = 0.95
"""Correlation of 12 px thumbnails, below which pixels are not looked at."""
ALIKE = 0.76
"""SSIM where two pictures differ most, once laid over each other. Of 24 drawn pictures that were
moved, cut, lit and compressed otherwise the least alike has 0.78."""
APART = 0.093
"""Most by which a block of 3 px may differ, of 0..1: a mouth that smiles in somebody small shows in
few pixels. The 24 reach 0.085; of the pictures with the same room, clothes and view, and another
expression or pose, one in 300 stays below."""
NEAREST = 4
SIDE, EDGE = 64, 4
FURTHEST = 0.15
PYRAMID, STEPS = (16, 32, SIDE), 4
AT_ONCE = 128


def near_duplicates(
    character: Character, seen: Sequence[Look], clip_vision: Any = None
) -> list[Finding]:
    """Of pictures that are nearly the same, all but the best one.

    By their pixels, and by a CLIP_VISION where there is one.
    """
    if len(seen) < 2:
        return []
    embeddings = torch.ones(len(seen), 1)
    if clip_vision is not None:
        embeddings = embed(clip_vision, (look.shot.image for look in seen))
    thumbnails = torch.stack([small(look.shot.image, SIDE) for look in seen]).contiguous()
    pairs = alike(thumbnails, embeddings)
    findings = []
    for group in _groups(len(seen), pairs):
        best = max(group, key=lambda n: _worth(character, seen[n]))
        for other in group:
            if other != best:
                shots = (seen[best].shot.hash, seen[other].shot.hash)
                findings.append(found("near_duplicate", shots, "Two images are nearly the same."))
    return findings


def alike(thumbnails: torch.Tensor, embeddings: torch.Tensor) -> list[tuple[int, int]]:
    """Pairs of ``thumbnails`` (N, 3, S, S) that show the same, moved by a little or lit otherwise.

    embeddings: (N, D), each of length 1. Each picture is compared with its four nearest.
    """
    rough = F.interpolate(thumbnails, (12, 12), mode="area").flatten(1)
    rough = F.normalize(rough - rough.mean(dim=1, keepdim=True), dim=1)
    close = rough @ rough.T
    close[(embeddings @ embeddings.T < SAME_EMBEDDING) | (close < SAME_ROUGHLY)] = -1
    close.fill_diagonal_(-1)
    values, nearest = close.topk(min(NEAREST, len(close) - 1), dim=1)
    candidates = {
        (min(row, other), max(row, other))
        for row, others in enumerate(nearest.tolist())
        for column, other in enumerate(others)
        if values[row, column] > 0
    }
    ordered = sorted(candidates)
    pairs = []
    for start in range(0, len(ordered), AT_ONCE):
        part = torch.tensor(ordered[start : start + AT_ONCE])
        first, second = laid_over(thumbnails[part[:, 0]], thumbnails[part[:, 1]])
        same = torch.cat([least_alike(a, b[None]) for a, b in zip(first, second, strict=True)])
        apart = F.avg_pool2d((first - second).abs().mean(dim=1), 3, stride=1).amax(dim=(1, 2))
        same_picture = (same > ALIKE) & (apart < APART)
        pairs += [ordered[start + n] for n in torch.nonzero(same_picture).flatten().tolist()]
    return pairs


def laid_over(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``first`` and ``second`` (N, 3, S, S), the second moved, scaled and lit like the first.

    Gauss-Newton on scale and shift in x and y, gain and offset, from coarse to fine, each pixel
    weighted by how well it fits (Lucas and Kanade 1981; Baker and Matthews 2004, eq. 10). The
    edges, which the move leaves empty, are cut off.
    """
    place = torch.zeros(len(first), 4)
    for side in PYRAMID:
        target, moving = _grey(first, side), _grey(second, side)
        axis = (torch.arange(side) + 0.5) / side * 2 - 1
        across, down = axis.expand(side, side), axis[:, None].expand(side, side)
        for _ in range(STEPS):
            moved = _moved(moving, place)
            padded = F.pad(moved, (1, 1, 1, 1), mode="replicate")
            right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) * side / 4
            below = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) * side / 4
            parts = (right * across, below * down, right, below, moved, torch.ones_like(moved))
            jacobian = torch.stack(parts, dim=-1).flatten(1, 3)
            residual = (target - moved).flatten(1)[..., None]
            weighted = (jacobian / (1 + (residual / 0.1).square())).transpose(1, 2)
            # A little damping keeps a picture with nothing in it where it is.
            normal = weighted @ jacobian + 1e-5 * side * side * torch.eye(6)
            step = torch.linalg.solve(normal, weighted @ residual)[..., 0]
            place = (place + step[:, :4]).clamp(-FURTHEST, FURTHEST)
    inner = slice(EDGE, -EDGE)
    one, other = first[..., inner, inner], _moved(second, place)[..., inner, inner]
    energy = other.square().mean(dim=(1, 2, 3)).clamp_min(1e-6)
    gain = (one * other).mean(dim=(1, 2, 3)) / energy
    return one, other * gain[:, None, None, None]


def _grey(pictures: torch.Tensor, side: int) -> torch.Tensor:
    return F.interpolate(pictures, (side, side), mode="area").mean(dim=1, keepdim=True)


def _moved(pictures: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    theta = torch.zeros(len(place), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = 1 + place[:, 0], 1 + place[:, 1]
    theta[:, :, 2] = place[:, 2:]
    grid = F.affine_grid(theta, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _groups(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Numbers that ``pairs`` connect, in groups of two and more."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, dtype=int).reshape(-1, 2).T
    _, labels = connected_components(coo_array((np.ones(len(pairs)), ends), (count, count)))
    members: dict[int, list[int]] = {}
    for number, label in enumerate(labels.tolist()):
        members.setdefault(label, []).append(number)
    return [numbers for numbers in members.values() if len(numbers) > 1]


def _worth(character: Character, look: Look) -> tuple[bool, bool, float]:
    """The original is kept, then what a person has captioned, then the sharper picture."""
    shot = look.shot
    return shot.hash == character.source.hash, shot.by_hand, look.sharpness
