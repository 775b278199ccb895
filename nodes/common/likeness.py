"""What tells likeness: what nodes ask for, and the embedder that is chosen by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from . import sockets

if TYPE_CHECKING:
    from ...engine.vision.embedders import Embedder


def embedder_inputs(background: str) -> list[io.Input]:
    """What chooses the embedder, beside the CLIP_VISION. background: what removing it is for."""
    return [
        sockets.FaceEmbedder.Input(
            "face_embedder",
            optional=True,
            tooltip="A face recognition model: identity is measured on faces then, and no longer "
            "by appearance. Needs the face detection model.",
        ),
        io.Combo.Input(
            "look_at",
            options=["whole", "aligned face", "without background"],
            default="whole",
            optional=True,
            advanced=True,
            tooltip="What the CLIP_VISION sees of each picture, where no face embedder is "
            "connected. Faces alone need the face detection model, the person without a "
            "background the background removal model.",
        ),
        io.BackgroundRemoval.Input("background_removal", optional=True, tooltip=background),
    ]


def embedder_for(
    clip_vision: Any,
    face_embedder: Embedder | None,
    look_at: str,
    face_model: Any,
    background: Any = None,
) -> Embedder | None:
    """What tells likeness: the face embedder where there is one, else the CLIP_VISION, else None.

    Raises FacetError when it looks at faces and nothing finds them, or at people alone and nothing
    cuts them out.
    """
    from ...engine.vision.embedders import CROPS, AppearanceEmbedder

    chosen = face_embedder
    if chosen is None and clip_vision is not None:
        chosen = AppearanceEmbedder(
            clip_vision, next((one for one in CROPS if one == look_at), CROPS[0])
        )
    crop = "" if chosen is None else chosen.crop
    if crop == "without background" and background is None:
        raise FacetError(
            "Likeness is to be measured without the background, and nothing cuts people out; "
            "connect a background_removal model."
        )
    if crop == "aligned face" and face_model is None:
        raise FacetError(
            "Likeness is to be measured on faces, and nothing finds them; connect a "
            "face_detection_model."
        )
    return chosen
