"""Masks as nodes hand them on: none at all, or 1 on what is not there."""

from __future__ import annotations

import torch

FRAME = 0.04
"""Of the shorter side: how wide the edge is that a character's mask leaves mostly empty."""


def subject_mask(
    mask: torch.Tensor | None, image: torch.Tensor
) -> tuple[torch.Tensor | None, bool]:
    """``mask`` (H, W) as 1 on the character in ``image`` (H, W, 3), and whether it was inverted.

    None where it masks nothing: core's Load Image gives zeros of 64 by 64 for a picture without
    transparency, and zeros of its size for one that is opaque.
    """
    if mask is None or not bool(mask.any()):
        return None, False
    inverted = is_inverted(mask, image)
    return 1 - mask if inverted else mask, inverted


def is_inverted(mask: torch.Tensor, image: torch.Tensor) -> bool:
    """Whether ``mask`` (H, W) is 1 around the character instead of on it, in ``image`` (H, W, 3).

    Load Image's is, for a cut-out picture: 1 where that is transparent. It covers most of the edge
    and little of the middle, which no character does; or else what it covers is of one colour up
    to the edge, as the emptiness of a cut-out is, and the rest is not.
    """
    height, width = mask.shape
    if min(height, width) < 8 or mask.shape != image.shape[:2]:
        return False
    edge = max(1, round(FRAME * min(height, width)))
    inner = mask[edge:-edge, edge:-edge]
    around = (mask.sum() - inner.sum()) / (mask.numel() - inner.numel())
    middle = mask[height // 3 : -(height // 3), width // 3 : -(width // 3)].mean()
    if around < 0.2:
        return False
    if around > 0.5 and middle < 0.5:
        return True
    covered, free = image[mask > 0.99], image[mask < 0.01]
    return bool(len(covered) and len(free) and _plain(covered) and not _plain(free))


def _plain(pixels: torch.Tensor) -> bool:
    """Whether ``pixels`` (N, 3) are all of one colour."""
    return bool((pixels.amax(0) - pixels.amin(0)).max() <= 2 / 255)
