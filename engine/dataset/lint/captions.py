"""What is wrong with captions."""

from __future__ import annotations

from collections.abc import Callable

from ...core.character import Character
from .finding import Finding, found
from .phrases import common_phrases
from .syntax import syntax_spans, without_syntax
from .trigger import trigger_findings
from .words import Span, boilerplate_spans, identity_spans, without

TRIGGER_ONLY = "trigger_only"
BIND_TO_TRIGGER = "bind_to_trigger"


def caption_findings(character: Character, policy: str | None = None) -> list[Finding]:
    """The faults of the dataset's captions, which are to follow ``policy``.

    policy: bind_to_trigger, trigger_only, describe_identity or template; None reads it off the
    captions: trigger_only where none says more, otherwise bind_to_trigger.
    """
    policy = policy or _policy(character)
    findings = [
        found(
            "caption_missing",
            [shot.hash],
            "The image has no caption.",
            ", ".join([character.phrase, *shot.tags.phrases()]),
        )
        for shot in character.dataset
        if not shot.caption.strip()
    ]
    findings += trigger_findings(character)
    findings += _wording(character, "boilerplate", boilerplate_spans, "says nothing of the image")
    findings += _syntax(character)
    if policy == BIND_TO_TRIGGER:
        why = "the trigger should carry"
        findings += _wording(character, "identity_words", identity_spans, why)
    if policy != TRIGGER_ONLY:
        findings += duplicates(character)
        findings += repeated(character, policy)
    return findings


def _wording(
    character: Character, kind: str, spans_of: Callable[[str], list[Span]], why: str
) -> list[Finding]:
    """Captions with words that should not be there."""
    findings = []
    for shot in character.dataset:
        spans = spans_of(shot.caption)
        if spans:
            said = ", ".join(repr(shot.caption[start:end]) for start, end in spans)
            says = f"The caption says {said}, which {why}."
            findings.append(found(kind, [shot.hash], says, without(shot.caption, spans)))
    return findings


def _syntax(character: Character) -> list[Finding]:
    """Captions with what only prompts understand."""
    findings = []
    for shot in character.dataset:
        spans = syntax_spans(shot.caption)
        if spans:
            said = ", ".join(repr(shot.caption[start:end]) for start, end in spans)
            says = f"The caption says {said}, which is prompt syntax."
            better = without_syntax(shot.caption)
            findings.append(found("prompt_syntax", [shot.hash], says, better))
    return findings


def duplicates(character: Character) -> list[Finding]:
    """Captions that several pictures share, although the pictures differ."""
    same: dict[str, list[str]] = {}
    for shot in character.dataset:
        if shot.caption.strip():
            same.setdefault(" ".join(shot.caption.casefold().split()), []).append(shot.hash)
    return [
        found(
            "caption_duplicate",
            shots,
            f"{len(shots)} images share the caption {caption!r}.",
            about=caption,
        )
        for caption, shots in same.items()
        if len(shots) > 1
    ]


def repeated(character: Character, policy: str) -> list[Finding]:
    """Phrases in more than 80 % of the captions."""
    captions = sum(bool(shot.caption.strip()) for shot in character.dataset)
    return [
        found(
            "common_phrase",
            shots,
            f"{phrase!r} is in {len(shots)} of {captions} captions.",
            about=phrase,
        )
        for phrase, shots in common_phrases(character).items()
        if policy == BIND_TO_TRIGGER or not identity_spans(phrase)
    ]


def _policy(character: Character) -> str:
    called = {character.phrase, character.trigger}
    captions = {shot.caption.strip(" ,.") for shot in character.dataset}
    return TRIGGER_ONLY if captions <= called else BIND_TO_TRIGGER
