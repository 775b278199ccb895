"""The detail passes: parts of a picture denoised a little, and put back without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from ...comfyui.sampling import OnStep, sample
from ...core.character import Character, Tags
from ...families.dialects import dialect_for
from ...families.modes import ReferenceMode, called
from ...studio.sizes import canvas_for, fitting
from ...studio.studio import Studio
from ...vision.faces import Face
from ..shots.conditioning import PromptEncoder, Reference, reference_for
from .tiles import Tiles

SIDE = 64
"""Colours are compared at this size: detail that was gained or lost is not taken for colour."""
MOST_CONTRAST = 1.5


class Retoucher:
    """A studio that makes parts of a character's pictures anew, near to what they are.

    pixels: the area at which a model that looks at the original is shown it.
    """

    def __init__(self, character: Character, studio: Studio, seed: int, pixels: int) -> None:
        self.studio, self.seed = studio, seed
        self.reference = _reference(character, studio, pixels)
        self.reference.check(studio.clip)
        self._encode = PromptEncoder(self.reference, studio.clip, studio.sampling.guidance)

    def part(
        self,
        image: torch.Tensor,
        tags: Tags,
        denoise: float,
        at: tuple[int, int] = (0, 0),
        canvas: tuple[int, int] | None = None,
        on_step: OnStep | None = None,
    ) -> torch.Tensor:
        """``image`` (H, W, 3), sides multiples of 32, denoised by ``denoise``.

        at: its top and left in a ``canvas`` (height, width) that shares one noise, so that what two
        parts have in common is made alike in both.
        """
        studio, reference = self.studio, self.reference
        height, width = image.shape[:2]
        latent = studio.vae.encode(image[None])
        words = reference.dialect.negative(tags, studio.negative)
        return sample(
            studio.model,
            studio.vae,
            self._encode(reference.prompt(tags), seen=True),
            self._encode(words, seen=not studio.strengthen_likeness),
            replace(studio.sampling, width=width, height=height),
            self.seed,
            latent=latent,
            denoise=denoise,
            on_step=on_step,
            custom=studio.custom,
            noise=self._noise(latent, (height, width), at, canvas or (height, width)),
        )[0]

    def tiled(
        self,
        image: torch.Tensor,
        tags: Tags,
        denoise: float,
        tile: int,
        overlap: int,
        on_step: OnStep | None = None,
    ) -> torch.Tensor:
        """``image`` (H, W, 3) of any size with its detail made anew, tile by tile."""
        tiles = Tiles(image.shape[0], image.shape[1], tile, overlap)
        if len(tiles.places) > 1:
            # A tile shows a part only: told of a whole figure, it would have one of its own.
            tags = replace(tags, framing="", view="", expression="", pose="")
        return tiles.through(
            image,
            lambda part, top, left: self.part(
                part, tags, denoise, (top, left), tiles.canvas, on_step
            ),
        )

    def face(
        self,
        image: torch.Tensor,
        face: Face,
        tags: Tags,
        denoise: float,
        size: int,
        padding: float,
        finish: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        on_step: OnStep | None = None,
    ) -> torch.Tensor | None:
        """``image`` (H, W, 3) with ``face`` made anew at ``size`` squared pixels and put back.

        padding: how far around the face, as a share of its size. ``finish`` gets the part before
        and after, and gives what is put back. What lies outside of that is left as it is, to the
        bit. None when the part is larger than ``size`` already, so that it would lose detail.
        """
        left, top, right, bottom = surroundings(face, image, padding)
        before = image[top:bottom, left:right]
        if before.shape[0] * before.shape[1] > size * size:
            return None
        width, height = right - left, bottom - top
        laid = fitting((width, height), working_size(width, height, size))
        close = replace(tags, framing="close_up", pose="")
        made = laid.undo(self.part(laid.apply(before), close, denoise, on_step=on_step))
        weight = soft_mask(face, image, padding)[top:bottom, left:right, None]
        painted = image.clone()
        painted[top:bottom, left:right] = before * (1 - weight) + finish(before, made) * weight
        return painted

    def _noise(
        self,
        latent: torch.Tensor,
        size: tuple[int, int],
        at: tuple[int, int],
        canvas: tuple[int, int],
    ) -> torch.Tensor:
        """The canvas's noise, where a part of ``size`` has ``latent`` (…, h, w) in it."""
        import comfy.sample

        rows, columns = latent.shape[-2:]
        down, across = size[0] // rows, size[1] // columns
        whole = latent.new_zeros((*latent.shape[:-2], canvas[0] // down, canvas[1] // across))
        top, left = at[0] // down, at[1] // across
        noise = comfy.sample.prepare_noise(whole, self.seed)
        return noise[..., top : top + rows, left : left + columns]


def surroundings(face: Face, image: torch.Tensor, padding: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of ``face`` and ``padding`` of its size around it."""
    x0, y0, x1, y1 = face.box
    aside, above = (x1 - x0) * padding, (y1 - y0) * padding
    height, width = image.shape[:2]
    left, top = max(0, int(x0 - aside)), max(0, int(y0 - above))
    return left, top, min(width, int(x1 + aside) + 1), min(height, int(y1 + above) + 1)


def soft_mask(face: Face, image: torch.Tensor, padding: float) -> torch.Tensor:
    """(H, W): 1 in the ellipse of the face's box, falling to 0 where its surroundings end."""
    x0, y0, x1, y1 = face.box
    rows, columns = (torch.arange(side) + 0.5 for side in image.shape[:2])
    across = (columns - (x0 + x1) / 2) / max(1e-3, (x1 - x0) / 2)
    along = (rows - (y0 + y1) / 2) / max(1e-3, (y1 - y0) / 2)
    distance = (across.square()[None] + along.square()[:, None]).sqrt()
    outside = ((distance - 1) / max(1e-3, 2 * padding)).clamp(0, 1)
    return (1 + torch.cos(torch.pi * outside)) / 2


def working_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Sides in multiples of 32, near ``size`` squared pixels, for a part of that shape."""
    wide, tall = canvas_for(width, height, size * size)
    return max(64, round(wide / 32) * 32), max(64, round(tall / 32) * 32)


def _reference(character: Character, studio: Studio, pixels: int) -> Reference:
    """How the model is shown the original; in img2img it starts from the shot, and is not."""
    if studio.mode is ReferenceMode.IMG2IMG:
        dialect = dialect_for(studio.style, studio.model, studio.mode.value)
        return Reference(studio.mode, dialect, called(studio.mode, character))
    height, width = character.source.size
    return reference_for(
        studio.mode,
        studio.model,
        studio.vae,
        character,
        *canvas_for(width, height, pixels),
        style=studio.style,
    )


def match_colours(
    image: torch.Tensor, measured: torch.Tensor, wanted: torch.Tensor, strength: float = 1.0
) -> torch.Tensor:
    """``image`` (H, W, 3) in 0..1 with the colours of ``wanted``, as told by ``measured``.

    Mean and deviation in CIELAB are moved from those of ``measured`` to those of ``wanted``
    (Reinhard et al. 2001), both (h, w, 3) of any size: parts that show the same, such as the face.
    The contrast changes by a factor of 1.5 at most.
    """
    from kornia.color import lab_to_rgb, rgb_to_lab

    before, after = (_colours(rgb_to_lab(_small(part))) for part in (measured, wanted))
    scale = (after[1] / before[1].clamp_min(1e-3)).clamp(1 / MOST_CONTRAST, MOST_CONTRAST)
    lab = rgb_to_lab(image.permute(2, 0, 1)[None])
    moved = lab_to_rgb((lab - before[0]) * scale + after[0])[0].permute(1, 2, 0)
    return torch.lerp(image, moved.clamp(0, 1), strength)


def _small(image: torch.Tensor) -> torch.Tensor:
    picture = image.permute(2, 0, 1)[None]
    size = (min(SIDE, image.shape[0]), min(SIDE, image.shape[1]))
    return torch.nn.functional.interpolate(picture, size=size, mode="area")


def _colours(lab: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation, each (1, 3, 1, 1)."""
    return lab.mean((2, 3), keepdim=True), lab.std((2, 3), correction=0, keepdim=True)
