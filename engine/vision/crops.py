"""What an embedder is shown of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeVar

import torch

from ..core.errors import FacetError
from .alignment import aligned
from .embedding import pad_to_square
from .faces import Face

Crop = Literal["whole", "without background", "aligned face", "head"]
CROPS: tuple[Crop, ...] = ("whole", "without background", "aligned face", "head")
FACE_CROPS = ("aligned face", "head")
"""Those that need a face."""

FACE_SIDE = 224
FACE_MARGIN = 0.25
"""Round ArcFace's crop, so that an encoder of appearance sees the hair and the chin as well."""
HEAD_MARGIN = 0.5
"""Round the same crop: the whole head with its hair, and the neck."""
MASK_MARGIN = 0.05

T = TypeVar("T")


def person_mask(background: Any, image: torch.Tensor) -> torch.Tensor | None:
    """Where the person is in ``image`` (H, W, 3): (H, W) in 0..1, None without a model.

    background: what goes over BACKGROUND_REMOVAL.
    """
    if background is None:
        return None
    found: torch.Tensor = background.encode_image(image[None])
    return found[0].detach().to("cpu", torch.float32)


def cropped(
    crop: Crop,
    images: Iterable[torch.Tensor],
    masks: Iterable[torch.Tensor | None] | None,
    faces: Iterable[Face | None] | None,
    colour: torch.Tensor,
    side: int = FACE_SIDE,
    margin: float = FACE_MARGIN,
) -> Iterator[torch.Tensor | None]:
    """What an embedder is shown of ``images``, one after another; None where it is not there.

    colour (3,): what is put in the place of the background, and outside of the picture. side: of
    crops of faces in px. margin: round an aligned face. Raises FacetError when the masks or the
    faces that the crop needs are not given.
    """
    if crop == "whole":
        yield from images
    elif crop == "without background":
        for image, mask in _beside(images, masks, "masks"):
            yield None if mask is None else without_background(image, mask, colour)
    else:
        margin = HEAD_MARGIN if crop == "head" else margin
        for image, face in _beside(images, faces, "faces"):
            yield None if face is None else aligned(image, face, side, margin, colour)


def without_background(
    image: torch.Tensor, mask: torch.Tensor, colour: torch.Tensor
) -> torch.Tensor | None:
    """What ``mask`` (H, W) shows of ``image`` (H, W, 3), on a square of ``colour`` (3,).

    None when the mask shows nothing. Raises FacetError when the sizes differ.
    """
    if mask.shape != image.shape[:2]:
        raise FacetError(
            f"A mask is {tuple(mask.shape)} and its picture {tuple(image.shape[:2])}; they need "
            "the same height and width."
        )
    mask = mask.detach().to("cpu", torch.float32).clamp(0, 1)
    rows, columns = (torch.nonzero((mask > 0.5).any(dim=side)).flatten() for side in (1, 0))
    if not len(rows):
        return None
    picture = image[..., :3].detach().to("cpu", torch.float32)
    alone = torch.lerp(colour.expand_as(picture), picture, mask[..., None])
    top, left, bottom, right = (int(edge) for edge in (rows[0], columns[0], rows[-1], columns[-1]))
    margin = round(MASK_MARGIN * (max(bottom - top, right - left) + 1))
    alone = alone[max(0, top - margin) : bottom + 1 + margin]
    return pad_to_square(alone[:, max(0, left - margin) : right + 1 + margin], colour)


def _beside(
    images: Iterable[torch.Tensor], given: Iterable[T] | None, what: str
) -> Iterator[tuple[torch.Tensor, T]]:
    if given is None:
        raise FacetError(
            f"This embedder needs the {what} of the pictures, and none were given; connect what "
            f"finds {what}."
        )
    return zip(images, given, strict=True)
