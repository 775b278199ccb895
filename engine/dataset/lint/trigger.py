"""Whether a caption calls the character exactly once, and how to make it so."""

from __future__ import annotations

import re

from ...core.character import Character, Shot
from ...core.letters import UNSPACED, word_pattern
from ...core.words import tidy
from .finding import Finding, found


def trigger_fault(caption: str, trigger: str) -> str:
    """What is wrong with the trigger in ``caption``; empty when it is there exactly once."""
    words = _called(caption, trigger)
    if not words:
        return f"lacks the trigger '{trigger}'"
    if len(words) > 1:
        return f"has the trigger '{trigger}' {len(words)} times"
    if words[0] != trigger:
        return f"spells the trigger '{words[0]}' instead of '{trigger}'"
    return ""


def trigger_findings(character: Character) -> list[Finding]:
    """The dataset's captions that do not hold the trigger exactly once, spelled alike.

    A companion's picture may hold the companion's trigger instead. Empty captions are passed over.
    """
    findings = []
    for shot in character.dataset:
        if not shot.caption.strip():
            continue
        faults = [_fault(shot, trigger, character) for trigger in character.triggers]
        if all(faults):
            worse = [fault for fault in faults if fault and fault.kind != "trigger_missing"]
            findings.extend(fault for fault in (worse or faults)[:1] if fault)
    return findings


def _fault(shot: Shot, trigger: str, character: Character) -> Finding | None:
    caption = shot.caption
    says = trigger_fault(caption, trigger)
    if not says:
        return None
    words = _called(caption, trigger)
    if len(words) > 1:
        kind, better = "trigger_doubled", _once(caption, trigger)
    elif words:
        kind, better = "trigger_misspelt", caption.replace(words[0], trigger, 1)
    else:
        mistaken = _misspelt(caption, trigger, character.class_word)
        if mistaken:
            kind = "trigger_misspelt"
            says = f"spells the trigger '{mistaken}' instead of '{trigger}'"
            better = word_pattern(mistaken).sub(lambda _: trigger, caption, count=1)
        else:
            kind, better = "trigger_missing", _called_first(caption, character)
    return found(kind, [shot.hash], f"The caption {says}: {caption!r}.", better)


def _called(caption: str, trigger: str) -> list[str]:
    return word_pattern(trigger).findall(caption)


def _once(caption: str, trigger: str) -> str:
    """``caption`` with its first trigger, spelled right, and none of the others."""
    first, *others = word_pattern(trigger).split(caption)
    return tidy(f"{first}{trigger}{' '.join(others)}")


def _called_first(caption: str, character: Character) -> str:
    """``caption`` with the trigger before its class word, or before everything."""
    word = word_pattern(character.class_word)
    if word.search(caption):
        return word.sub(lambda found: f"{character.trigger} {found[0]}", caption, count=1)
    return f"{character.phrase}, {caption.strip()}"


def _misspelt(caption: str, trigger: str, class_word: str) -> str:
    """A word where a trigger stands, one slip of the pen away from it; '' when there is none."""
    if len(trigger) < 3:
        return ""
    words = re.findall(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+", caption)
    following = class_word.casefold().split()[0]
    for place, word in enumerate(words):
        next_word = words[place + 1].casefold() if place + 1 < len(words) else ""
        if (place == 0 or next_word == following) and _one_slip(
            word.casefold(), trigger.casefold()
        ):
            return word
    return ""


def _one_slip(word: str, other: str) -> bool:
    """Whether one letter more, less or other, or two that changed places, makes them the same."""
    if word == other or abs(len(word) - len(other)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), None)
    if same is None:
        return True
    rest, other_rest = word[same:], other[same:]
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[1::-1] + rest[2:] == other_rest and len(rest) > 1)
    )
