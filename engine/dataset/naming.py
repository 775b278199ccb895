"""Who the pictures of a folder show: which one is the original, the name, the trigger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.character import Character, Shot
from ..core.errors import FacetError
from ..store.json_files import parse_json
from .layouts import REPEATS
from .tree import Faults, Tree


@dataclass(frozen=True)
class Names:
    """What the character is called where the folder does not say; empty leaves it to the folder."""

    name: str = ""
    trigger: str = ""
    class_word: str = ""
    original: str = ""


@dataclass(frozen=True)
class Loaded:
    """A character read from disk and what there is to say about the reading."""

    character: Character
    report: str


def character_of(
    pictures: list[tuple[str, Shot]],
    marked: set[str],
    names: Names,
    manifest: dict[str, Any],
    tree: Tree,
    faults: Faults,
) -> Loaded:
    """The character that ``pictures``, in their order, are of.

    marked: names of those that the manifest calls the original. Raises FacetError when the original
    asked for is not among them, or nothing says the trigger.
    """
    source = _original(pictures, marked, names.original.strip(), tree)
    said = manifest if manifest.get("trigger") else _comment(tree)
    words: list[str] = []
    for name, _ in pictures:
        kohya = REPEATS.match(Path(name).parent.name)
        if kohya is not None:
            words = kohya[2].split(maxsplit=1)
            break
    trigger = names.trigger or said.get("trigger") or next(iter(words), "")
    if not trigger:
        raise FacetError(f"Nothing in {tree.where} states the trigger; give it, such as 'zqx'.")
    companions = said.get("companions")
    companions = map(str, companions) if isinstance(companions, list) else ()
    character = Character(
        name=names.name or str(said.get("name") or tree.where.stem),
        trigger=str(trigger),
        class_word=names.class_word
        or str(said.get("class_word") or (words[1] if len(words) > 1 else "person")),
        source=source[1],
        shots=tuple(shot for name, shot in pictures if name != source[0]),
        companions=tuple(called for called in companions if called.strip()),
    )
    return Loaded(character, _summary(character, source[0], tree, faults))


def _original(
    pictures: list[tuple[str, Shot]], marked: set[str], wanted: str, tree: Tree
) -> tuple[str, Shot]:
    if wanted:
        for name, shot in pictures:
            if wanted in (name, Path(name).name):
                return name, shot
        raise FacetError(
            f"The original {wanted!r} is not among the {len(pictures)} images read from "
            f"{tree.where}; give the file name of one, or leave it empty."
        )
    for name, shot in pictures:
        if name in marked or (not marked and shot.provenance.source == "original"):
            return name, shot
    named = (one for one in pictures if Path(one[0]).stem == "original")
    return next(named, pictures[0])


def _comment(tree: Tree) -> dict[str, Any]:
    """What a zip of ours says about the character; empty for any other."""
    try:
        said = parse_json(tree.comment, "The comment")
    except FacetError:
        return {}  # a zip may have any comment
    return said if isinstance(said, dict) else {}


def _summary(character: Character, source: str, tree: Tree, faults: Faults) -> str:
    count = len(character.pictures)
    without = [shot for shot in character.dataset if not shot.caption]
    lines = [
        f"{count} {'image' if count == 1 else 'images'} read from {tree.where}, "
        f"{len(character.dataset)} of them included; the original is {source}."
    ]
    if without:
        lines.append(f"Without a caption: {len(without)}.")
    return "\n".join([*lines, *(f"! {line}" for line in faults.lines)])
