"""What is wrong with captions."""

from __future__ import annotations

from ..character import Character
from .finding import Finding, Fix
from .trigger import trigger_findings

TRIGGER_ONLY = "trigger_only"
BIND_TO_TRIGGER = "bind_to_trigger"


def caption_findings(character: Character, policy: str | None = None) -> list[Finding]:
    """The faults of the dataset's captions, which are to follow ``policy``.

    policy: bind_to_trigger, trigger_only, describe_identity or template; None reads it off the
    captions: trigger_only where none says more, otherwise bind_to_trigger.
    """
    policy = policy or _policy(character)
    findings = missing(character)
    findings += trigger_findings(character)
    if policy != TRIGGER_ONLY:
        findings += duplicates(character)
    return findings


def missing(character: Character) -> list[Finding]:
    """Pictures without a caption."""
    findings = []
    for shot in character.dataset:
        if not shot.caption.strip():
            called = f"{character.trigger} {character.class_word}"
            better = ", ".join([called, *shot.tags.phrases()])
            findings.append(
                Finding(
                    "caption_missing",
                    (shot.hash,),
                    "A picture has no caption.",
                    "The trainer needs the trigger in every caption and stops.",
                    Fix("caption", shot.hash, better),
                )
            )
    return findings


def duplicates(character: Character) -> list[Finding]:
    """Captions that several pictures share, although the pictures differ."""
    same: dict[str, list[str]] = {}
    for shot in character.dataset:
        if shot.caption.strip():
            same.setdefault(" ".join(shot.caption.casefold().split()), []).append(shot.hash)
    return [
        Finding(
            "caption_duplicate",
            tuple(shots),
            f"{len(shots)} pictures share the caption {caption!r}.",
            "What sets them apart is said nowhere, so that it blends into the character.",
            remedy="Say what differs: the background, the light, the clothes or a detail.",
            about=caption,
        )
        for caption, shots in same.items()
        if len(shots) > 1
    ]


def _policy(character: Character) -> str:
    called = {f"{character.trigger} {character.class_word}", character.trigger}
    captions = {shot.caption.strip(" ,.") for shot in character.dataset}
    return TRIGGER_ONLY if captions <= called else BIND_TO_TRIGGER
