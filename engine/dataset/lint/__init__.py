"""What is wrong with a dataset before anybody trains on it: captions, pictures and coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...core.character import Character
from .captions import caption_findings
from .coverage import coverage_findings
from .duplicates import near_duplicates
from .finding import Finding, Fix, Report, number, weight_of
from .looks import looks
from .others import other_people
from .pictures import picture_findings
from .regions import region_findings
from .trigger import trigger_fault

if TYPE_CHECKING:
    from ...vision.embedders import FaceEmbedder

__all__ = ["Finding", "Fix", "Report", "lint", "trigger_fault"]


@torch.no_grad()
def lint(
    character: Character,
    *,
    clip_vision: Any = None,
    face_model: Any = None,
    face_embedder: FaceEmbedder | None = None,
    background: Any = None,
    policy: str | None = None,
    resolution: int = 0,
) -> Report:
    """What is wrong with the dataset of ``character``, gravest first.

    clip_vision: a CLIP_VISION, which rules out near-duplicates that only look alike. face_model: a
    FACE_DETECTION_MODEL, to look at faces with. face_embedder: tells somebody else's pictures;
    background: BACKGROUND_REMOVAL, for one that looks at people alone.
    Checks whose model is missing are named among those skipped.
    policy: the captions' policy, such as bind_to_trigger; None reads it off the captions.
    resolution: the side in pixels that is trained at; 0 takes the size that most pictures have.
    """
    seen = looks(character, face_model)
    findings = caption_findings(character, policy)
    findings += picture_findings(character, seen, face_model, resolution)
    regions, skipped = region_findings(seen, face_model is not None)
    coverage, unknown = coverage_findings(seen, face_model)
    findings += regions + coverage
    skipped += unknown
    if face_model is None:
        skipped.append("Faces: skipped, no FACE_DETECTION_MODEL is connected.")
    others, unsure = other_people(character, seen, face_embedder, background)
    findings += near_duplicates(character, seen, clip_vision) + others
    skipped += unsure
    findings.sort(key=weight_of, reverse=True)
    shots = [look.shot.hash for look in seen]
    return Report(tuple(findings), number(findings, shots), tuple(skipped))
