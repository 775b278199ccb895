"""What makes pictures: models, how they are shown the original, and how they sample."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ..comfyui.models import Models
from ..comfyui.sampling import CustomSampling, Sampling
from ..core.character import Character
from ..families.dialects import AUTO, dialect_for
from ..families.modes import ReferenceMode, resolve_mode
from ..families.table import family_of
from .sizes import MEGAPIXEL, at_size_of, canvas_for


@dataclass(frozen=True)
class Studio(Models):
    """The models and settings that pictures are made with.

    sampling: a side of 0 follows the original. mode: AUTO follows the model's family.
    strengthen_likeness: the negative does not see the reference, so that classifier-free guidance
    moves towards the reference as well as towards the prompt. references: further pictures
    (H, W, 3) for the model to see. style: the prompt dialect. custom: a sampler or sigmas of the
    user's own.
    """

    sampling: Sampling
    mode: ReferenceMode
    negative: str = ""
    denoise: float = 0.75
    strengthen_likeness: bool = False
    references: tuple[torch.Tensor, ...] = ()
    style: str = AUTO
    custom: CustomSampling | None = None

    @property
    def steps(self) -> int:
        """How many steps a picture takes."""
        return self.custom.steps(self.sampling) if self.custom else self.sampling.steps

    def for_shots_of(self, character: Character) -> Studio:
        """The studio with its mode known and its size set, for shots of ``character``.

        Raises FacetError when the model cannot be shown the original, or does not say how.
        """
        mode = resolve_mode(self.mode, self.model)
        pixels = dialect_for(self.style, self.model, mode.value).pixels
        return replace(self, mode=mode, sampling=self.sampling_for(character, pixels))

    def for_retouching(self, show_original: bool) -> Studio:
        """The studio for making parts of a picture anew, each from what it is.

        show_original: whether the model is shown the original meanwhile, in the studio's mode. A
        model that a LoRA made know the character calls it by its trigger all the same. Raises
        FacetError when that cannot be.
        """
        mode = ReferenceMode.IMG2IMG
        if show_original or self.mode is ReferenceMode.TRAINED_LORA:
            mode = resolve_mode(self.mode, self.model)
        # Sigmas of one's own would say how much is made anew, in the place of each pass's denoise.
        custom = self.custom and CustomSampling(self.custom.sampler)
        return replace(self, mode=mode, custom=custom)

    def sampling_for(self, character: Character | None, pixels: int | None = None) -> Sampling:
        """The sampling with its size set: what is 0 follows the original, to 2 megapixels.

        pixels: the area that is wanted where no side is set. Without a character the picture is a
        square of about that many pixels.
        """
        own = self.sampling
        if own.width and own.height:
            return own
        if character is None:
            wide, tall = canvas_for(1, 1, pixels or MEGAPIXEL)
            sized = replace(own, width=wide, height=tall)
        else:
            sized = at_size_of(character, own, None if own.width or own.height else pixels)
        return replace(sized, width=own.width or sized.width, height=own.height or sized.height)

    def sampling_by_prompt(self, character: Character | None) -> Sampling:
        """``sampling_for`` images by the prompt alone: no larger than the family was trained at.

        A size that is set, and one that the family's words ask for, are taken as they are.
        """
        pixels = dialect_for(AUTO, self.model, ReferenceMode.TRAINED_LORA.value).pixels
        sized = self.sampling_for(character, pixels)
        largest = family_of(self.model).side ** 2
        if pixels or self.sampling.width or self.sampling.height:
            return sized
        if sized.width * sized.height <= largest:
            return sized
        width, height = canvas_for(sized.width, sized.height, largest)
        return replace(sized, width=width, height=height)
