"""What measures pictures: which likeness it tells, and what that needs."""

from __future__ import annotations

from typing import Any

import pytest

from facet.engine.studio.judge import ALIGNED_FACE, WHOLE, WITHOUT_BACKGROUND, Judge
from facet.engine.vision.crops import Crop
from facet.engine.vision.embedders import AppearanceEmbedder, Embedder
from harness.face_models import face_embedder

VISION, FACES, BACKGROUND = object(), object(), object()
RECOGNITION = face_embedder()


def test_a_judge_with_nothing_tells_no_likeness() -> None:
    assert Judge().embedder is None
    assert Judge(face_model=FACES, background=BACKGROUND).embedder is None
    # What the CLIP_VISION would look at does not matter where there is none.
    assert Judge(look_at=ALIGNED_FACE).embedder is None


@pytest.mark.parametrize("look_at", [WHOLE, ALIGNED_FACE, WITHOUT_BACKGROUND])
def test_a_clip_vision_tells_it_by_what_it_is_shown(look_at: Crop) -> None:
    embedder = Judge(FACES, VISION, background=BACKGROUND, look_at=look_at).embedder
    assert isinstance(embedder, AppearanceEmbedder) and embedder.crop == look_at


def test_a_face_embedder_comes_before_a_clip_vision() -> None:
    embedder: Embedder | None = Judge(FACES, VISION, RECOGNITION).embedder
    assert embedder is RECOGNITION
    # It looks at faces, whatever the CLIP_VISION would look at.
    assert Judge(FACES, VISION, RECOGNITION, look_at=WITHOUT_BACKGROUND).embedder is RECOGNITION


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"clip_vision": VISION, "look_at": WITHOUT_BACKGROUND, "face_model": FACES},
            "without the background needs a background removal model; connect one",
        ),
        (
            {"clip_vision": VISION, "look_at": ALIGNED_FACE, "background": BACKGROUND},
            "Similarity of faces needs a face detection model; connect one",
        ),
        ({"face_embedder": RECOGNITION}, "needs a face detection model; connect one"),
    ],
)
def test_likeness_that_lacks_a_model_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Judge(**given)
