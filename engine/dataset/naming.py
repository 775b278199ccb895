"""Who the pictures of a folder show: which one is the original, the name, the trigger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.character import Character, Shot
from ..core.errors import FacetError
from ..store.json_files import parse_json
from .layouts import REPEATS
from .pictures import KEPT_PIXELS
from .tree import Faults, Tree


@dataclass(frozen=True)
class Names:
    """What the character is called where the folder does not say; empty leaves it to the folder."""

    name: str = ""
    trigger: str = ""
    class_word: str = ""
    original: str = ""


@dataclass(frozen=True)
class Called:
    """What the folder or its reader calls the character; an empty trigger is not known."""

    name: str
    trigger: str
    class_word: str
    companions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A character read from disk and what there is to say about the reading."""

    character: Character
    report: str


def called(pictures: Iterable[str], names: Names, manifest: dict[str, Any], tree: Tree) -> Called:
    """What the character of the files ``pictures`` is called: as ``names`` say, or else the
    manifest, a zip's comment, or kohya's folders."""
    said = manifest if manifest.get("trigger") else _comment(tree)
    words: list[str] = []
    for name in pictures:
        kohya = REPEATS.match(Path(name).parent.name)
        if kohya is not None:
            words = kohya[2].split(maxsplit=1)
            break
    trigger = names.trigger or said.get("trigger") or next(iter(words), "")
    companions = said.get("companions")
    companions = map(str, companions) if isinstance(companions, list) else ()
    return Called(
        name=names.name or str(said.get("name") or tree.where.stem),
        trigger=str(trigger),
        class_word=names.class_word
        or str(said.get("class_word") or (words[1] if len(words) > 1 else "person")),
        companions=tuple(one for one in companions if one.strip()),
    )


def character_of(
    pictures: list[tuple[str, Shot]], marked: set[str], who: Called, original: str, tree: Tree
) -> tuple[Character, str]:
    """The character that ``pictures``, in their order, are of, and the name of the original.

    marked: names of those that the manifest calls the original. Raises FacetError when the
    ``original`` asked for is not among them, or nothing says the trigger.
    """
    source, shot = _original(pictures, marked, original.strip(), tree)
    if not who.trigger:
        raise FacetError(f"Nothing in {tree.where} states the trigger; give it, such as 'zqx'.")
    shots = tuple(one for name, one in pictures if name != source)
    character = Character(who.name, who.trigger, who.class_word, shot, shots, who.companions)
    return character, source


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


def summary(character: Character, source: str, scaled: int, tree: Tree, faults: Faults) -> str:
    """What was read, in lines; scaled: how many pictures are kept smaller than they came."""
    count = len(character.pictures)
    without = [shot for shot in character.dataset if not shot.caption]
    lines = [
        f"{count} {'image' if count == 1 else 'images'} read from {tree.where}, "
        f"{len(character.dataset)} of them included; the original is {source}."
    ]
    if without:
        lines.append(f"Without a caption: {len(without)}.")
    if scaled:
        lines.append(
            f"Scaled down to {KEPT_PIXELS / 1e6:.1f} megapixels, which is more than Facet looks "
            f"at: {scaled}. The files stay as they are."
        )
    return "\n".join([*lines, *(f"! {line}" for line in faults.lines)])
