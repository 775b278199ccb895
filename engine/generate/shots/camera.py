"""Takes single shots: the models, what they are told, and what a shot is found again by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from ...comfyui.fingerprint import control_fingerprint, model_fingerprint
from ...comfyui.internals import internal
from ...comfyui.sampling import Conditioning, OnStep, sample
from ...core.character import Character, Provenance, picture_hash
from ...store.keys import key
from ...studio.studio import Studio
from ..attempts import Attempt
from .conditioning import PromptEncoder, reference_for
from .plan import ShotRequest

VERSION = 1
"""Of the names of shots on the disk."""


@dataclass(frozen=True, eq=False)
class Control:
    """A CONTROL_NET and its picture (H, W, 3), of the size that is made.

    strength: 0 leaves it out. start, end: shares of the sampling between which it holds.
    """

    control_net: Any
    hint: torch.Tensor
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def apply(
        self, positive: Conditioning, negative: Conditioning, vae: Any
    ) -> tuple[Conditioning, Conditioning]:
        """Both conditionings with the ControlNet in them, as ComfyUI's own node puts it there."""
        node = internal("ControlNetApplyAdvanced")()
        controlled: tuple[Conditioning, Conditioning] = node.apply_controlnet(
            positive,
            negative,
            self.control_net,
            self.hint[None],
            self.strength,
            self.start,
            self.end,
            vae=vae,
        )
        return controlled

    def key_values(self) -> dict[str, object]:
        """What tells it from another, the same in the next process; see ``store.keys``."""
        return {
            "net": control_fingerprint(self.control_net),
            "hint": picture_hash(self.hint),
            "strength": self.strength,
            "start": self.start,
            "end": self.end,
        }


class ShotCamera:
    """One studio, turned to one character, with a ControlNet or without."""

    def __init__(
        self, character: Character, studio: Studio, control: Control | None = None
    ) -> None:
        self.studio, self.control = studio, control
        self.original = character.source.hash
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
        self._encode = PromptEncoder(self.reference, studio.clip, sampling.guidance)
        self._common = {
            "original": self.original,
            "mode": studio.mode,
            "sampling": sampling,
            "custom": studio.custom,
            "references": [picture_hash(picture) for picture in studio.references],
            "fitting": self.reference.fitting,
            "method": self.reference.method,
            "model": model_fingerprint(studio.model),
            "control": control,
        }

    def key(self, attempt: Attempt, edits: bool) -> str:
        """The name of the image that ``attempt`` makes: it says all that determines it."""
        values = {name: value for name, value in asdict(attempt).items() if name != "reason"}
        return key(VERSION, **self._common, edits=edits, **values)

    def image(self, attempt: Attempt, on_step: OnStep | None = None) -> torch.Tensor:
        """The image that ``attempt`` makes: (H, W, 3) float32 in 0..1 on the CPU."""
        studio = self.studio
        positive = self._encode(attempt.prompt, seen=True)
        negative = self._encode(attempt.negative, seen=not attempt.blind_negative)
        if self.control is not None:
            positive, negative = self.control.apply(positive, negative, studio.vae)
        cfg = studio.sampling.cfg if attempt.cfg is None else attempt.cfg
        return sample(
            studio.model,
            studio.vae,
            positive,
            negative,
            replace(studio.sampling, cfg=cfg),
            attempt.seed,
            latent=self.reference.start,
            denoise=attempt.denoise,
            on_step=on_step,
            custom=studio.custom,
        )[0]


@dataclass(frozen=True, eq=False)
class Line:
    """One request of a plan as the model is asked for it: the camera of its attempts.

    prompt: the prompt with some axes of the tags in stronger words. edits: the image shows what the
    original shows, whose border is taken off again.
    """

    request: ShotRequest
    camera: ShotCamera
    prompt: Callable[[Collection[str]], str]
    edits: bool = False

    def first(self, seed: int) -> Attempt:
        """The first attempt, as the studio is set."""
        studio, reference = self.camera.studio, self.camera.reference
        return Attempt(
            seed,
            self.prompt(()),
            reference.dialect.negative(self.request.tags, studio.negative),
            studio.sampling.cfg,
            reference.denoise,
            blind_negative=studio.strengthen_likeness,
        )

    def key(self, attempt: Attempt) -> str:
        return self.camera.key(attempt, self.edits)

    def take(self, attempt: Attempt, on_step: OnStep | None = None) -> torch.Tensor:
        image = self.camera.image(attempt, on_step)
        return self.camera.reference.without_border(image) if self.edits else image

    def record(self, attempt: Attempt, number: int) -> Mapping[str, Any]:
        """Tags and provenance of attempt ``number``, as a shot's record has them."""
        provenance = Provenance(
            source="generated",
            model=self.camera.family,
            prompt=attempt.prompt,
            negative=attempt.negative,
            seed=attempt.seed,
            attempt=number,
            tries=number,
            parent=self.camera.original,
            instruction=self.request.instruction,
        )
        return {"tags": asdict(self.request.tags), "provenance": provenance.record()}
