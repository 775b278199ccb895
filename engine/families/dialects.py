"""The words in which models are asked for a shot: the prompt tables in ``words/``.

A table is a JSON file that anyone may edit; its name is what the `prompt_style` widget shows. Which
one "auto" takes stands in the family's record.

- ``title``, ``note``: for whom it is, and where its words come from.
- ``pixels``: the area of the pictures that are made when no size is set. ``reference_pixels``: the
  area of the pictures that the model is shown, in their own aspect ratio; without it they are laid
  on a canvas of the size that is made.
- ``prompt``: the whole prompt, for a model that is ``shown`` the original and for one to which the
  character is ``described``, each with and without an instruction in a person's own words.
  ``{words}`` are the words below, ``{class_word}`` the character's, ``{instruction}`` the
  instruction and ``{Instruction}`` the same as the beginning of a sentence.
- ``words``: for each axis of the tags and each of its values; ``*`` for any other value, with
  ``{value}`` in it. What is missing is said as in a caption. ``join`` parts them, ``order`` puts
  the axes in another order.
- ``stronger``: the words of a retry, after the shot came out wrong in that axis.
- ``transfer``: what takes a ``pose`` from the person in a further picture, a ``pose_map`` from a
  skeleton in one, an ``outfit`` from one; ``{number}`` is the picture's, counted from the original.
  Without it those of the plain words are used.
- ``together``: the prompt of a picture of two characters, for a model that is ``shown`` both
  originals, as pictures 1 and 2, and for one to which both are ``described``; ``{first}`` and
  ``{second}`` are their class words. Without it those of the plain words are used.
- ``negative``: what is ``always`` there, and what comes with each value of an axis.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.character import Tags
from ..core.errors import FacetError
from ..core.vocabulary import AXES, VOCABULARY, phrase, spoken
from ..store.json_files import parse_json
from .family import PLAIN, ReferenceMode
from .table import family_of

FOLDER = Path(__file__).resolve().parent / "words"
AUTO = "auto"
PROMPTS = ("shown", "shown_instruction", "described", "described_instruction")
TRANSFERS = ("pose", "pose_map", "outfit")
TOGETHER = ("shown", "described")

Table = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Dialect:
    """One table; see the module for what its fields mean. digest: changes when the table does."""

    name: str
    title: str
    prompts: Mapping[str, str]
    words: Table = field(default_factory=dict)
    stronger: Table = field(default_factory=dict)
    negatives: Table = field(default_factory=dict)
    always: str = ""
    join: str = ", "
    order: tuple[str, ...] = tuple(VOCABULARY)
    pixels: int | None = None
    reference_pixels: int | None = None
    digest: str = ""
    transfers: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)

    def transfer(self, kind: str, number: int, class_word: str) -> str:
        """The order to take ``kind``, one of ``TRANSFERS``, from picture ``number``."""
        words = self.transfers or load(PLAIN).transfers
        return words[kind].replace("{number}", str(number)).replace("{class_word}", class_word)

    def prompt(
        self,
        tags: Tags,
        class_word: str,
        shown: bool,
        instruction: str = "",
        stronger: Collection[str] = (),
    ) -> str:
        """The prompt of a shot; ``stronger`` holds the axes that did not come out before.

        shown: the model sees the original. instruction: what is to be done, in free words.
        """
        instruction = instruction.strip().rstrip(".")
        words = self._words(tags, class_word, instruction, stronger)
        kind = ("shown" if shown else "described") + ("_instruction" if instruction else "")
        values = {
            "words": self.join.join(words),
            "class_word": class_word,
            "instruction": instruction,
            "Instruction": instruction[:1].upper() + instruction[1:],
        }
        return _filled(self.prompts[kind], values)

    def together(
        self,
        tags: Tags,
        two: tuple[str, str],
        shown: bool,
        instruction: str = "",
        stronger: Collection[str] = (),
    ) -> str:
        """The prompt of a shot of two characters, of whom ``two`` are the class words."""
        instruction = instruction.strip().rstrip(".")
        words = self._words(tags, " and the ".join(two), instruction, stronger)
        values = {
            "words": self.join.join([*words, instruction] if instruction else words),
            "first": two[0],
            "second": two[1],
        }
        prompts = self.pairs or load(PLAIN).pairs
        return _filled(prompts["shown" if shown else "described"], values)

    def negative(self, tags: Tags, own: str = "") -> str:
        """What is not to be seen: a person's own words, then the table's for ``tags``."""
        parts = [own.strip(), self.always]
        parts += [self.negatives.get(axis, {}).get(getattr(tags, axis), "") for axis in VOCABULARY]
        return ", ".join(part for part in parts if part)

    def _words(
        self, tags: Tags, class_word: str, instruction: str, stronger: Collection[str]
    ) -> list[str]:
        visible = tags.visible_axes()
        words = []
        for axis in self.order:
            value = getattr(tags, axis)
            # What the instruction says in the same words need not be said twice.
            if value and axis in visible and value != instruction:
                words.append(self._word(axis, value, axis in stronger))
        words += [self._word("details", value, False) for value in tags.details]
        return [word.replace("{class_word}", class_word) for word in words]

    def _word(self, axis: str, value: str, stronger: bool) -> str:
        if stronger and value in self.stronger.get(axis, {}):
            return self.stronger[axis][value]
        table = self.words.get(axis, {})
        if value in table:
            return table[value]
        if "*" in table:
            return table["*"].replace("{value}", phrase(axis, value))
        return spoken(axis, value)


def names() -> list[str]:
    """The names of the tables, the plain one first."""
    found = sorted(path.stem for path in FOLDER.glob("*.json"))
    return sorted(found, key=lambda name: name != PLAIN)


def load(name: str, folder: Path | None = None) -> Dialect:
    """The table ``name``; FacetError with a sentence when it is not there, or cannot be used."""
    folder = folder or FOLDER
    path = folder / f"{name}.json"
    if name not in {found.stem for found in folder.glob("*.json")}:
        raise FacetError(f"There is no prompt style {name!r}; take one of {', '.join(names())}.")
    text = path.read_text("utf-8")
    try:
        return _parsed(name, parse_json(text, path.name), text)
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        raise FacetError(
            f"The prompt style {path.name} cannot be used ({problem}); mend that file."
        ) from problem


def dialect_for(name: str, model: Any, mode: str) -> Dialect:
    """The table ``name``, or for "auto" that of the family of ``model`` in ``mode``.

    model: a ModelPatcher; mode: the value of the reference mode in use.
    """
    if name != AUTO:
        return load(name)
    family = family_of(model)
    return load(family.words_by_mode.get(ReferenceMode(mode), family.words))


def _parsed(name: str, table: dict[str, Any], text: str) -> Dialect:
    known = {"title", "note", "pixels", "reference_pixels", "prompt", "words", "join"}
    unknown = sorted(set(table) - known - {"order", "stronger", "negative", "transfer", "together"})
    if unknown:
        raise FacetError(f"it has {', '.join(unknown)}, which means nothing")
    prompts = {kind: str(table["prompt"][kind]) for kind in PROMPTS}
    for kind, prompt in prompts.items():
        _filled(prompt, dict.fromkeys(("words", "class_word", "instruction", "Instruction"), "x"))
        if "{words}" not in prompt:
            raise FacetError(f"its prompt {kind!r} has no {{words}}")
    negative = dict(table.get("negative", {}))
    always = str(negative.pop("always", ""))
    tables = (table.get("words", {}), table.get("stronger", {}), negative)
    order = tuple(table.get("order", VOCABULARY))
    for axis in (*order, *(axis for one in tables for axis in one)):
        if axis not in AXES:
            raise FacetError(f"{axis!r} is no axis; the axes are {', '.join(AXES)}")
    for axis in VOCABULARY:
        if axis not in order:
            raise FacetError(f"its order leaves out {axis!r}")
    words, stronger, negatives = (
        {axis: {str(key): str(said) for key, said in one[axis].items()} for axis in one}
        for one in tables
    )
    transfers = {kind: str(table["transfer"][kind]) for kind in TRANSFERS if "transfer" in table}
    pairs = {kind: str(table["together"][kind]) for kind in TOGETHER if "together" in table}
    for prompt in pairs.values():
        _filled(prompt, dict.fromkeys(("words", "first", "second"), "x"))
    return Dialect(
        name,
        str(table["title"]),
        prompts,
        words,
        stronger,
        negatives,
        always,
        str(table.get("join", ", ")),
        order,
        _area(table.get("pixels")),
        _area(table.get("reference_pixels")),
        hashlib.sha256(text.encode()).hexdigest()[:16],
        transfers,
        pairs,
    )


def _area(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or not 64 * 64 <= value <= 4096 * 4096:
        raise FacetError(f"an area of {value!r} pixels cannot be made")
    return value


def _filled(prompt: str, values: Mapping[str, str]) -> str:
    """``prompt`` with its places filled; a place with nothing in it takes its comma with it."""
    for place in re.findall(r"\{(\w*)\}", prompt):
        if place not in values:
            raise FacetError(f"{{{place}}} stands for nothing")
        if not values[place]:
            prompt = re.sub(rf",?\s*\{{{place}\}}", "", prompt)
    filled = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], prompt)
    return filled.strip().removeprefix(",").strip()
