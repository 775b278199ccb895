"""What models saw in pictures, kept while the model lives, so that none looks twice at one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from ..comfyui.progress import interruptible
from ..core.character import Shot
from .faces import Face, find_heads

MOST = 4096
"""Pictures of each model: of faces, some 40 MB."""
AT_ONCE = 16

T = TypeVar("T")


class ByPicture(Generic[T]):
    """Values by the model that gave them, and by the picture that they are of."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, OrderedDict[Hashable, T]] = WeakKeyDictionary()

    def of(
        self, model: Any, pictures: Sequence[Hashable], look: Callable[[Sequence[int]], Sequence[T]]
    ) -> list[T]:
        """The value of each of ``pictures``, which say by what they are known again.

        ``look`` gives the values of those at some places, a few at a time, until an interrupt in
        ComfyUI ends it.
        """
        known = self._known.setdefault(model, OrderedDict())
        found = {picture: known[picture] for picture in pictures if picture in known}
        places = {picture: place for place, picture in enumerate(pictures) if picture not in found}
        new = list(places.items())
        parts = [new[start : start + AT_ONCE] for start in range(0, len(new), AT_ONCE)]
        for part in interruptible(parts):
            values = look([place for _, place in part])
            for (picture, _), value in zip(part, values, strict=True):
                found[picture] = known[picture] = value
        for picture in found:
            known.move_to_end(picture)
        while len(known) > MOST:
            known.popitem(last=False)
        return [found[picture] for picture in pictures]


_FACES: ByPicture[tuple[Face, ...]] = ByPicture()
"""Of this process."""


def heads_in(face_model: Any, shots: Sequence[Shot]) -> list[tuple[Face, ...]]:
    """The heads in each of ``shots``, as `find_heads` has them; none without a model."""
    if face_model is None:
        return [()] * len(shots)

    def look(places: Sequence[int]) -> list[tuple[Face, ...]]:
        return [
            tuple(find_heads(face_model, shots[place].image)) for place in interruptible(places)
        ]

    return _FACES.of(face_model, [shot.hash for shot in shots], look)
