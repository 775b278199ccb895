"""The decisions beside the dataset: what a workflow says, what was kept, and the captions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.character import Character, Shot
from ..core.errors import FacetError
from ..store.captions_by_hand import captions_by_hand, keep_by_hand, with_captions_by_hand
from ..store.files import write_json_atomic
from ..store.json_files import read_json
from .curation import HASH_DIGITS, Choice, Curation, curated, curation_from, parse_curation

FILE = "curation.json"
_WRITING = threading.Lock()


@dataclass(frozen=True)
class Settled:
    """What holds for a character.

    came: the character before the decisions, with the captions that a person wrote elsewhere.
    outcome: after them. outdated: captions of the workflow that gave way to later ones, by picture.
    """

    came: Character
    curation: Curation
    outcome: Character
    outdated: Mapping[str, str]


def kept_choices(folder: Path) -> dict[str, Choice]:
    """The decisions in the character's own ``folder``; none without a file.

    Raises FacetError when the file is there and does not hold decisions.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        return dict(curation_from(read_json(path)).choices)
    except FacetError as error:
        raise FacetError(
            f"{path}: {error} Repair it or move it away: it holds your decisions."
        ) from error


def keep_choices(folder: Path, choices: Mapping[str, Choice], pictures: Iterable[str]) -> None:
    """Writes ``choices`` to ``folder`` as all that was decided about ``pictures`` (hashes).

    Decisions about other pictures stay. Raises FacetError when what is there cannot be read.
    """
    among = {picture[:HASH_DIGITS] for picture in pictures}
    with _WRITING:
        known = kept_choices(folder)
        merged = {key: choice for key, choice in known.items() if key not in among}
        merged |= {key: choice for key, choice in choices.items() if choice.record()}
        if merged != known:
            records = {key: choice.record() for key, choice in sorted(merged.items())}
            write_json_atomic(folder / FILE, {"shots": records})


def settle(folder: Path, character: Character, text: str) -> Settled:
    """What ``text``, a workflow's decisions, makes of ``character``; kept in ``folder``.

    An empty text takes up what is kept. The captions of ``text`` go to those written by hand, but
    one that was kept before gives way to a later one there, such as that of an edited file.
    Raises FacetError when the text or a file does not hold decisions.
    """
    asked = parse_curation(text)
    kept = kept_choices(folder)
    choices = asked.choices if text.strip() else kept
    written = captions_by_hand(folder)
    fresh, outdated, final = {}, {}, dict(choices)
    for shot in character.pictures:
        key = shot.hash[:HASH_DIGITS]
        choice = choices.get(key)
        if choice is None or choice.caption is None:
            continue
        later = written.get(shot.hash, choice.caption)
        if key not in kept or kept[key].caption != choice.caption:
            fresh[shot.hash] = choice.caption
        elif later != choice.caption:
            outdated[shot.hash] = choice.caption
            final[key] = replace(choice, caption=later)
    keep_by_hand(folder, fresh)
    # As the workflow says it: a caption that gave way is known by that the next time too.
    keep_choices(folder, choices, [shot.hash for shot in character.pictures])
    elsewhere = {
        shot.hash: written[shot.hash]
        for shot in character.pictures
        if shot.hash in written and _stands(shot, choices.get(shot.hash[:HASH_DIGITS]), outdated)
    }
    came = with_captions_by_hand(character, elsewhere)
    curation = Curation(final, asked.approved)
    return Settled(came, curation, curated(came, curation), outdated)


def _stands(shot: Shot, choice: Choice | None, outdated: Mapping[str, str]) -> bool:
    """Whether the caption that is kept for ``shot`` is not the workflow's own, nor an older one."""
    if shot.hash in outdated:
        return True
    return not shot.by_hand and (choice is None or choice.caption is None)
