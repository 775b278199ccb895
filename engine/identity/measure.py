"""What is measured in one picture of a scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..character import Character
from ..measure.embedding import embed
from ..measure.faces import Face, find_face
from ..measure.sharpness import grey_of, sharpness
from ..sampling import Sampling
from .calibrate import leave_one_out
from .condition import Sample
from .copies import CopyFinder
from .garment import Garment, clothes_colour, own_garment, to_lab
from .protocol import TestPrompt


@dataclass(frozen=True)
class Positives:
    """The dataset's own shots against the original, and each against the others of them.

    by_view: those against the original by the view that they are tagged with.
    """

    original: tuple[float, ...]
    among: tuple[float, ...]
    by_view: dict[str, tuple[float, ...]]


class Meter:
    """Measures pictures against one character.

    clip_vision: ComfyUI's CLIP_VISION. face_model: what goes over FACE_DETECTION_MODEL, or None.
    """

    def __init__(self, character: Character, clip_vision: Any, face_model: Any = None) -> None:
        self.clip_vision = clip_vision
        self.name = f"{type(clip_vision.model).__name__}, whole picture: appearance"
        self.face_model = face_model
        source_face = self.face(character.source.image)
        self.sees_faces = source_face is not None
        embeddings = embed(clip_vision, [shot.image for shot in character.pictures])
        self.original = embeddings[0]
        by_hash = dict(zip((s.hash for s in character.pictures), embeddings, strict=True))
        dataset = character.dataset or (character.source,)
        self.copies = CopyFinder(dataset, torch.stack([by_hash[shot.hash] for shot in dataset]))
        own = [
            shot
            for shot in character.shots
            if shot.include and shot.accepted and shot.tags.view != "back"
        ]
        self.set = torch.stack([by_hash[shot.hash] for shot in own] or [self.original])
        cosines = [float(by_hash[shot.hash] @ self.original) for shot in own]
        views: dict[str, tuple[float, ...]] = {}
        for shot, cosine in zip(own, cosines, strict=True):
            views[shot.tags.view] = (*views.get(shot.tags.view, ()), cosine)
        self.positives = Positives(tuple(cosines), leave_one_out(self.set), views)
        self.garment: Garment | None = None
        if self.sees_faces:
            colours = [clothes_colour(shot.image, self.face(shot.image)) for shot in dataset]
            self.garment = own_garment(dataset, colours)

    def face(self, image: torch.Tensor) -> Face | None:
        """The largest face in ``image`` (H, W, 3), or None."""
        return None if self.face_model is None else find_face(self.face_model, image)

    def sample(self, prompt: TestPrompt, text: str, image: torch.Tensor) -> Sample:
        """What there is to say of ``image`` (H, W, 3), which was made for ``prompt``."""
        embedding = embed(self.clip_vision, image[None])[0]
        face = self.face(image) if self.sees_faces else None
        worn = None
        if self.garment is not None:
            worn = self.garment.worn(clothes_colour(image, face))
        expression: tuple[float, ...] = ()
        if face is not None and face.blendshapes:
            expression = tuple(round(value, 3) for _, value in sorted(face.blendshapes.items()))
        return Sample(
            prompt=prompt,
            text=text,
            similarity=float(embedding @ self.original),
            score=None,
            yaw=None if face is None else face.yaw,
            nearest=self.copies.nearest(image, embedding),
            to_set=float((self.set @ embedding).median()),
            face=None if not self.sees_faces else face is not None,
            pitch=None if face is None else face.pitch,
            expression=expression,
            sharpness=sharpness(grey_of(image)),
            chroma=chroma(image),
            wears_own=worn,
        )


def chroma(image: torch.Tensor) -> float:
    """Mean chroma of ``image`` (H, W, 3) in CIELAB: a LoRA that is too strong burns colours."""
    lab = to_lab(image)
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def reproduced(image: torch.Tensor, vae: Any, sampling: Sampling) -> float:
    """PSNR in dB of ``image`` (H, W, 3) after the VAE's round trip, at the samples' size."""
    size = (sampling.height, sampling.width)
    resized = torch.nn.functional.interpolate(
        image.movedim(-1, 0)[None], size, mode="bilinear", antialias=True
    )
    given = resized.movedim(1, -1)
    back = vae.decode(vae.encode(given)).to(given).clamp(0, 1)
    error = (back.detach().reshape(given.shape) - given).square().mean()
    return float(-10 * torch.log10(error.clamp_min(1e-6)))
