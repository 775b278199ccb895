"""What tells one person from another: embedders behind one interface.

A CLIP_VISION measures appearance, whatever it is shown; a face recognition model measures who a
face is. Which of them was used is part of every figure, see `label`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from ..comfyui.fingerprint import fingerprint
from ..comfyui.progress import interruptible
from ..core.errors import FacetError
from .alignment import aligned
from .embedding import BATCH, embed, of_length_one, pad_to_square
from .faces import Face
from .recognition import FaceModel

Measures = Literal["appearance", "face recognition"]
Crop = Literal["whole", "without background", "aligned face"]
CROPS: tuple[Crop, ...] = ("whole", "without background", "aligned face")

FACE_SIDE = 224
FACE_MARGIN = 0.25
"""Round ArcFace's crop, so that an encoder of appearance sees the hair and the chin as well."""
MASK_MARGIN = 0.05

FAMILIES = {
    "clip_vision_model": "CLIP",
    "siglip_vision_model": "SigLIP",
    "siglip2_vision_model": "SigLIP 2",
    "dinov2": "DINOv2",
    "dinov3": "DINOv3",
}
"""How people call what ComfyUI's CLIP_VISION may be, by its model_type."""


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


def person_mask(background: Any, image: torch.Tensor) -> torch.Tensor | None:
    """Where the person is in ``image`` (H, W, 3): (H, W) in 0..1, None without a model.

    background: what goes over BACKGROUND_REMOVAL.
    """
    if background is None:
        return None
    found: torch.Tensor = background.encode_image(image[None])
    return found[0].detach().to("cpu", torch.float32)


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
        images: Sequence[torch.Tensor],
        masks: Sequence[torch.Tensor | None] | None = None,
        faces: Sequence[Face | None] | None = None,
    ) -> Embeddings:
        """The embeddings of ``images``, each (H, W, 3) in 0..1.

        masks: each (H, W), 1 on the person. faces: each in px of its picture. Only those that the
        crop needs are looked at; a picture without one is not found. Raises FacetError with a
        sentence when they are not given, or the model gives no usable embedding.
        """
        colour = torch.tensor(self.clip_vision.image_mean, dtype=torch.float32)
        crops = cropped(self.crop, images, masks, faces, colour)
        return _embedded(crops, lambda found: embed(self.clip_vision, found))


@dataclass(frozen=True, eq=False)
class FaceEmbedder:
    """A face recognition model on aligned faces.

    mirrored: the mean of a face's embedding and of its mirror image's, as ArcFace is evaluated.
    """

    model: FaceModel
    mirrored: bool = True
    measures: Measures = "face recognition"
    crop: Crop = "aligned face"

    @property
    def name(self) -> str:
        """The file's name and the network."""
        return f"{self.model.name} ({self.model.kind})"

    @property
    def fingerprint(self) -> str:
        return f"{label(self)} {self.model.weights} {'mirrored' if self.mirrored else 'once'}"

    def embed(
        self,
        images: Sequence[torch.Tensor],
        masks: Sequence[torch.Tensor | None] | None = None,
        faces: Sequence[Face | None] | None = None,
    ) -> Embeddings:
        """As ``AppearanceEmbedder.embed``, by faces alone."""
        crops = [
            face and aligned(image, face)
            for image, face in zip(images, _given(images, faces, "faces"), strict=True)
        ]
        return _embedded(crops, self._recognised)

    def _recognised(self, crops: list[torch.Tensor]) -> torch.Tensor:
        rows = []
        for batch in interruptible(torch.stack(crops).split(BATCH)):
            faces = batch.movedim(-1, 1)
            row = self.model.recogniser(faces)
            if self.mirrored:
                row = row + self.model.recogniser(faces.flip(-1))
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


def nothing_found(embedder: Embedder) -> str:
    """What to say when ``embedder`` finds nothing to look at in the original."""
    what = "nobody" if embedder.crop == "without background" else "no face"
    return (
        f"{label(embedder)} finds {what} in the original picture; use another picture, or measure "
        "the appearance of the whole picture."
    )


def cropped(
    crop: Crop,
    images: Sequence[torch.Tensor],
    masks: Sequence[torch.Tensor | None] | None,
    faces: Sequence[Face | None] | None,
    colour: torch.Tensor,
) -> list[torch.Tensor | None]:
    """What an encoder of appearance is shown of ``images``; None where it is not there.

    colour (3,): what is put in the place of the background, and outside of the picture.
    """
    if crop == "whole":
        return list(images)
    if crop == "without background":
        return [
            None if mask is None else without_background(image, mask, colour)
            for image, mask in zip(images, _given(images, masks, "masks"), strict=True)
        ]
    return [
        face and aligned(image, face, FACE_SIDE, FACE_MARGIN, colour)
        for image, face in zip(images, _given(images, faces, "faces"), strict=True)
    ]


def without_background(
    image: torch.Tensor, mask: torch.Tensor, colour: torch.Tensor
) -> torch.Tensor | None:
    """What ``mask`` (H, W) shows of ``image`` (H, W, 3), on a square of ``colour`` (3,).

    None when the mask shows nothing. Raises FacetError when the sizes differ.
    """
    if mask.shape != image.shape[:2]:
        raise FacetError(
            f"A mask is {tuple(mask.shape)} and its picture {tuple(image.shape[:2])}; they need "
            "the same height and width."
        )
    mask = mask.detach().to("cpu", torch.float32).clamp(0, 1)
    rows, columns = (torch.nonzero((mask > 0.5).any(dim=side)).flatten() for side in (1, 0))
    if not len(rows):
        return None
    picture = image[..., :3].detach().to("cpu", torch.float32)
    alone = torch.lerp(colour.expand_as(picture), picture, mask[..., None])
    top, left, bottom, right = (int(edge) for edge in (rows[0], columns[0], rows[-1], columns[-1]))
    margin = round(MASK_MARGIN * (max(bottom - top, right - left) + 1))
    alone = alone[max(0, top - margin) : bottom + 1 + margin]
    return pad_to_square(alone[:, max(0, left - margin) : right + 1 + margin], colour)


def _given(images: Sequence[Any], given: Sequence[Any] | None, what: str) -> Sequence[Any]:
    if given is None:
        raise FacetError(
            f"This embedder needs the {what} of the pictures, and none were given; connect what "
            f"finds {what}."
        )
    if len(given) != len(images):
        raise FacetError(f"There are {len(images)} pictures and {len(given)} {what}.")
    return given


def _embedded(
    crops: Sequence[torch.Tensor | None], encode: Callable[[list[torch.Tensor]], torch.Tensor]
) -> Embeddings:
    found = torch.tensor([crop is not None for crop in crops], dtype=torch.bool)
    if not found.any():
        return Embeddings(torch.zeros(len(crops), 0), found)
    known = encode([crop for crop in crops if crop is not None])
    vectors = torch.full((len(crops), known.shape[1]), torch.nan)
    vectors[found] = known
    return Embeddings(vectors, found)
