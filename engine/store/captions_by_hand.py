"""Captions that a person wrote, by the hashes of their pictures, in a file beside the character's.

What stands here outlives a rerun, another order, another file name and another workflow.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from ..core.character import Character
from ..core.errors import FacetError
from .files import write_json_atomic
from .json_files import MANY, read_json

FILE = "captions_by_hand.json"
_WRITING = threading.Lock()


def captions_by_hand(folder: Path) -> dict[str, str]:
    """The captions in the character's own ``folder``, by picture hash; none without a file.

    Raises FacetError when the file is there and does not hold captions.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        known = read_json(path, MANY)
    except FacetError as error:
        raise FacetError(
            f"{error} Mend it or move it away: it holds the captions that you wrote."
        ) from error
    if not isinstance(known, dict) or not all(isinstance(text, str) for text in known.values()):
        raise FacetError(
            f"{path} does not hold captions by the hashes of their pictures; mend it or move it "
            "away."
        )
    return known


def keep_by_hand(folder: Path, captions: Mapping[str, str | None]) -> None:
    """Adds ``captions`` to those in ``folder``; None takes a person's caption back.

    Raises FacetError when what is there cannot be read; nothing is lost then.
    """
    with _WRITING:
        known = captions_by_hand(folder)
        merged: dict[str, str | None] = {**known, **captions}
        kept = {picture: text for picture, text in merged.items() if text is not None}
        if kept != known:
            write_json_atomic(folder / FILE, kept)


def with_captions_by_hand(character: Character, captions: Mapping[str, str]) -> Character:
    """``character`` with the person's captions where there are any."""
    return character.captioned(captions, by_hand=True)
