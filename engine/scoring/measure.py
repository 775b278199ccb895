"""What is measured in one sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..comfyui.sampling import Sampling
from ..core.character import Character
from ..core.errors import FacetError
from ..vision.alignment import aligned
from ..vision.clothes import clothes_colour, own_garment
from ..vision.colours import to_lab
from ..vision.copies import CopyFinder
from ..vision.crops import person_mask, without_background
from ..vision.embedders import AppearanceEmbedder, Embedder, label, nothing_found
from ..vision.embedding import embed
from ..vision.faces import Face, find_face, find_head
from ..vision.sharpness import grey_of, sharpness
from .adherence import shown
from .calibrate import leave_one_out, with_others
from .protocol import TestPrompt
from .sample import ScoredSample

GREY = torch.full((3,), 0.5)
"""What stands behind a person who is cut out, in every picture alike."""


@dataclass(frozen=True)
class Positives:
    """The dataset's own shots against the original, and each against the others of them.

    by_view: those against the original by the view that they are tagged with. held_out: the
    original, and each held-out picture, against the held-out pictures that it is not.
    """

    original: tuple[float, ...]
    among: tuple[float, ...]
    by_view: dict[str, tuple[float, ...]]
    held_out: tuple[float, ...] = ()


class SampleMeter:
    """Measures pictures against one character.

    embedder: tells likeness. clip_vision: ComfyUI's CLIP_VISION, by which copies are looked for.
    face_model: what goes over FACE_DETECTION_MODEL, background: what goes over BACKGROUND_REMOVAL;
    each may be None. held_out: pictures (H, W, 3) that nobody has seen. Raises FacetError when the
    embedder finds nothing to look at in the original, or in one of these.
    """

    def __init__(
        self,
        character: Character,
        embedder: Embedder,
        clip_vision: Any,
        face_model: Any = None,
        background: Any = None,
        held_out: Sequence[torch.Tensor] = (),
    ) -> None:
        self.embedder, self.clip_vision, self.face_model = embedder, clip_vision, face_model
        self.background = background
        self.name = label(embedder)
        pictures = character.pictures
        faces = [find_face(face_model, shot.image) for shot in pictures]
        # A mask that came with a picture cuts it out just as well, but not in the same way.
        masks = [self.mask(shot.image) for shot in pictures]
        self.sees_faces = faces[0] is not None
        embeddings = embedder.embed((shot.image for shot in pictures), masks, faces)
        if not embeddings.found[0]:
            raise FacetError(nothing_found(embedder))
        self.original = embeddings.vectors[0]
        self._look_for_copies(character, faces, masks)
        own = [
            (shot, vector)
            for shot, vector, found in zip(
                pictures[1:], embeddings.vectors[1:], embeddings.found[1:].tolist(), strict=True
            )
            if found and shot.include and shot.accepted and shot.tags.view != "back"
        ]
        self.set = torch.stack([vector for _, vector in own] or [self.original])
        cosines = [float(vector @ self.original) for _, vector in own]
        views: dict[str, tuple[float, ...]] = {}
        for (shot, _), cosine in zip(own, cosines, strict=True):
            views[shot.tags.view] = (*views.get(shot.tags.view, ()), cosine)
        self.held_out = self._seen_in(held_out)
        true = leave_one_out(self.held_out)
        if len(held_out):
            true = (*with_others(self.original[None], self.held_out), *true)
        self.positives = Positives(tuple(cosines), leave_one_out(self.set), views, true)

    def _seen_in(self, held_out: Sequence[torch.Tensor]) -> torch.Tensor:
        """The embeddings (N, D) of ``held_out``."""
        faces = [find_face(self.face_model, image) for image in held_out]
        seen = self.embedder.embed(held_out, [self.mask(image) for image in held_out], faces)
        for number, found in enumerate(seen.found.tolist(), start=1):
            if not found:
                raise FacetError(
                    f"Held-out picture {number} cannot be compared: nobody is found in it; connect "
                    "one in which the face is clear."
                )
        return seen.vectors

    def _look_for_copies(
        self,
        character: Character,
        faces: Sequence[Face | None],
        masks: Sequence[torch.Tensor | None],
    ) -> None:
        """Takes the training pictures in: what is copied from, and the clothes that they share."""
        every = list(zip(character.pictures, faces, masks, strict=True))
        dataset = [one for one in every if one[0].include] or every[:1]
        shots = [shot for shot, _, _ in dataset]
        self.copies = CopyFinder(
            shots,
            embed(self.clip_vision, (shot.image for shot in shots)),
            [face and aligned(shot.image, face) for shot, face, _ in dataset],
            [cut_out(shot.image, mask) for shot, _, mask in dataset],
        )
        colours = [clothes_colour(shot.image, face) for shot, face, _ in dataset]
        self.garment = own_garment(shots, colours) if self.sees_faces else None

    @property
    def _looks_as_copies_do(self) -> bool:
        """Whether the embedder is the CLIP_VISION on whole pictures, as copies are looked for."""
        return isinstance(self.embedder, AppearanceEmbedder) and self.embedder.crop == "whole"

    def mask(self, image: torch.Tensor) -> torch.Tensor | None:
        """Where the person is in ``image`` (H, W, 3), as (H, W) in 0..1, or None."""
        return person_mask(self.background, image)

    def sample(self, prompt: TestPrompt, text: str, image: torch.Tensor) -> ScoredSample:
        """What there is to say of ``image`` (H, W, 3), which was made for ``prompt``."""
        head = find_head(self.face_model, image) if self.sees_faces else None
        face = head if head is not None and head.seen else None
        mask = self.mask(image)
        found = self.embedder.embed([image], [mask], [face])
        seen = bool(found.found[0])
        vector = found.vectors[0] if seen else None
        whole = vector
        if vector is None or not self._looks_as_copies_do:
            whole = embed(self.clip_vision, image[None])[0]
        assert whole is not None
        clothes = clothes_colour(image, face)
        expression: tuple[float, ...] = ()
        if face is not None and face.blendshapes:
            expression = tuple(round(value, 3) for _, value in sorted(face.blendshapes.items()))
        crop = None if face is None else aligned(image, face)
        return ScoredSample(
            prompt=prompt,
            text=text,
            # No face found: similarity counts as 0.
            similarity=0.0 if vector is None else float(vector @ self.original),
            score=None,
            yaw=None if head is None else head.yaw,
            nearest=self.copies.nearest(image, whole, crop, cut_out(image, mask)),
            to_set=0.0 if vector is None else float((self.set @ vector).median()),
            face=seen and head is not None if self.sees_faces else None,
            pitch=None if head is None else head.pitch,
            expression=expression,
            sharpness=sharpness(grey_of(image)),
            chroma=chroma(image),
            wears_own=None if self.garment is None else self.garment.worn(clothes),
            shown=shown(image, head, self.face_model, clothes),
            to_held_out=self._to_held_out(vector),
        )

    def _to_held_out(self, vector: torch.Tensor | None) -> float | None:
        """Median cosine of ``vector`` (D,) with the held-out pictures, 0 where nobody is found."""
        if not len(self.held_out):
            return None
        return 0.0 if vector is None else with_others(vector[None], self.held_out)[0]


def cut_out(image: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor | None:
    """The person in ``image`` (H, W, 3) alone, on a square of grey; None without one."""
    return None if mask is None else without_background(image, mask, GREY)


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
