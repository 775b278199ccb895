"""Refines shots: larger, finer, in the right colours, and never somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...comfyui.fingerprint import fingerprint, model_fingerprint
from ...comfyui.sampling import OnStep
from ...core.character import Character, Provenance, Score, Shot
from ...core.errors import FacetError
from ...families.modes import called
from ...store.keys import key
from ...studio.studio import Studio
from ...vision.embedding import likeness_gain
from ...vision.measures import measured_by
from ..shots.store import ShotStore
from .finish import Colours, Finisher, RefineSettings
from .retouch import Retoucher

REFINE_GATE = "refine"
VERSION = 1
"""Of the names of refined shots on the disk."""


@dataclass(frozen=True)
class Refined:
    """What became of shot ``number`` of ``total``. found: it was on disk already."""

    shot: Shot
    number: int
    total: int
    found: bool


class Refine:
    """Refines the shots of one character; what is already on disk is not done again.

    studio: for the detail passes; its mode is how the model is shown the original, img2img for not
    at all. upscale_model, face_model and clip_vision are ComfyUI's; each may be None, and so may
    the studio. max_identity_loss: how much less like the original a shot may become, as cosine.
    Raises FacetError when that leaves nothing to do, or a model cannot do it.
    """

    def __init__(
        self,
        character: Character,
        settings: RefineSettings,
        studio: Studio | None = None,
        upscale_model: Any = None,
        face_model: Any = None,
        clip_vision: Any = None,
        seed: int = 0,
        max_identity_loss: float = 0.03,
    ) -> None:
        if not any(shot.include for shot in character.shots):
            raise FacetError(
                "The character has no shots to refine; put this node after the Shot Generator."
            )
        denoised = settings.detail_denoise or (settings.face_denoise and face_model is not None)
        coloured = settings.colours is Colours.ORIGINAL and face_model is not None
        larger = upscale_model is not None or settings.upscale_by > 1
        if not (larger or coloured or (studio is not None and denoised)):
            raise FacetError(
                "There is nothing to do; connect an upscale_model or a studio, or raise upscale_by."
            )
        self.character = character
        self.clip_vision, self.max_identity_loss = clip_vision, max_identity_loss
        self.retoucher = None
        if studio is not None and denoised:
            self.retoucher = Retoucher(character, studio, seed, settings.face_size**2)
        self.finisher = Finisher(character, settings, self.retoucher, upscale_model, face_model)
        self._common = {
            "original": character.source.hash,
            "settings": settings,
            "seed": seed,
            "upscale_model": fingerprint(upscale_model),
            "face_model": measured_by(face_model),
            "studio": self._studio_values(),
        }

    def run(
        self,
        store: ShotStore,
        on_shot: Callable[[Refined], None] | None = None,
        on_step: OnStep | None = None,
    ) -> Character:
        """The character with its included shots refined, each kept in ``store`` at once.

        A shot that would become less like the original stays as it is, and says so in its score.
        """
        total = sum(shot.include for shot in self.character.shots)
        shots: list[Shot] = []
        number = 0
        for shot in self.character.shots:
            if shot.include:
                number += 1
                refined, found = self._one(shot, store, on_step)
                if on_shot is not None:
                    on_shot(Refined(refined, number, total, found))
                shots.append(refined)
            else:
                shots.append(shot)
        return replace(self.character, shots=tuple(shots))

    def _one(self, shot: Shot, store: ShotStore, on_step: OnStep | None) -> tuple[Shot, bool]:
        name = key(VERSION, **self._common, shot=shot.hash, tags=shot.tags)
        stored = store.load(name)
        found = stored is not None
        if stored is None:
            image, done = self.finisher.picture(shot, on_step)
            stored = Shot(
                image,
                self._provenance(shot),
                caption=shot.caption,
                tags=shot.tags,
                scores=(Score(REFINE_GATE, None, None, None, done),),
                weight=shot.weight,
            )
            store.save(name, stored)
        return self._judged(shot, stored), found

    def _judged(self, shot: Shot, stored: Shot) -> Shot:
        """``stored`` as what ``shot`` becomes, or ``shot`` marked when that is less like the
        original than is allowed."""
        done = "".join(score.note for score in stored.scores if score.gate == REFINE_GATE)
        others = tuple(score for score in shot.scores if score.gate != REFINE_GATE)
        if stored.hash == shot.hash:
            return replace(shot, scores=(*others, Score(REFINE_GATE, None, None, None, done)))
        original = self.character.source.image
        change = likeness_gain(self.clip_vision, original, shot.image, stored.image)
        if change is not None and change < -self.max_identity_loss:
            # Not a failure of the shot, which is as good as it was: it passes or fails by its own.
            note = f"refinement discarded: similarity to the original would drop by {-change:.2f}"
            kept = Score(REFINE_GATE, change, -self.max_identity_loss, None, note)
            return replace(shot, scores=(*others, kept))
        passed, limit = (None, None) if change is None else (True, -self.max_identity_loss)
        note = done if passed else f"{done}; similarity not checked: no CLIP_VISION is connected"
        mask = shot.mask
        if mask is not None:
            size = tuple(stored.image.shape[:2])
            mask = torch.nn.functional.interpolate(mask[None, None], size=size, mode="bilinear")
            mask = mask[0, 0]
        return replace(
            shot,
            image=stored.image,
            mask=mask,
            provenance=stored.provenance,
            scores=(*others, Score(REFINE_GATE, change, limit, passed, note)),
        )

    def _provenance(self, shot: Shot) -> Provenance:
        """Made from ``shot``, by the models at hand."""
        parent = replace(shot.provenance, source="edited", parent=shot.hash, attempt=1, tries=1)
        if self.retoucher is None:
            return replace(parent, model="", prompt="", negative="", seed=0)
        reference, studio = self.retoucher.reference, self.retoucher.studio
        return replace(
            parent,
            model=type(studio.model.model).__name__,
            prompt=reference.prompt(shot.tags),
            negative=reference.dialect.negative(shot.tags, studio.negative),
            seed=self.retoucher.seed,
        )

    def _studio_values(self) -> dict[str, object]:
        """What of the studio decides what is made."""
        if self.retoucher is None:
            return {}
        reference, studio = self.retoucher.reference, self.retoucher.studio
        return {
            "model": model_fingerprint(studio.model),
            "sampling": studio.sampling,
            "custom": studio.custom,
            "mode": studio.mode,
            "negative": studio.negative,
            "strengthen_likeness": studio.strengthen_likeness,
            "dialect": reference.dialect.digest,
            "method": reference.method,
            "called": called(studio.mode, self.character),
        }


def report(character: Character) -> str:
    """What became of each included shot of a refined ``character``, a line for each."""
    lines = []
    for shot in character.shots:
        score = shot.score(REFINE_GATE)
        if shot.include and score is not None:
            what = ", ".join(shot.tags.phrases()) or shot.hash[:8]
            change = "" if score.value is None else f" (similarity {score.value:+.3f})"
            lines.append(f"{what}: {score.note}{change}")
    return "\n".join(lines)
