"""What tells likeness: what nodes ask for, and the embedder that is chosen by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import sockets

if TYPE_CHECKING:
    from ..engine.measure.embedders import Crop, Embedder


def embedder_inputs() -> list[io.Input]:
    """What chooses the embedder, beside the CLIP_VISION."""
    return [
        sockets.FaceEmbedder.Input(
            "face_embedder",
            optional=True,
            tooltip="A face recognition model: identity is measured on faces then, and no longer "
            "by appearance. Needs the face detection model.",
        ),
        io.Combo.Input(
            "look_at",
            options=["whole", "aligned face"],
            default="whole",
            optional=True,
            advanced=True,
            tooltip="What the CLIP_VISION sees of each picture, where no face embedder is "
            "connected. Faces alone need the face detection model.",
        ),
    ]


def embedder_for(
    clip_vision: Any, face_embedder: Embedder | None, look_at: str, face_model: Any
) -> Embedder | None:
    """What tells likeness: the face embedder where there is one, else the CLIP_VISION, else None.

    Raises ValueError when it looks at faces and nothing finds them.
    """
    from ..engine.measure.embedders import AppearanceEmbedder

    chosen = face_embedder
    if chosen is None and clip_vision is not None:
        crop: Crop = "aligned face" if look_at == "aligned face" else "whole"
        chosen = AppearanceEmbedder(clip_vision, crop)
    if chosen is not None and chosen.crop == "aligned face" and face_model is None:
        raise ValueError(
            "Likeness is to be measured on faces, and nothing finds them; connect a "
            "face_detection_model."
        )
    return chosen
