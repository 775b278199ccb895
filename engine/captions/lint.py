"""What is wrong with captions before anybody trains on them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..character import Character


@dataclass(frozen=True)
class Finding:
    """One fault of one caption; ``shot`` is the hash of the picture."""

    shot: str
    caption: str
    fault: str


def lint(character: Character) -> list[Finding]:
    """The dataset's captions that do not hold the trigger exactly once, spelled alike.

    A companion's picture may hold the companion's trigger instead.
    """
    findings = []
    for shot in character.dataset:
        faults = [trigger_fault(shot.caption, trigger) for trigger in character.triggers]
        if all(faults):
            findings.append(Finding(shot.hash, shot.caption, faults[0]))
    return findings


def trigger_fault(caption: str, trigger: str) -> str:
    """What is wrong with the trigger in ``caption``; empty when it is there exactly once."""
    words = re.findall(rf"(?<!\w){re.escape(trigger)}(?!\w)", caption, flags=re.IGNORECASE)
    if not words:
        return f"lacks the trigger '{trigger}'"
    if len(words) > 1:
        return f"has the trigger '{trigger}' {len(words)} times"
    if words[0] != trigger:
        return f"spells the trigger '{words[0]}' instead of '{trigger}'"
    return ""
