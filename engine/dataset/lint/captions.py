"""What is wrong with captions."""

from __future__ import annotations

from ...core.character import Character
from .finding import Finding, Fix
from .phrases import common_phrases
from .trigger import trigger_findings
from .words import boilerplate_spans, identity_spans, without

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
    findings += boilerplate(character)
    if policy == BIND_TO_TRIGGER:
        findings += identity(character)
    if policy != TRIGGER_ONLY:
        findings += duplicates(character)
        findings += repeated(character, policy)
    return findings


def missing(character: Character) -> list[Finding]:
    """Pictures without a caption."""
    findings = []
    for shot in character.dataset:
        if not shot.caption.strip():
            better = ", ".join([character.phrase, *shot.tags.phrases()])
            findings.append(
                Finding(
                    "caption_missing",
                    (shot.hash,),
                    "An image has no caption.",
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
            f"{len(shots)} images share the caption {caption!r}.",
            "What sets them apart is not captioned, so it blends into the character.",
            remedy="Say what differs: the background, the light, the clothes or a detail.",
            about=caption,
        )
        for caption, shots in same.items()
        if len(shots) > 1
    ]


def boilerplate(character: Character) -> list[Finding]:
    """Captions with what captioners say of any picture."""
    findings = []
    for shot in character.dataset:
        spans = boilerplate_spans(shot.caption)
        if spans:
            said = ", ".join(repr(shot.caption[start:end]) for start, end in spans)
            findings.append(
                Finding(
                    "boilerplate",
                    (shot.hash,),
                    f"The caption says {said}, which says nothing of the image.",
                    "Words that the image does not show weaken those that it does.",
                    Fix("caption", shot.hash, without(shot.caption, spans)),
                )
            )
    return findings


def identity(character: Character) -> list[Finding]:
    """Captions that say who the character is, which is to bind to the trigger."""
    findings = []
    for shot in character.dataset:
        spans = identity_spans(shot.caption)
        if spans:
            said = ", ".join(repr(shot.caption[start:end]) for start, end in spans)
            findings.append(
                Finding(
                    "identity_words",
                    (shot.hash,),
                    f"The caption says {said}, which the trigger should carry.",
                    "The trait binds to those words instead of the trigger, and is missing when "
                    "a prompt leaves them out.",
                    Fix("caption", shot.hash, without(shot.caption, spans)),
                )
            )
    return findings


def repeated(character: Character, policy: str) -> list[Finding]:
    """Phrases in more than 80 % of the captions."""
    captions = sum(bool(shot.caption.strip()) for shot in character.dataset)
    return [
        Finding(
            "common_phrase",
            tuple(shots),
            f"{phrase!r} is in {len(shots)} of {captions} captions.",
            "What nearly every caption says becomes part of the trigger: prompts without it "
            "bring out less of the character.",
            remedy="Remove it where it does not describe the image, or make shots without it.",
            about=phrase,
        )
        for phrase, shots in common_phrases(character).items()
        if policy == BIND_TO_TRIGGER or not identity_spans(phrase)
    ]


def _policy(character: Character) -> str:
    called = {character.phrase, character.trigger}
    captions = {shot.caption.strip(" ,.") for shot in character.dataset}
    return TRIGGER_ONLY if captions <= called else BIND_TO_TRIGGER
