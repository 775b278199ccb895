"""Captions written from what is known about each shot."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.character import Character, Shot
from ..core.words import ENGLISH
from ..families.family import Form
from .policy import CaptionPolicy


def unwritten(character: Character, keep_existing: bool = True) -> list[Shot]:
    """The pictures that want a caption: none that a person wrote, with ``keep_existing`` none."""
    return [
        shot
        for shot in character.pictures
        if not shot.by_hand and not (keep_existing and shot.caption.strip())
    ]


def write_captions(
    character: Character, policy: CaptionPolicy, keep_existing: bool = True
) -> Character:
    """``character`` with a caption for every picture, the original and excluded shots as well.

    A person's captions stay as they are, with ``keep_existing`` all that are already there.
    """
    wanted = unwritten(character, keep_existing)
    return character.captioned({shot.hash: policy.caption(character, shot) for shot in wanted})


def caption_report(
    before: Character,
    after: Character,
    policy: CaptionPolicy | None = None,
    notes: Sequence[str] = (),
    faults: Sequence[str] = (),
) -> str:
    """What was written, in lines to read: a count, ``notes``, the lines of ``faults``, then every
    caption, after the name of the file that its picture was loaded from."""
    pairs = list(zip(before.pictures, after.pictures, strict=True))
    hand = sum(new.by_hand for _, new in pairs)
    kept = sum(
        bool(old.caption.strip()) and old.caption == new.caption
        for old, new in pairs
        if not new.by_hand
    )
    total = len(pairs)
    line = f"{total - kept - hand} of {total} captions written, {kept} kept as they were"
    lines = [f"{line}, {hand} by hand." if hand else f"{line}."]
    lines += notes
    if policy is not None:
        lines += untranslated(after, policy)
    lines += [*faults, ""]
    for shot in after.pictures:
        file = shot.provenance.file
        lines.append(f"{file}: {shot.caption}" if file else shot.caption)
    return "\n".join(lines)


def untranslated(character: Character, policy: CaptionPolicy) -> list[str]:
    """A line about free text that a caption in another language says as it stands."""
    if policy.language == ENGLISH:
        return []
    if policy.form is Form.TAGS:
        return ["Tags stay English in every language, because models were trained on English tags."]
    free = {
        getattr(shot.tags, axis)
        for shot in character.pictures
        for axis in shot.tags.said_axes()
        if axis in policy.axes() and not policy.words.knows(axis, getattr(shot.tags, axis))
    }
    if "details" in policy.axes():
        details = {detail for shot in character.pictures for detail in shot.tags.details}
        free |= {detail for detail in details if not policy.words.knows("details", detail)}
    if not free:
        return []
    some = ", ".join(repr(text) for text in sorted(free)[:5])
    count = "1 free text was" if len(free) == 1 else f"{len(free)} free texts were"
    return [f"{count} not translated: {some}"]
