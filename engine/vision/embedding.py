"""Appearance embeddings from any CLIP_VISION that ComfyUI loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.nn.functional as F

from ..core.errors import FacetError

BATCH = 16
MOST_PIXELS = 1 << 24
"""Of a batch, so that photographs take 200 MB at a time however many there are."""


def pad_to_square(image: torch.Tensor, colour: torch.Tensor | None = None) -> torch.Tensor:
    """``image`` (H, W, 3) centred on a square of ``colour`` (3,): (S, S, 3).

    Where no colour is given it is the mean of the picture's border.
    """
    height, width = image.shape[:2]
    if height == width:
        return image
    if colour is None:
        colour = torch.cat([image[0], image[-1], image[:, 0], image[:, -1]]).mean(dim=0)
    side = max(height, width)
    square = colour.expand(side, side, 3).clone()
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


@torch.no_grad()
def embed(clip_vision: Any, images: torch.Tensor | Iterable[torch.Tensor]) -> torch.Tensor:
    """One embedding for each picture: (N, D) float32 on the CPU, each of length 1.

    images: (N, H, W, 3) in 0..1, or (H, W, 3) of any sizes, a batch of which is asked for at a
    time. Pictures are padded to a square rather than cropped to one, because a centre crop cuts
    heads off.
    Raises FacetError when the encoder gives no usable embedding.
    """
    squares = (pad_to_square(image[..., :3].to("cpu", torch.float32)) for image in images)
    found = [_encode(clip_vision, batch) for batch in batches(squares)]
    if not found:
        raise FacetError("There is no picture to embed.")
    return of_length_one(
        torch.cat(found), "The CLIP_VISION gave an embedding that is empty or not a number."
    )


def batches(squares: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """``squares`` (S, S, 3) in batches (B, S, S, 3) of neighbours of one size, so that their order
    is kept; each of at most 16 and, unless one alone is larger, of ``MOST_PIXELS``."""
    batch: list[torch.Tensor] = []
    for square in squares:
        most = min(BATCH, MOST_PIXELS // max(1, len(square) ** 2))
        if batch and (len(batch) >= most or square.shape != batch[0].shape):
            yield torch.stack(batch)
            batch = []
        batch.append(square)
    if batch:
        yield torch.stack(batch)


def of_length_one(vectors: torch.Tensor, complaint: str) -> torch.Tensor:
    """``vectors`` (N, D), each of length 1; FacetError when one is empty or not a number."""
    lengths = vectors.norm(dim=1)
    if not torch.isfinite(lengths).all() or (lengths == 0).any():
        raise FacetError(complaint)
    return F.normalize(vectors, dim=1)


def _encode(clip_vision: Any, squares: torch.Tensor) -> torch.Tensor:
    """The picture's one vector from each class of comfy.clip_vision: (N, D) float32 on the CPU.

    CLIP: the projected class token. DINOv2 and DINOv3: the normalised class token. SigLIP has no
    class token, and ComfyUI leaves its pooling head out: its patches' mean.
    """
    if clip_vision.model_type == "dinov3":
        embeds = _encode_dinov3(clip_vision, squares)
    else:
        embeds = clip_vision.encode_image(squares, crop=False)["image_embeds"]
    embeds = embeds.detach().to("cpu", torch.float32)
    return embeds.mean(dim=1) if embeds.ndim == 3 else embeds.flatten(1)


def _encode_dinov3(clip_vision: Any, squares: torch.Tensor) -> torch.Tensor:
    """DINOv3's class token: `encode_image` asks for a hidden state that the class does not give."""
    import comfy.clip_model
    import comfy.model_management

    comfy.model_management.load_model_gpu(clip_vision.patcher)
    pixels = comfy.clip_model.clip_preprocess(
        squares.to(clip_vision.load_device),
        size=clip_vision.image_size,
        mean=clip_vision.image_mean,
        std=clip_vision.image_std,
        crop=False,
    )
    return clip_vision.model(pixel_values=pixels.float())[2]


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
