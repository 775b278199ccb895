"""What tells one person from another: embedders behind one interface.

A CLIP_VISION measures appearance, whatever it is shown; a face recognition model measures who a
face is, and one of characters who somebody is who is seen whole. Which of them was used is part of
every figure, see `label`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal

import torch
import torch.nn.functional as F

from ..comfyui.fingerprint import fingerprint
from ..comfyui.progress import interruptible
from .crops import FACE_CROPS, Crop, cropped
from .embedding import batches, embed, of_length_one, pad_to_square
from .faces import Face
from .recognition import FaceModel

Measures = Literal["appearance", "face recognition", "character recognition"]

MIDDLE = (0.5, 0.5, 0.5)
"""The colour that a network sees as nothing where its card does not say another."""
FAMILIES = {
    "clip_vision_model": "CLIP",
    "siglip_vision_model": "SigLIP",
    "siglip2_vision_model": "SigLIP 2",
    "dinov2": "DINOv2",
    "dinov3": "DINOv3",
}
"""How people call what ComfyUI's CLIP_VISION may be, by its model_type."""


SEES: Mapping[Crop, str] = MappingProxyType(
    {
        "whole": "for a whole image",
        "without background": "for a person without background",
        "aligned face": "for a face",
        "head": "for a head",
    }
)


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One embedding for each picture.

    vectors: (N, D) float32 on the CPU, each of length 1; not a number where nothing was found, so
    that no figure can come of it. found: (N,) bool. D is 0 when nothing was found in any picture.
    """

    vectors: torch.Tensor
    found: torch.Tensor

    def cosines(self, vector: torch.Tensor) -> list[float | None]:
        """The cosine of each with ``vector`` (D,) of length 1; None where nothing was found."""
        return [
            float(mine @ vector) if found else None
            for mine, found in zip(self.vectors, self.found.tolist(), strict=True)
        ]


@dataclass(frozen=True, eq=False)
class AppearanceEmbedder:
    """Any CLIP_VISION, on the whole picture, on the person alone or on the face alone.

    What is not shown has the mean colour that the encoder was trained with, which it sees as
    nothing at all; so that a person alone is the same whatever was behind.
    """

    clip_vision: Any
    crop: Crop = "whole"
    measures: Measures = "appearance"

    @property
    def name(self) -> str:
        """The family and its size, since a CLIP_VISION does not know its file."""
        config = self.clip_vision.config
        if "name" in config:
            return str(config["name"])
        family = FAMILIES.get(self.clip_vision.model_type, self.clip_vision.model_type)
        return f"{family} ({config['num_hidden_layers']} layers, {config['hidden_size']} wide)"

    @property
    def fingerprint(self) -> str:
        """Which one this is and what it looks at, the same in the next process."""
        return f"{label(self)} {fingerprint(self.clip_vision)}"

    def embed(
        self,
        images: Iterable[torch.Tensor],
        masks: Iterable[torch.Tensor | None] | None = None,
        faces: Iterable[Face | None] | None = None,
    ) -> Embeddings:
        """The embeddings of ``images``, each (H, W, 3) in 0..1; a batch is asked for at a time.

        masks: each (H, W), 1 on the person. faces: each in px of its picture. Only those that the
        crop needs are looked at; a picture without one is not found. Raises FacetError with a
        sentence when they are not given, or the model gives no usable embedding.
        """
        colour = torch.tensor(self.clip_vision.image_mean, dtype=torch.float32)
        crops = cropped(self.crop, images, masks, faces, colour)
        return _embedded(crops, lambda found: embed(self.clip_vision, found))


@dataclass(frozen=True, eq=False)
class FaceEmbedder:
    """A recognition model on what its card says: aligned faces, heads, or whole pictures.

    mirrored: the mean of a face's embedding and of its mirror image's, as ArcFace is evaluated.
    """

    model: FaceModel
    mirrored: bool = True

    @property
    def crop(self) -> Crop:
        return self.model.card.crop

    @property
    def measures(self) -> Measures:
        """What a whole picture shows is not the face alone, and is not called so."""
        return "face recognition" if self.crop in FACE_CROPS else "character recognition"

    @property
    def name(self) -> str:
        """The file's name and the network."""
        return f"{self.model.name} ({self.model.kind})"

    @property
    def fingerprint(self) -> str:
        return f"{label(self)} {self.model.weights} {'mirrored' if self.mirrored else 'once'}"

    def embed(
        self,
        images: Iterable[torch.Tensor],
        masks: Iterable[torch.Tensor | None] | None = None,
        faces: Iterable[Face | None] | None = None,
    ) -> Embeddings:
        """As ``AppearanceEmbedder.embed``."""
        # ArcFace's training had black outside of the picture.
        arcface = self.crop == "aligned face"
        colour = torch.zeros(3) if arcface else torch.tensor(self.model.card.mean or MIDDLE)
        crops = cropped(self.crop, images, masks, faces, colour, self.model.card.size, margin=0.0)
        return _embedded(crops, lambda found: self._recognised(found, colour))

    def _recognised(self, crops: Iterable[torch.Tensor], colour: torch.Tensor) -> torch.Tensor:
        side = self.model.card.size
        squares = (_of_side(crop, side, colour) for crop in crops)
        rows = []
        for batch in interruptible(batches(squares)):
            pixels = batch.movedim(-1, 1)
            row = self.model.recogniser(pixels)
            if self.mirrored:
                row = row + self.model.recogniser(pixels.flip(-1))
            rows.append(row)
        complaint = (
            f"{self.name} gave an embedding that is empty or not a number; use another file."
        )
        return of_length_one(torch.cat(rows), complaint)


