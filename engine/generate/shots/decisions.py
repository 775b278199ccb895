"""What a person decided about single shots: keep it all the same, leave it out, make another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...core.character import Shot
from ...core.errors import FacetError
from ...store.json_files import parse_json
from ..attempts import spread
from .plan import ShotRequest

PIN, DROP, REROLL = "pin", "drop", "reroll"
STATES = (PIN, DROP, REROLL)


@dataclass(frozen=True)
class Decision:
    """What was decided about one shot of a plan.

    state: ``pin`` keeps it although a gate failed, ``drop`` leaves it out of the dataset,
    ``reroll`` or nothing leaves that to the gates. roll: how often another one was asked for; each
    has seeds of its own, so that an earlier one is still on the disk. hash: the picture that was
    pinned or dropped; empty for whatever comes.
    """

    state: str = ""
    roll: int = 0
    hash: str = ""

    def seed(self, seed: int) -> int:
        """The seed of this roll, where the first has ``seed``."""
        return spread(seed, self.roll, bits=63)

    def applied(self, shot: Shot) -> Shot:
        """``shot`` included or left out as was decided; as it is when that was another picture."""
        if self.state not in (PIN, DROP) or not shot.hash.startswith(self.hash):
            return shot
        return replace(shot, include=self.state == PIN)


NONE = Decision()


def names(requests: Iterable[ShotRequest]) -> list[str]:
    """What each request is called in the decisions: its label, numbered from the second alike."""
    seen: Counter[str] = Counter()
    found = []
    for request in requests:
        seen[request.label] += 1
        count = seen[request.label]
        found.append(request.label if count == 1 else f"{request.label} #{count}")
    return found


def parse_decisions(text: str) -> dict[str, Decision]:
    """The decisions by the shots' names, from the JSON that a shooting node's widget holds.

    ``{"front view": {"state": "drop", "roll": 1, "hash": "9f3a"}}``; every part may be missing.
    Raises FacetError with one sentence when the text is something else.
    """
    if not text.strip():
        return {}
    try:
        written = parse_json(text, "decisions")
    except FacetError as error:
        raise FacetError(
            f'{error} Empty it, or write {{"front view": {{"state": "drop"}}}}.'
        ) from error
    if not isinstance(written, dict):
        raise FacetError(
            f"decisions holds a {type(written).__name__}, and has to be an object of shot names; "
            'empty it, or write {"front view": {"state": "drop"}}.'
        )
    return {str(name): _decision(str(name), value) for name, value in written.items()}


def _decision(name: str, value: object) -> Decision:
    if not isinstance(value, dict):
        raise FacetError(f'decisions: {name!r} needs an object such as {{"state": "drop"}}.')
    state, roll, picture = value.get("state", ""), value.get("roll", 0), value.get("hash", "")
    if state not in ("", *STATES):
        raise FacetError(
            f"decisions: the state of {name!r} is {state!r}; write one of {', '.join(STATES)}."
        )
    if isinstance(roll, bool) or not isinstance(roll, int) or not 0 <= roll < 2**31:
        raise FacetError(
            f"decisions: the roll of {name!r} is {roll!r}; write a whole number from 0 on."
        )
    if not isinstance(picture, str):
        raise FacetError(
            f"decisions: the hash of {name!r} is {picture!r}; write the shot's hash, or nothing."
        )
    # A person who writes "reroll" and no number means another one than the first.
    return Decision(state, max(roll, 1) if state == REROLL else roll, picture)
