"""What has changed from one state of a character to another: pictures, captions, coverage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from itertools import groupby

from ..core.character import Character, Shot, Tags
from ..core.vocabulary import VOCABULARY, in_order

MOST_LINES = 40


@dataclass(frozen=True)
class ValueChange:
    """One value of one axis of the tags, and how many shots of the dataset show it."""

    axis: str
    label: str
    before: int
    after: int

    def line(self, width: int) -> str:
        """The row in plain text, with its label ``width`` letters wide."""
        change = f"  {self.after - self.before:+d}" if self.after != self.before else ""
        return f"  {self.label:<{width}}  {self.before:>3} {self.after:>3}{change}"


@dataclass(frozen=True)
class Pair:
    """A picture that both have, as it was and as it is."""

    was: Shot
    now: Shot


@dataclass(frozen=True)
class Comparison:
    """Two states of a character.

    added, removed: pictures that only one has. left_out, taken_in: pictures of both that are no
    longer, or newly, part of the dataset. recaptioned, reweighted, retagged: pictures of both whose
    caption, weight or tags differ. rows: axis by axis, in caption order.
    """

    before: Character
    after: Character
    added: tuple[Shot, ...]
    removed: tuple[Shot, ...]
    left_out: tuple[Shot, ...]
    taken_in: tuple[Shot, ...]
    recaptioned: tuple[Pair, ...]
    reweighted: tuple[Pair, ...]
    retagged: tuple[Pair, ...]
    rows: tuple[ValueChange, ...]

    @property
    def groups(self) -> tuple[tuple[str, tuple[Shot, ...]], ...]:
        """The pictures that came and went, by what happened to them; no group is empty."""
        groups = (
            ("Added", self.added),
            ("Included in the dataset", self.taken_in),
            ("Removed", self.removed),
            ("Left out of the dataset", self.left_out),
        )
        return tuple((title, shots) for title, shots in groups if shots)

    @property
    def same(self) -> bool:
        """Whether pictures, captions, weights, tags and names are all as they were."""
        changed = (*self.groups, *self.recaptioned, *self.reweighted, *self.retagged)
        return not changed and not self.names

    @property
    def names(self) -> list[str]:
        """What the character itself is called otherwise, in sentences."""
        one, other = self.before, self.after
        said = []
        for what in ("name", "trigger", "class_word"):
            was, now = getattr(one, what), getattr(other, what)
            if was != now:
                said.append(f"The {what.replace('_', ' ')} was {was!r} and is {now!r}.")
        if one.companions != other.companions:
            was, now = (", ".join(who.companions) or "none" for who in (one, other))
            said.append(f"Its companions were {was}, and are {now}.")
        if one.source.hash != other.source.hash:
            said.append("The original is another image.")
        return said

    @property
    def headline(self) -> str:
        """How many pictures the dataset had and has."""
        was, now = len(self.before.dataset), len(self.after.dataset)
        if self.same:
            return f"Nothing has changed; {_pictures(now)} in the dataset."
        return f"{_pictures(was)} in the dataset before, {now} after."

    def text(self) -> str:
        lines = [self.headline, *self.names]
        for title, shots in self.groups:
            lines += ["", f"{title}: {len(shots)}", *_some([f"  {called(one)}" for one in shots])]
        for title, pairs, line in (
            ("Captions changed", self.recaptioned, _captions),
            ("Weights changed", self.reweighted, _weights),
            ("Tags changed", self.retagged, _tags),
        ):
            if pairs:
                lines += ["", f"{title}: {len(pairs)}", *_some([line(pair) for pair in pairs])]
        return "\n".join([*lines, *self._coverage()])

    def _coverage(self) -> list[str]:
        lines = []
        width = max((len(row.label) for row in self.rows), default=0)
        for axis, rows in groupby(self.rows, lambda row: row.axis):
            lines += ["", axis.capitalize(), *_some([row.line(width) for row in rows])]
        return lines


def compare(before: Character, after: Character) -> Comparison:
    """What makes ``after`` another character than ``before``; pictures are told apart by hash."""
    old = {shot.hash: shot for shot in reversed(before.pictures)}
    new = {shot.hash: shot for shot in reversed(after.pictures)}
    both = [(old[key], shot) for key, shot in reversed(new.items()) if key in old]

    def those(differ: str) -> tuple[Pair, ...]:
        return tuple(
            Pair(was, now) for was, now in both if getattr(was, differ) != getattr(now, differ)
        )

    switched = [pair.now for pair in those("include")]
    return Comparison(
        before=before,
        after=after,
        added=tuple(shot for key, shot in reversed(new.items()) if key not in old),
        removed=tuple(shot for key, shot in reversed(old.items()) if key not in new),
        left_out=tuple(shot for shot in switched if not shot.include),
        taken_in=tuple(shot for shot in switched if shot.include),
        recaptioned=those("caption"),
        reweighted=those("weight"),
        retagged=those("tags"),
        rows=_rows(before, after),
    )


def called(shot: Shot) -> str:
    """A shot in words: what it shows, else its caption, and the beginning of its hash."""
    words = ", ".join(shot.tags.phrases()) or shot.caption or "untagged"
    return f"{' '.join(words.split())} ({shot.hash[:8]})"


def _rows(before: Character, after: Character) -> tuple[ValueChange, ...]:
    """The values that either shows: in the vocabulary's order, free text by how often."""
    rows = []
    for axis, known in VOCABULARY.items():
        was, now = (_counts(character, axis) for character in (before, after))
        rows += [
            ValueChange(axis, known.get(value, value), was[value], now[value])
            for value in in_order(axis, was + now)
        ]
    return tuple(rows)


def _counts(character: Character, axis: str) -> Counter[str]:
    tags: list[Tags] = [shot.tags for shot in character.dataset]
    return Counter(value for one in tags if (value := getattr(one, axis)))


def _captions(pair: Pair) -> str:
    was, now = (" ".join(one.caption.split()) or "none" for one in (pair.was, pair.now))
    return f"  {pair.now.hash[:8]}  was: {was}\n            now: {now}"


def _weights(pair: Pair) -> str:
    return f"  {called(pair.now)}: {pair.was.weight:g} to {pair.now.weight:g}"


def _tags(pair: Pair) -> str:
    changed = []
    for axis in fields(Tags):
        was, now = (getattr(one.tags, axis.name) or "unknown" for one in (pair.was, pair.now))
        if was != now:
            changed.append(f"{axis.name} {_said(was)} to {_said(now)}")
    return f"  {pair.now.hash[:8]}: {', '.join(changed)}"


def _said(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " and ".join(value)


def _some(lines: list[str]) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], f"  and {more} more"]


def _pictures(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"