Embedder = AppearanceEmbedder | FaceEmbedder
"""Pictures to embeddings. name: what it is, in words that people are shown."""


def label(embedder: Embedder) -> str:
    """What a figure is called: 'appearance by CLIP (24 layers, 1024 wide), whole picture'."""
    seen = "whole picture" if embedder.crop == "whole" else embedder.crop
    return f"{embedder.measures} by {embedder.name}, {seen}"


def about(embedder: FaceEmbedder) -> str:
    """What ``embedder`` is and sees, what it is good for, its licence and its origin."""
    model, card = embedder.model, embedder.model.card
    known = {"Good for": card.good_for, "Licence": card.licence, "Origin": card.origin}
    sees = f"{embedder.name}: {model.dimensions} numbers {SEES[card.crop]} of {card.size} px."
    return " ".join(
        [sees, *(f"{what}: {said.rstrip('.')}." for what, said in known.items() if said)]
    )


def nothing_found(embedder: Embedder) -> str:
    """What to say when ``embedder`` finds nothing to look at in the original."""
    what = "no face" if embedder.crop in FACE_CROPS else "nobody"
    return (
        f"{label(embedder)} finds {what} in the original picture; use another picture, or measure "
        "the appearance of the whole picture."
    )


def _of_side(crop: torch.Tensor, side: int, colour: torch.Tensor) -> torch.Tensor:
    """``crop`` (H, W, 3) on a square of ``colour`` (3,), as (side, side, 3)."""
    square = pad_to_square(crop[..., :3].to("cpu", torch.float32), colour)
    if len(square) == side:
        return square
    scaled = F.interpolate(
        square.movedim(-1, 0)[None], (side, side), mode="bilinear", antialias=True
    )
    return scaled[0].movedim(0, -1)


def _embedded(
    crops: Iterable[torch.Tensor | None], encode: Callable[[Iterable[torch.Tensor]], torch.Tensor]
) -> Embeddings:
    """What ``encode`` makes of those of ``crops`` that are there, none of which is kept."""
    found: list[bool] = []

    def there() -> Iterator[torch.Tensor]:
        for crop in crops:
            found.append(crop is not None)
            if crop is not None:
                yield crop

    those = there()
    first = next(those, None)
    if first is None:
        return Embeddings(torch.zeros(len(found), 0), torch.tensor(found, dtype=torch.bool))
    known = encode(chain([first], those))
    at = torch.tensor(found, dtype=torch.bool)
    vectors = torch.full((len(found), known.shape[1]), torch.nan)
    vectors[at] = known
    return Embeddings(vectors, at)
