"""Appearance embeddings from any CLIP_VISION that ComfyUI loads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

BATCH = 16


def pad_to_square(image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3) centred on a square of its border's mean colour: (S, S, 3)."""
    height, width = image.shape[:2]
    if height == width:
        return image
    border = torch.cat([image[0], image[-1], image[:, 0], image[:, -1]])
    side = max(height, width)
    square = border.mean(dim=0).expand(side, side, 3).clone()
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


@torch.no_grad()
def embed(clip_vision: Any, images: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
    """One embedding for each picture: (N, D) float32 on the CPU, each of length 1.

    images: (N, H, W, 3) in 0..1, or a list of (H, W, 3) of any sizes. Pictures are padded to a
    square rather than cropped to one, because a centre crop cuts heads off.
    Raises ValueError when the encoder gives no usable embedding.
    """
    rows = []
    for image in images:
        square = pad_to_square(image[..., :3].to("cpu", torch.float32))
        rows.append(square)
    if not rows:
        raise ValueError("There is no picture to embed.")
    found = []
    for batch in _same_size_batches(rows):
        output = clip_vision.encode_image(torch.stack(batch), crop=False)
        found.append(output["image_embeds"].detach().to("cpu", torch.float32).flatten(1))
    embeddings = torch.cat(found)
    lengths = embeddings.norm(dim=1)
    if not torch.isfinite(lengths).all() or (lengths == 0).any():
        raise ValueError("The CLIP_VISION gave an embedding that is empty or not a number.")
    return F.normalize(embeddings, dim=1)


def likeness_gain(
    clip_vision: Any, original: torch.Tensor, before: torch.Tensor, after: torch.Tensor
) -> float | None:
    """By how much ``after`` is more like ``original`` than ``before``, as a difference of cosines.

    Pictures (H, W, 3) of any sizes; None without a CLIP_VISION.
    """
    if clip_vision is None:
        return None
    embeddings = embed(clip_vision, [original, before, after])
    first, second = (embeddings[1:] @ embeddings[0]).tolist()
    return float(second - first)


def _same_size_batches(squares: list[torch.Tensor]) -> list[list[torch.Tensor]]:
    """Runs of up to ``BATCH`` neighbours of one size, so that the order of pictures is kept."""
    batches: list[list[torch.Tensor]] = []
    for square in squares:
        if batches and len(batches[-1]) < BATCH and batches[-1][0].shape == square.shape:
            batches[-1].append(square)
        else:
            batches.append([square])
    return batches
