"""What nobody knows about a picture is asked of a model, and becomes part of its tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ..core.character import Character, Shot
from .asking import CAPTION, question, unknown_axes, with_answer
from .reading import read
from .vision import KEPT_EVERY, Memory, VisionModel
from .words import Language


@dataclass(frozen=True)
class Filling:
    """What is asked of ``model``: the ``axes`` that nobody knows, for captions in ``language``.

    identity: whether a caption may say who it is.
    """

    model: VisionModel
    axes: Collection[str]
    language: Language
    identity: bool = False

    def wanted(self, character: Character, pictures: Collection[str]) -> list[Shot]:
        """Those of ``pictures``, by hash, of which something is not known."""
        return [
            shot
            for shot in character.pictures
            if shot.hash in pictures and unknown_axes(shot.tags, self.axes)
        ]

    def fill(
        self,
        character: Character,
        pictures: Collection[str],
        memory: Memory,
        step: Callable[[int, int], None],
    ) -> tuple[Character, Filled]:
        """``character`` with what the model said about ``pictures``, and how much that was.

        step: told how many of how many pictures are done, before each; what it raises ends it, and
        the answers so far are kept.
        """
        wanted = self.wanted(character, pictures)
        known: dict[str, Shot] = {}
        filled = Filled(self.model, len(wanted))
        try:
            for at, shot in enumerate(wanted):
                step(at, len(wanted))
                known[shot.hash] = self._seen(character, shot, memory, filled)
                memory.keep(KEPT_EVERY)
            if wanted:
                step(len(wanted), len(wanted))
        finally:
            memory.keep()
        return character.mapped(lambda shot: known.get(shot.hash, shot)), filled

    def _seen(self, character: Character, shot: Shot, memory: Memory, filled: Filled) -> Shot:
        tags = shot.tags
        for axis in unknown_axes(tags, self.axes):
            # A back view or a close-up, once known, has no expression or pose to be asked about.
            if not unknown_axes(tags, (axis,)):
                continue
            asked = (
                CAPTION
                if self.model.describes
                else question(axis, character.class_word, self.language)
            )
            answer = memory.answer(shot.hash, shot.image, self.model, asked)
            said = read(answer, axis) if self.model.describes else answer
            before = tags
            tags = with_answer(tags, axis, said, self.language, character.triggers, self.identity)
            (filled.empty if tags == before else filled.found)[axis] += 1
        return shot.changed(tags=tags)


@dataclass
class Filled:
    """How many pictures a model looked at, and for each axis how often it knew it or did not."""

    model: VisionModel
    pictures: int
    found: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        licence = self.model.licence or "not stated; check where you downloaded it"
        lines = [f"Tagged by {self.model.name}. Its licence: {licence}."]
        for axis in dict.fromkeys((*self.found, *self.empty)):
            line = f"  {axis}: found in {self.found[axis]} of {self.found[axis] + self.empty[axis]}"
            lines.append(f"{line} images where it was not known")
        if not self.pictures:
            lines.append("  Nothing to ask: everything in 'fill' was known.")
        return lines
