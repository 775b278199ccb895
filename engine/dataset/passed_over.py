"""Folders beside a dataset that hold pictures and are no part of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from .layouts import MANIFEST, REPEATS

OWN = re.compile(
    r"(?P<folder>(?:.*/)?(?:"
    r"gallery(?=/(?:[0-9a-f]{24}\.json|[0-9a-f]{32}\.webp)$)"
    r"|training(?=/[^/]+/(?:run\.json|losses\.csv|losses\.png|state\.safetensors)$)"
    r"|training(?=/cache/)"
    r"|report(?=/(?:score\.json|report\.html|pictures/[0-9a-f]{24}\.(?:png|json))$)"
    r"|(?:shots|refined|expressions)(?=/[0-9a-f]{24}\.json$)"
    r"|library(?=/v[1-9]\d*/character\.json$)"
    r"))/.*"
)
"""Folders of a character in ComfyUI's output, each known by what Facet writes into it."""
REGULARISATION = re.compile(
    r"(?:reg|regs|regulari[sz]ation|class[-_ ]?(?:images?|pictures?|data))"
    r"(?:[-_ ]?(?:images?|img|imgs|data|dataset|dir|set|folder|pictures?))?",
    re.IGNORECASE,
)
"""Folders of strangers of the class, which trainers want so that the class word stays theirs."""


def facets_own(names: Iterable[str]) -> set[str]:
    """The folders among ``names`` that Facet made for something else than a dataset."""
    found = (OWN.fullmatch(name) for name in names)
    return {match["folder"] for match in found if match is not None}


def regularisation(pictures: Collection[str]) -> set[str]:
    """The folders among those of ``pictures`` that show others than the character.

    They are called so, or are kohya's folder of the class alone ('1_person') beside one with a
    trigger ('10_zqx person').
    """
    folders = {PurePosixPath(name).parent for name in pictures}
    called = {folder: _called(folder) for folder in folders}
    classes = {word for one in called.values() if " " in one for word in [one.split(" ", 1)[1]]}
    found = set()
    for folder in folders:
        named = [
            place for place in (folder, *folder.parents) if REGULARISATION.fullmatch(place.name)
        ]
        if named:
            found.add(named[-1].as_posix())
        elif called[folder] in classes:
            found.add(folder.as_posix())
    whole = all(inside(name, found) for name in pictures)
    return set() if whole else found


def inside(name: str, folders: Collection[str]) -> bool:
    """Whether the file ``name`` stands in one of ``folders``, however deep."""
    return any(parent.as_posix() in folders for parent in PurePosixPath(name).parents)


def manifests(names: Iterable[str]) -> list[str]:
    """The folders of ``names`` that hold a dataset of ours; '' where it is the topmost one."""
    found = (PurePosixPath(name) for name in names)
    return sorted(
        "" if path.parent == PurePosixPath() else path.parent.as_posix()
        for path in found
        if path.name == MANIFEST
    )


def _called(folder: PurePosixPath) -> str:
    kohya = REPEATS.match(folder.name)
    return "" if kohya is None else " ".join(kohya[2].split()).casefold()
