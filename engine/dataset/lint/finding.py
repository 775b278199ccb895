"""What the lint says: findings, the fixes they offer, and one number over all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

Action = Literal["exclude", "caption", "weight"]


@dataclass(frozen=True)
class Kind:
    """What is the same in every finding of a kind.

    weight: what share of the worth of its picture, or of the whole set, it takes. effect: what it
    does to the LoRA, '' where that differs. remedy: what helps besides one press, which does
    ``action``.
    """

    weight: float
    effect: str = ""
    remedy: str = ""
    action: Action | None = None


SHOT_KINDS = MappingProxyType(
    {
        "caption_missing": Kind(
            1.0, "The trainer needs the trigger in every caption and stops.", action="caption"
        ),
        "trigger_missing": Kind(
            1.0,
            "The LoRA learns this image without the trigger, so that the character appears "
            "unprompted, and less when prompted.",
            action="caption",
        ),
        "several_people": Kind(
            1.0,
            "The LoRA mixes their faces, or learns to add other people.",
            "Or crop the image to the character.",
            "exclude",
        ),
        "somebody_else": Kind(
            1.0,
            "The LoRA mixes another face into the character.",
            "Keep it if you know that it is the character, in a view or light that is rare here.",
            "exclude",
        ),
        "empty_mask": Kind(
            1.0,
            "With masks on, the LoRA learns nothing from this image.",
            "Make the mask again, or load the image without it.",
            "exclude",
        ),
        "no_face": Kind(
            0.7,
            "The caption promises a face that is not there, and the LoRA learns to leave it out.",
            "Tag it as a back view if it is one.",
            "exclude",
        ),
        "blurred": Kind(0.7, "The LoRA learns blur as part of the face.", action="exclude"),
        "trigger_misspelt": Kind(
            0.7,
            "What this image teaches binds to another word than the trigger.",
            action="caption",
        ),
        "small_picture": Kind(
            0.5,
            "Enlarged, or trained at its own size, it teaches softness instead of detail.",
            "Facet Refine Shots enlarges it with an upscale model.",
            "exclude",
        ),
        "near_duplicate": Kind(
            0.5, "What both show counts twice, and comes out as a copy.", action="exclude"
        ),
        "identity_words": Kind(
            0.5,
            "The trait binds to those words instead of the trigger, and is missing when a prompt "
            "leaves them out.",
            action="caption",
        ),
        "odd_weight": Kind(0.5, action="weight"),
        "tiny_face": Kind(
            0.4,
            "A face of a few latent pixels teaches smeared faces, which shows in full-body images.",
            "Or crop the image closer.",
            "exclude",
        ),
        "trigger_doubled": Kind(
            0.3,
            "The trigger counts twice here, and prompts that name it once bring out less of the "
            "character.",
            action="caption",
        ),
        "prompt_syntax": Kind(
            0.3,
            "A caption is plain text while it is trained: other words than the image shows are "
            "learnt along.",
            action="caption",
        ),
        "boilerplate": Kind(
            0.3, "Words that the image does not show weaken those that it does.", action="caption"
        ),
        "caption_duplicate": Kind(
            0.2,
            "What sets them apart is not captioned, so it blends into the character.",
            "Say what differs: the background, the light, the clothes or a detail.",
        ),
    }
)
"""Kinds of findings about single pictures."""

SET_KINDS = MappingProxyType(
    {
        "too_few": Kind(
            0.2,
            "With few images the LoRA repeats them instead of learning from them.",
            "Make more with Facet Shot Generator.",
        ),
        "constant_background": Kind(
            0.15,
            "The LoRA learns the place as part of the character, and it appears unprompted.",
            "Add shots in other places, train with masks, or exclude some of these.",
        ),
        "constant_garment": Kind(
            0.15,
            "The LoRA learns the clothes as part of the character, and they appear unprompted.",
            "Add shots in other outfits, name the clothes in the captions, or exclude some.",
        ),
        "common_phrase": Kind(
            0.05,
            "What nearly every caption says becomes part of the trigger: prompts without it "
            "bring out less of the character.",
            "Remove it where it does not describe the image, or make shots without it.",
        ),
        "coverage": Kind(0.02, remedy="Add it to a shot plan, or tag the images that show it."),
    }
)
"""Kinds of findings about the whole set."""

KINDS = MappingProxyType({**SHOT_KINDS, **SET_KINDS})


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

    kind: a key of ``KINDS``. shots: the hashes of the pictures that have it; none where something
    is missing altogether. says: what it is. effect: what it would do to the LoRA. fix: what one
    press mends, or None. remedy: what else to do, in words. about: what of the set it names, such
    as the phrase, or 'view back'.
    """

    kind: str
    shots: tuple[str, ...]
    says: str
    effect: str
    fix: Fix | None = None
    remedy: str = ""
    about: str = ""

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"shots": list(self.shots)}


@dataclass(frozen=True)
class Report:
    """All findings, the gravest first; one number; and what could not be looked at, and why."""

    findings: tuple[Finding, ...]
    number: int
    skipped: tuple[str, ...] = ()

    def of(self, shot: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if shot in finding.shots)

    def record(self) -> dict[str, Any]:
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


def found(
    kind: str,
    shots: Sequence[str],
    says: str,
    value: str | float | None = None,
    about: str = "",
    effect: str = "",
    remedy: str = "",
) -> Finding:
    """A finding of ``kind`` about ``shots``, the last of which is the one to mend.

    value: its better caption or weight. effect, remedy: where they are not those of the kind.
    """
    known = KINDS[kind]
    fix = None if known.action is None else Fix(known.action, shots[-1], value)
    return Finding(
        kind, tuple(shots), says, effect or known.effect, fix, remedy or known.remedy, about
    )


def weight_of(finding: Finding) -> float:
    """What share of its pictures', or of the whole set's, worth ``finding`` takes."""
    return KINDS[finding.kind].weight


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
