"""The pixels of a library: each picture and each mask once, under the hash of what it shows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from ..core.character import Shot, picture_hash, shot_from_record, shot_record
from ..core.errors import FacetError
from ..store.files import contained, write_atomic
from ..store.images import image_bytes
from .pictures import UnreadablePicture, mask_bytes, read_mask, read_picture

PICTURES, MASKS = "pictures", "masks"


def keep(library: Path, shot: Shot) -> dict[str, Any]:
    """Writes the pixels of ``shot`` where they are not there or not right; all else, as a record.

    Raises FacetError when a file would lie outside of ``library``.
    """
    path = contained(library, PICTURES, f"{shot.hash}.png")
    if _picture_in(path) != shot.hash:
        write_atomic(path, image_bytes(shot.image))
    if shot.mask is None:
        return {**shot_record(shot), "mask": None}
    mask = mask_hash(shot.mask)
    path = contained(library, MASKS, f"{mask}.png")
    if _mask_in(path) != mask:
        write_atomic(path, mask_bytes(shot.mask))
    return {**shot_record(shot), "mask": mask}


def kept(library: Path, entry: dict[str, Any]) -> Shot:
    """The shot that ``keep`` made ``entry`` of.

    Raises FacetError when its picture or mask is gone, broken, or shows something else.
    """
    name = str(entry.get("hash"))[:16]
    try:
        picture = contained(library, PICTURES, f"{entry['hash']}.png")
        image = read_picture(picture.read_bytes()).image
        mask = None
        if entry.get("mask"):
            mask = read_mask(contained(library, MASKS, f"{entry['mask']}.png").read_bytes())
        shot = shot_from_record(entry, image, mask)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FacetError(
            f"The image {name} in {library} cannot be read ({error}); put it back there."
        ) from error
    if shot.hash != entry["hash"] or (mask is not None and mask_hash(mask) != entry["mask"]):
        raise FacetError(
            f"The image {name} in {library} is not the one that was saved; put the right one "
            "back there."
        )
    return shot


def mask_hash(mask: torch.Tensor) -> str:
    """sha256 of the size and the 16-bit values of ``mask`` (H, W) in 0..1."""
    values = (mask.clamp(0, 1) * 65535).round().to(torch.int32).contiguous()
    digest = hashlib.sha256(repr(tuple(values.shape)).encode())
    digest.update(values.cpu().numpy().tobytes())
    return digest.hexdigest()


def _picture_in(path: Path) -> str:
    """The hash of the picture in ``path``; empty when there is none that can be read."""
    try:
        return picture_hash(read_picture(path.read_bytes()).image) if path.is_file() else ""
    except UnreadablePicture:
        return ""


def _mask_in(path: Path) -> str:
    """The hash of the mask in ``path``; empty when there is none that can be read."""
    try:
        return mask_hash(read_mask(path.read_bytes())) if path.is_file() else ""
    except UnreadablePicture:
        return ""
