"""The whole lint: every check over one character's dataset."""

from __future__ import annotations

from typing import Any

from ..character import Character
from .captions import caption_findings
from .finding import Finding, Report, number, weight_of


def lint(
    character: Character,
    *,
    clip_vision: Any = None,
    face_model: Any = None,
    policy: str | None = None,
    resolution: int = 0,
) -> Report:
    """What is wrong with the dataset of ``character``, gravest first.

    clip_vision: a CLIP_VISION, to find near-duplicates with. face_model: a FACE_DETECTION_MODEL,
    to look at faces with. Without one of them its checks are named among those skipped.
    policy: the captions' policy, such as bind_to_trigger; None reads it off the captions.
    resolution: the side in pixels that is trained at; 0 takes the size that most pictures have.
    """
    findings: list[Finding] = caption_findings(character, policy)
    skipped: list[str] = []
    shots = [shot.hash for shot in character.dataset]
    findings.sort(key=weight_of, reverse=True)
    return Report(tuple(findings), number(findings, shots), tuple(skipped))
