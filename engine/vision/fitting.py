"""A picture cut so that it fits another: what was cropped off is found before two are compared."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .similarity import psnr

MOST_CUT = 0.1
"""So much may be cut off at each side, as a share of it."""
ROUGH, FINE = (4, 4, 2, 2), (1, 1, 1)
"""How much coarser than the target each step looks: what lies apart meets only when blurred."""
MAY_BE, NEAR = 15.0, 18.0
"""PSNR in dB, at a quarter of the size as they are and at half of it after the rough steps, from
which two pictures may be the same one. Photographs cut by 5 % at each side have 17 and 32 or more,
19 of 20 pairs of different ones less than 14.3."""


def cut_to_fit(pictures: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Those of ``pictures`` that come near to ``target`` when their sides are cut, cut like that.

    Gauss-Newton on the pixels (Lucas and Kanade 1981), for each of the four sides by itself.
    pictures: (N, 3, 2S, 2S). target: (3, S, S), S a multiple of 4. Returns the numbers (M,) of
    those, and (M, 3, S, S).
    """
    numbers = (psnr(F.avg_pool2d(target, 4), F.avg_pool2d(pictures, 8)) > MAY_BE).nonzero()[:, 0]
    if not len(numbers):
        return numbers, target.new_empty(0, *target.shape)
    pictures, box = pictures[numbers], torch.tensor([[-1.0, -1.0, 1.0, 1.0]] * len(numbers))
    for coarser in ROUGH:
        box = _moved(box, pictures, target, coarser)
    near = psnr(F.avg_pool2d(target, 2), _cut(F.avg_pool2d(pictures, 2), box)) > NEAR
    numbers, pictures, box = numbers[near], pictures[near], box[near]
    for coarser in FINE if len(numbers) else ():
        box = _moved(box, pictures, target, coarser)
    return numbers, _cut(pictures, box) if len(numbers) else target.new_empty(0, *target.shape)


def _cut(pictures: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
    """The part in ``box`` (N, 4), left, top, right, bottom in -1..1, at half the size."""
    theta = torch.zeros(len(box), 2, 3)
    theta[:, :, 2] = (box[:, 2:] + box[:, :2]) / 2
    theta[:, 0, 0], theta[:, 1, 1] = ((box[:, 2:] - box[:, :2]) / 2).unbind(1)
    grid = F.affine_grid(theta, list(pictures.shape), align_corners=False)
    cut = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(cut, 2)


def _moved(
    box: torch.Tensor, pictures: torch.Tensor, target: torch.Tensor, coarser: int
) -> torch.Tensor:
    """``box`` with its sides where the slopes of the cut pictures say that they fit best."""
    cut = _cut(F.avg_pool2d(pictures, coarser), box)
    wanted = F.avg_pool2d(target, coarser)
    width, height = (box[:, 2:] - box[:, :2]).T[:, :, None, None, None] / cut.shape[-1]
    across, down = torch.gradient(cut, dim=(-1, -2))
    across, down = across / width, down / height
    right = (torch.arange(cut.shape[-1]) + 0.5) / cut.shape[-1]
    low = right[:, None]
    sides = (across * (1 - right), down * (1 - low), across * right, down * low)
    slopes = torch.stack(sides, dim=1).flatten(2)
    apart = (wanted - cut).flatten(1)[..., None]
    square = slopes @ slopes.mT + 1e-3 * torch.eye(4)
    box = box + torch.linalg.solve(square, slopes @ apart)[..., 0]
    most = 2 * MOST_CUT
    return torch.cat([box[:, :2].clamp(-1, most - 1), box[:, 2:].clamp(1 - most, 1)], dim=1)
