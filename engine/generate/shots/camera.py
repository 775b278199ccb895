"""Takes single pictures: the models, what they are told, and what a picture is found again by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...comfyui.sampling import (
    Conditioning,
    CustomSampling,
    Sampling,
    encode_prompt,
    model_fingerprint,
    sample,
)
from ...core.character import Character, picture_hash
from ...families.dialects import AUTO
from .conditioning import ReferenceMode, reference_for
from .plan import ShotRequest
from .retry import Likeness, Remedy, RetryRules
from .store import shot_key


@dataclass(frozen=True)
class Studio:
    """The models and settings that shots are made with.

    strengthen_likeness: the negative does not see the reference, so that classifier-free guidance
    moves towards the reference as well as towards the words. references: further pictures
    (H, W, 3) for the model to see. style: the prompt dialect. custom: a sampler or sigmas of the
    user's own.
    """

    model: Any
    clip: Any
    vae: Any
    sampling: Sampling
    mode: ReferenceMode
    negative: str = ""
    denoise: float = 0.75
    strengthen_likeness: bool = False
    references: tuple[torch.Tensor, ...] = ()
    style: str = AUTO
    custom: CustomSampling | None = None


@dataclass(frozen=True)
class Recipe:
    """All that makes one picture differ from the next one of the same studio."""

    prompt: str
    negative: str
    seed: int
    likeness: Likeness
    edits: bool


class Camera:
    """One studio, turned to one character."""

    def __init__(self, character: Character, studio: Studio) -> None:
        self.studio = studio
        sampling = studio.sampling
        self.reference = reference_for(
            studio.mode,
            studio.model,
            studio.vae,
            character,
            sampling.width,
            sampling.height,
            studio.denoise,
            studio.references,
            studio.style,
        )
        self.reference.check(studio.clip)
        self.family = type(studio.model.model).__name__
        self._common = (
            character.source.hash,
            studio.mode.value,
            sampling,
            studio.custom,
            [picture_hash(picture) for picture in studio.references],
            self.reference.fitting,
            self.reference.method,
            model_fingerprint(studio.model),
        )
        self._encoded: dict[tuple[str, bool], Conditioning] = {}

    def recipe(self, request: ShotRequest, seed: int, remedy: Remedy, rules: RetryRules) -> Recipe:
        """How ``request`` is made with ``seed`` and with ``remedy`` for what went wrong before."""
        studio, reference = self.studio, self.reference
        negative = reference.dialect.negative(request.tags, studio.negative)
        likeness = Likeness(studio.strengthen_likeness, studio.sampling.cfg, reference.denoise)
        return Recipe(
            reference.prompt(request.tags, request.instruction, remedy.stronger),
            ", ".join(part for part in (negative, *remedy.avoid) if part),
            seed,
            likeness.strengthened(remedy.likeness, reference.mode, rules),
            bool(request.instruction),
        )

    def key(self, recipe: Recipe) -> str:
        """The name of the picture that ``recipe`` makes: it says all that determines it."""
        return shot_key(*self._common, recipe)

    def picture(
        self, recipe: Recipe, on_step: Callable[[int, torch.Tensor], None] | None = None
    ) -> torch.Tensor:
        """The picture that ``recipe`` makes: (H, W, 3) float32 in 0..1 on the CPU."""
        studio = self.studio
        positive, negative = self.guided(
            self._conditioning(recipe.prompt, seen=True),
            self._conditioning(recipe.negative, seen=not recipe.likeness.unseen),
        )
        image = sample(
            studio.model,
            studio.vae,
            positive,
            negative,
            replace(studio.sampling, cfg=recipe.likeness.cfg),
            recipe.seed,
            latent=self.reference.start,
            denoise=recipe.likeness.denoise,
            on_step=on_step,
            custom=studio.custom,
        )[0]
        # An edited original shows what the original shows, without the border it was given.
        return self.reference.without_border(image) if recipe.edits else image

    def guided(
        self, positive: Conditioning, negative: Conditioning
    ) -> tuple[Conditioning, Conditioning]:
        """Both conditionings with what else guides this camera's pictures."""
        return positive, negative

    def _conditioning(self, text: str, seen: bool) -> Conditioning:
        """``text`` as CONDITIONING, with the reference in it when it is ``seen``."""
        if (text, seen) not in self._encoded:
            studio, guidance = self.studio, self.studio.sampling.guidance
            self._encoded[text, seen] = (
                self.reference.conditioning(studio.clip, text, guidance)
                if seen
                else encode_prompt(studio.clip, text, guidance)
            )
        return self._encoded[text, seen]
