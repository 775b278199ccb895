"""What measures pictures: the models that look at them, and how strict they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.errors import FacetError
from ..vision.crops import FACE_CROPS, Crop
from ..vision.embedders import AppearanceEmbedder
from ..vision.pose import PoseModel

if TYPE_CHECKING:
    from ..vision.embedders import Embedder

WHOLE: Crop = "whole"
WITHOUT_BACKGROUND: Crop = "without background"
ALIGNED_FACE: Crop = "aligned face"


@dataclass(frozen=True, eq=False)
class Judge:
    """The models that measure; what needs one that is None is skipped, and says so.

    face_model: what goes over FACE_DETECTION_MODEL. clip_vision: a CLIP_VISION. face_embedder:
    tells who a face is. person_detector: an RT-DETR MODEL. background: what goes over
    BACKGROUND_REMOVAL. look_at: what the CLIP_VISION sees of a picture. options: thresholds of the
    gates and rules of the retries, by name.
    """

    face_model: Any = None
    clip_vision: Any = None
    face_embedder: Embedder | None = None
    person_detector: Any = None
    pose_model: PoseModel | None = None
    background: Any = None
    look_at: Crop = WHOLE
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        crop = self.embedder.crop if self.embedder is not None else WHOLE
        if crop == WITHOUT_BACKGROUND and self.background is None:
            raise FacetError(
                "Similarity without the background needs a background removal model; connect one "
                "to Facet Judge."
            )
        if crop in FACE_CROPS and self.face_model is None:
            raise FacetError(
                "Similarity of faces needs a face detection model; connect one to Facet Judge."
            )

    @property
    def embedder(self) -> Embedder | None:
        """What tells likeness: the face embedder where there is one, else the CLIP_VISION."""
        if self.face_embedder is not None:
            return self.face_embedder
        if self.clip_vision is None:
            return None
        return AppearanceEmbedder(self.clip_vision, self.look_at)
