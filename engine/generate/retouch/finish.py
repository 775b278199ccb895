"""What is done to a shot to refine it: each pass on its own, all of them in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch

from ...comfyui.sampling import OnStep
from ...core.character import Character, Shot
from ...core.errors import FacetError
from ...studio.sizes import resized
from ...vision.faces import Face, find_face
from .retouch import Retoucher, match_colours

TILE, LEAST_TILE, OVERLAP = 512, 128, 32
"""Of upscale models, in pixels."""
COLOURED_LIGHT = frozenset({"warm", "side", "back", "low"})


class Colours(str, Enum):
    """Whose colours a refined shot gets. New ones come last: workflows store these."""

    SHOT = "shot"
    ORIGINAL = "original"
    OFF = "off"


@dataclass(frozen=True)
class RefineSettings:
    """What is done to a shot.

    upscale_by: times the shot's sides, up to a longest side of max_side pixels. detail_denoise and
    face_denoise: of the two detail passes, 0 for none. tile, overlap: of the first, in pixels.
    face_size: the second works at its square; face_padding: around the face, in faces.
    """

    upscale_by: float = 2.0
    max_side: int = 2048
    detail_denoise: float = 0.25
    tile: int = 1024
    overlap: int = 128
    face_denoise: float = 0.35
    face_size: int = 768
    face_padding: float = 0.5
    colours: Colours = Colours.SHOT

    def __post_init__(self) -> None:
        if self.overlap > self.tile // 2:
            raise FacetError(
                f"Tiles of {self.tile} pixels cannot overlap by {self.overlap}; "
                "take at most half of the tile."
            )


class Finisher:
    """Does what ``settings`` say, with the models that are there: each may be None."""

    def __init__(
        self,
        character: Character,
        settings: RefineSettings,
        retoucher: Retoucher | None,
        upscale_model: Any = None,
        face_model: Any = None,
    ) -> None:
        self.settings, self.retoucher = settings, retoucher
        self.upscale_model, self.face_model = upscale_model, face_model
        self._original = character.source.image
        self._original_face: Face | None = None
        if settings.colours is Colours.ORIGINAL:
            self._original_face = find_face(self.face_model, self._original)

    def picture(self, shot: Shot, on_step: OnStep | None) -> tuple[torch.Tensor, str]:
        """The refined picture (H, W, 3), and what was done to it in words."""
        settings, image, done = self.settings, self._enlarged(shot.image), []
        if image is not shot.image:
            done.append(f"{image.shape[1]} by {image.shape[0]} pixels")
        retoucher = self.retoucher
        if retoucher is not None and settings.detail_denoise:
            made = retoucher.tiled(
                image, shot.tags, settings.detail_denoise, settings.tile, settings.overlap, on_step
            )
            image = self._recoloured(image, made)
            done.append("detail")
        wanted = retoucher is not None and settings.face_denoise > 0
        as_original = settings.colours is Colours.ORIGINAL
        face = find_face(self.face_model, image) if wanted or as_original else None
        if retoucher is not None and wanted and face is not None:
            painted = retoucher.face(
                image,
                face,
                shot.tags,
                settings.face_denoise,
                settings.face_size,
                settings.face_padding,
                self._recoloured,
                on_step,
            )
            done.append("face" if painted is not None else "face larger than face_size")
            image = image if painted is None else painted
        elif wanted:
            done.append("no face found" if self.face_model else "no FACE_DETECTION_MODEL")
        if as_original and shot.tags.lighting in COLOURED_LIGHT:
            done.append("colours of its own lighting")
        elif as_original and face is not None and self._original_face is not None:
            wanted_colours = _inside(self._original_face, self._original)
            image = match_colours(image, _inside(face, image), wanted_colours)
            done.append("the original's colours")
        elif as_original:
            done.append("colours not corrected: no face found to take them from")
        return image, ", ".join(done)

    def _enlarged(self, image: torch.Tensor) -> torch.Tensor:
        """``image`` at the size that is asked for; the same tensor when it is left as it is."""
        settings, (height, width) = self.settings, image.shape[:2]
        by = max(1.0, min(settings.upscale_by, settings.max_side / max(height, width)))
        size = (round(width * by), round(height * by))
        if self.upscale_model is None:
            return resized(image, *size)
        return self._recoloured(image, resized(upscaled(self.upscale_model, image), *size))

    def _recoloured(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """``after`` in the colours that it had ``before``, unless they may change."""
        if self.settings.colours is Colours.OFF:
            return after
        return match_colours(after, after, before)


def _inside(face: Face, image: torch.Tensor) -> torch.Tensor:
    """The part of ``image`` (H, W, 3) that the box of ``face`` holds, a pixel at least."""
    height, width = image.shape[:2]
    left, top = (min(max(0, int(v)), side - 1) for v, side in zip(face.box[:2], (width, height)))
    right, bottom = max(left + 1, int(face.box[2])), max(top + 1, int(face.box[3]))
    return image[top:bottom, left:right]


def upscaled(upscale_model: Any, image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3) through an UPSCALE_MODEL: (scale H, scale W, 3) in 0..1 on the CPU.

    In tiles of 512 pixels, and of half as many each time that memory does not suffice, as ComfyUI's
    own node does. An interrupt ends it with ``InterruptProcessingException``.
    """
    import comfy.model_management as memory
    import comfy.utils

    device, scale = upscale_model.patcher.load_device, upscale_model.scale
    picture = image.permute(2, 0, 1)[None]
    # What a tile takes, as ComfyUI estimates it: 384 values for each of its pixels and scale.
    needed = TILE * TILE * 3 * picture.element_size() * max(scale, 1.0) * 384
    memory.load_models_gpu([upscale_model.patcher], memory_required=needed)

    def enlarge(part: torch.Tensor) -> torch.Tensor:
        memory.throw_exception_if_processing_interrupted()
        return upscale_model(part.to(device).float())

    tile = TILE
    while True:
        try:
            large = comfy.utils.tiled_scale(
                picture, enlarge, tile, tile, OVERLAP, scale, output_device="cpu"
            )
            return large[0].permute(1, 2, 0).clamp(0, 1).float()
        except Exception as error:
            memory.raise_non_oom(error)
            tile //= 2
            if tile < LEAST_TILE:
                raise
