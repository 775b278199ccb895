"""Captions written from what is known about each shot."""

from __future__ import annotations

from ..character import Character
from ..lint.captions import caption_findings
from .policy import CaptionPolicy


def write_captions(
    character: Character, policy: CaptionPolicy, keep_existing: bool = True
) -> Character:
    """``character`` with a caption for every picture, the original and excluded shots as well.

    With ``keep_existing`` a caption that is already there stays as it is.
    """
    return character.captioned(
        {
            shot.hash: policy.caption(character, shot)
            for shot in character.pictures
            if not (keep_existing and shot.caption.strip())
        }
    )


def caption_report(before: Character, after: Character) -> str:
    """What was written, in lines to read: a count, the faults, then every caption."""
    kept = sum(
        bool(old.caption.strip()) and old.caption == new.caption
        for old, new in zip(before.pictures, after.pictures, strict=True)
    )
    findings = caption_findings(after)
    total = len(after.pictures)
    lines = [f"{total - kept} of {total} captions written, {kept} kept as they were."]
    lines += [f"! {finding.says}" for finding in findings]
    lines += ["", *(shot.caption for shot in after.pictures)]
    return "\n".join(lines)
