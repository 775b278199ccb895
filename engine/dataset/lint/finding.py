"""What the lint says: findings, the fixes they offer, and one number over all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

Action = Literal["exclude", "caption", "weight"]

SHOT_KINDS = MappingProxyType(
    {
        "caption_missing": 1.0,
        "trigger_missing": 1.0,
        "several_people": 1.0,
        "empty_mask": 1.0,
        "no_face": 0.7,
        "blurred": 0.7,
        "trigger_misspelt": 0.7,
        "small_picture": 0.5,
        "near_duplicate": 0.5,
        "identity_words": 0.5,
        "odd_weight": 0.5,
        "tiny_face": 0.4,
        "trigger_doubled": 0.3,
        "boilerplate": 0.3,
        "caption_duplicate": 0.2,
    }
)
"""Kinds of findings about single pictures, and what share of a picture's worth each takes."""

SET_KINDS = MappingProxyType(
    {
        "too_few": 0.2,
        "constant_background": 0.15,
        "constant_garment": 0.15,
        "common_phrase": 0.05,
        "coverage": 0.02,
    }
)
"""Kinds of findings about the whole set, and what share of its worth each one takes."""


@dataclass(frozen=True)
class Fix:
    """What would mend a finding: a picture to exclude, its better caption, or its better weight.

    shot: the picture's hash. value: the caption (str) or the weight (float); None to exclude.
    """

    action: Action
    shot: str
    value: str | float | None = None


@dataclass(frozen=True)
class Finding:
    """One fault of the dataset.

    kind: a key of ``SHOT_KINDS`` or ``SET_KINDS``. shots: the hashes of the pictures that have it;
    none where something is missing altogether. says: what it is. effect: what it would do to the
    LoRA. fix: what one press mends, or None. remedy: what else to do, in words. about: what of the
    set it names, such as the phrase, or 'view back'.
    """

    kind: str
    shots: tuple[str, ...]
    says: str
    effect: str
    fix: Fix | None = None
    remedy: str = ""
    about: str = ""

    def record(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        return asdict(self) | {"shots": list(self.shots)}


@dataclass(frozen=True)
class Report:
    """All findings, the gravest first; one number; and what could not be looked at, and why."""

    findings: tuple[Finding, ...]
    number: int
    skipped: tuple[str, ...] = ()

    def of(self, shot: str) -> tuple[Finding, ...]:
        """The findings about the picture with the hash ``shot``."""
        return tuple(finding for finding in self.findings if shot in finding.shots)

    def record(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "number": self.number,
            "findings": [finding.record() for finding in self.findings],
            "skipped": list(self.skipped),
        }

    @property
    def headline(self) -> str:
        """The number and how many findings there are, in a sentence."""
        count = len(self.findings)
        return f"Dataset {self.number} of 100, {count} finding{'s' * (count != 1)}."

    def text(self) -> str:
        """The report in lines to read: the number, then what each finding says and does."""
        lines = [self.headline]
        for finding in self.findings:
            lines.append(" ".join(filter(None, (f"! {finding.says}", finding.effect))))
            if finding.remedy:
                lines.append(f"  {finding.remedy}")
        return "\n".join([*lines, *self.skipped])


def weight_of(finding: Finding) -> float:
    """What share of its pictures', or of the whole set's, worth ``finding`` takes."""
    return SHOT_KINDS.get(finding.kind, SET_KINDS.get(finding.kind, 0.0))


def number(findings: Sequence[Finding], shots: Sequence[str]) -> int:
    """How good a set of the pictures ``shots`` (hashes) with ``findings`` is, 0 to 100.

    ``100 · mean over pictures(1 - worst of its findings) · Π over findings of the set(1 - w)``,
    with the weights in ``SHOT_KINDS`` and ``SET_KINDS``. A picture counts its worst fault only, so
    that ten bad pictures of a hundred cost ten points at most, whatever is wrong with them.
    """
    worst = dict.fromkeys(shots, 0.0)
    for finding in findings:
        if finding.kind in SHOT_KINDS:
            for shot in _at_fault(finding):
                worst[shot] = max(worst.get(shot, 0.0), weight_of(finding))
    kept = 1 - sum(worst.values()) / max(1, len(worst))
    whole = math.prod(1 - weight_of(one) for one in findings if one.kind in SET_KINDS)
    return round(100 * kept * whole)


def _at_fault(finding: Finding) -> tuple[str, ...]:
    """Of pictures that are alike, the one to exclude; otherwise all of them."""
    if finding.kind == "near_duplicate" and finding.fix is not None:
        return (finding.fix.shot,)
    return finding.shots
