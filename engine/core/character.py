"""What flows through Facet: a shot, and the character that shots are of.

Both are immutable. A node returns a new ``Character`` and leaves its input alone, because ComfyUI
keeps outputs and hands them out again.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import NoneType
from typing import Any, Literal

import torch

from .eight_bits import EightBits, mask_bits, picture_bits, quantise, sixteen_bits
from .errors import FacetError
from .letters import is_portable, plain
from .vocabulary import AXES, HIDES, VIEW_YAW, VOCABULARY, spoken

LONGEST_CAPTION = 2000
"""Letters of a caption: more than any text encoder reads, and few enough for one to be quick."""
LARGEST_WEIGHT = 10_000.0
"""Of a picture; what has a larger one is no record that anybody wrote."""
_IMAGE, _MASK = "_image_bits", "_mask_bits"

Source = Literal["original", "generated", "edited", "imported"]


@dataclass(frozen=True)
class Tags:
    """What a shot shows apart from who: keys of ``VOCABULARY`` or free text; empty if unknown."""

    framing: str = ""
    view: str = ""
    expression: str = ""
    pose: str = ""
    outfit: str = ""
    background: str = ""
    lighting: str = ""
    details: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises FacetError when a tag is no text."""
        for axis in fields(self):
            value = getattr(self, axis.name)
            texts = value if axis.name == "details" else (value,)
            if not isinstance(texts, tuple) or not all(isinstance(one, str) for one in texts):
                raise FacetError(f"The tag {axis.name} is {value!r:.40}; it has to be text.")
            if any(plain(one) != one for one in texts):
                whole = tuple(map(plain, texts))
                object.__setattr__(self, axis.name, whole if axis.name == "details" else whole[0])

    def visible_axes(self) -> tuple[str, ...]:
        """The axes that the picture can show, known or not, in caption order."""
        hidden = {axis for (of, value), axis in HIDES.items() if getattr(self, of) == value}
        return tuple(axis for axis in AXES if axis not in hidden)

    def visible(self) -> Tags:
        """These tags without what the picture cannot show."""
        hidden: Any = dict.fromkeys(set(AXES) - set(self.visible_axes()), "")
        return replace(self, **hidden)

    def said_axes(self) -> list[str]:
        """The axes that are known and can be seen, without the details, in caption order."""
        return [axis for axis in self.visible_axes() if axis in VOCABULARY and getattr(self, axis)]

    def phrases(self, skip: Iterable[str] = ()) -> list[str]:
        """The tags in English, in caption order, without the axes in ``skip``."""
        left_out = set(skip)
        said = [axis for axis in self.said_axes() if axis not in left_out]
        return [*(spoken(axis, getattr(self, axis)) for axis in said), *self.details]

    @property
    def yaw(self) -> float | None:
        """Yaw of the view in degrees, or None when the view is unknown or free text."""
        return VIEW_YAW.get(self.view)


@dataclass(frozen=True)
class Provenance:
    """Where a shot came from.

    ``parent`` is the hash of the shot it was made from; ``attempt`` of ``tries`` was kept.
    ``instruction`` is what a person asked to be done, in free words. ``file`` is the name of the
    file that it was loaded from, in its folder.
    """

    source: Source
    model: str = ""
    prompt: str = ""
    negative: str = ""
    seed: int = 0
    attempt: int = 1
    tries: int = 1
    parent: str = ""
    instruction: str = ""
    file: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.file, str) and plain(self.file) != self.file:
            object.__setattr__(self, "file", plain(self.file))

    def record(self) -> dict[str, Any]:
        """This as plain JSON values; what was not loaded has no file."""
        return {name: value for name, value in vars(self).items() if value or name != "file"}


@dataclass(frozen=True)
class Score:
    """One gate's measurement: its value, the threshold it was held to, and what that means.

    ``passed`` is None when the gate had no model to measure with and was skipped.
    """

    gate: str
    value: float | None
    threshold: float | None
    passed: bool | None
    note: str = ""


def picture_hash(image: torch.Tensor) -> str:
    """sha256 of the size and the 8-bit pixels of ``image`` (H, W, C)."""
    return _values_hash(quantise(image))


def mask_hash(mask: torch.Tensor) -> str:
    """sha256 of the size and the 16-bit values of ``mask`` (H, W) in 0..1."""
    return _values_hash(sixteen_bits(mask))


def _values_hash(values: torch.Tensor) -> str:
    values = values.contiguous().cpu()
    digest = hashlib.sha256(repr(tuple(values.shape)).encode())
    digest.update(values.numpy().tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture of the character.

    image: (H, W, 3) float32 in 0..1 on the CPU, held as the 8 bits of its file, which may be given
    too. mask: (H, W) float32, 1 on the subject, or None.
    by_hand: a person wrote the caption, and nothing writes over it.
    Raises FacetError when the shapes are others, or a value is not finite.
    """

    image: torch.Tensor
    provenance: Provenance
    mask: torch.Tensor | None = None
    caption: str = ""
    tags: Tags = field(default_factory=Tags)
    scores: tuple[Score, ...] = ()
    include: bool = True
    weight: float = 1.0
    by_hand: bool = False

    def __post_init__(self) -> None:
        self._check()

    def _check(self) -> None:
        mask = vars(self)[_MASK]
        if mask is not None and tuple(mask.shape) != self.size:
            raise FacetError(
                f"The mask is {tuple(mask.shape)} and the image {self.size}; "
                "they need the same height and width."
            )
        object.__setattr__(self, "caption", plain(self.caption))
        object.__setattr__(self, "weight", float(self.weight))

    def changed(self, **values: Any) -> Shot:
        """This shot with other ``values``; unlike ``replace``, it does not make its pixels anew."""
        shot = copy(self)
        if "image" in values:
            vars(shot).pop("hash", None)
        for name, value in values.items():
            object.__setattr__(shot, name, value)
        shot._check()
        return shot

    @property
    def pixels(self) -> torch.Tensor:
        """The picture as uint8 (H, W, 3), which nobody may write to."""
        bits: torch.Tensor = vars(self)[_IMAGE]
        return bits

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in px."""
        height, width, _ = self.pixels.shape
        return height, width

    @cached_property
    def hash(self) -> str:
        """sha256 of the picture's size and 8-bit pixels: what identifies a shot."""
        return picture_hash(self.pixels)

    @property
    def accepted(self) -> bool:
        """Whether no gate that measured this shot failed."""
        return all(score.passed is not False for score in self.scores)

    def score(self, gate: str) -> Score | None:
        """The score of ``gate``, or None when that gate did not look at this shot."""
        return next((score for score in self.scores if score.gate == gate), None)


Shot.image = EightBits(_IMAGE, picture_bits)  # type: ignore[assignment]
Shot.mask = EightBits(_MASK, mask_bits)  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Character:
    """A character: its name, the word that calls it, the original and the shots made of it.

    companions: further characters in the shots, each as captions call it: trigger and class word.
    """

    name: str
    trigger: str
    class_word: str
    source: Shot
    shots: tuple[Shot, ...] = ()
    companions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("name", "trigger", "class_word"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        object.__setattr__(self, "companions", tuple(map(plain, self.companions)))
        checks = (
            (
                self.folder_name,
                f"The name {self.name!r} has no letter or digit; give the character a name.",
            ),
            (self.trigger.strip(), "The trigger is empty; give a made-up word such as 'zqx'."),
            (self.class_word.strip(), "The class word is empty; say what it is, such as 'person'."),
        )
        for value, message in checks:
            if not value:
                raise FacetError(message)
        if re.search(r"[\s,()\[\]:]", self.trigger.strip()):
            raise FacetError(
                f"The trigger {self.trigger!r} has spaces or punctuation; "
                "use one word, such as 'zqx'."
            )
        object.__setattr__(self, "trigger", self.trigger.strip())
        object.__setattr__(self, "class_word", self.class_word.strip())

    @property
    def folder_name(self) -> str:
        """The name as a folder: letters, digits, '-' and '_' of any script, at most 60."""
        name = re.sub(r"[^\w-]+", "_", self.name).strip("_-")[:60]
        return name if is_portable(name) else f"{name}_"

    @property
    def phrase(self) -> str:
        """What prompts and captions call the character: trigger and class word."""
        return f"{self.trigger} {self.class_word}"

    @property
    def triggers(self) -> tuple[str, ...]:
        """The character's trigger and those of its companions."""
        return (self.trigger, *(called.split()[0] for called in self.companions))

    @property
    def pictures(self) -> tuple[Shot, ...]:
        """The original and every shot, included or not."""
        return (self.source, *self.shots)

    @property
    def dataset(self) -> tuple[Shot, ...]:
        """The pictures to train on: the original and every shot that is included."""
        return tuple(shot for shot in self.pictures if shot.include)

    @cached_property
    def hash(self) -> str:
        """sha256 over the dataset: each picture's hash, caption and weight, in order."""
        digest = hashlib.sha256(f"{self.trigger}\n{self.class_word}".encode())
        for shot in self.dataset:
            digest.update(f"\n{shot.hash}\n{shot.caption}\n{shot.weight!r}".encode())
        return digest.hexdigest()

    def adding(self, shots: Iterable[Shot]) -> Character:
        """This character with ``shots`` added; a picture it already has is replaced in place."""
        known = {shot.hash: shot for shot in self.shots}
        known.update({shot.hash: shot for shot in shots if shot.hash != self.source.hash})
        return replace(self, shots=tuple(known.values()))

    def captioned(self, captions: Mapping[str, str], by_hand: bool = False) -> Character:
        """This character with the captions given by shot hash; ``by_hand`` when a person's."""

        def with_caption(shot: Shot) -> Shot:
            if shot.hash not in captions:
                return shot
            return shot.changed(caption=captions[shot.hash], by_hand=by_hand)

        return self.mapped(with_caption)

    def mapped(self, change: Callable[[Shot], Shot]) -> Character:
        """This character with ``change`` made to each of its pictures."""
        return replace(self, source=change(self.source), shots=tuple(map(change, self.shots)))


def who_record(character: Character) -> dict[str, Any]:
    """How ``character`` and its companions are called, as plain JSON values."""
    return {
        "name": character.name,
        "trigger": character.trigger,
        "class_word": character.class_word,
        "companions": list(character.companions),
    }


def shot_record(shot: Shot) -> dict[str, Any]:
    """Everything about ``shot`` but its pixels, as plain JSON values."""
    return {
        "hash": shot.hash,
        "caption": shot.caption,
        "by_hand": shot.by_hand,
        "include": shot.include,
        "weight": shot.weight,
        "tags": {f.name: getattr(shot.tags, f.name) for f in fields(Tags) if f.name != "details"}
        | {"details": list(shot.tags.details)},
        "provenance": shot.provenance.record(),
        "scores": [vars(score).copy() for score in shot.scores],
    }


def shot_from_record(
    record: dict[str, Any], image: torch.Tensor, mask: torch.Tensor | None = None
) -> Shot:
    """The shot that ``shot_record`` described, over its pixels; unknown keys are ignored.

    Raises TypeError or ValueError, also a FacetError that says why, when the record is none.
    """
    tags = known_fields(Tags, record.get("tags", {}))
    tags["details"] = tuple(tags.get("details", ()))
    weight = float(record.get("weight", 1.0))
    if not (math.isfinite(weight) and 0 <= weight <= LARGEST_WEIGHT):
        raise FacetError(f"The weight is {weight:g}; it has to be from 0 to {LARGEST_WEIGHT:g}.")
    return Shot(
        image=image,
        mask=mask,
        caption=str(record.get("caption", "")),
        by_hand=bool(record.get("by_hand", False)),
        include=bool(record.get("include", True)),
        weight=weight,
        tags=Tags(**tags),
        provenance=Provenance(
            **_checked(Provenance, {"source": "imported", **record.get("provenance", {})})
        ),
        scores=tuple(Score(**_checked(Score, score)) for score in record.get("scores", [])),
    )


_JSON_OF: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "Source": str,
    "int": (int, float, str),
    "float | None": (float, int, NoneType),
    "bool | None": (bool, NoneType),
}
"""What the types of fields are in JSON."""


def _checked(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """``known_fields``, where each value has to be of its field's type; FacetError otherwise."""
    values = known_fields(kind, record)
    for one in fields(kind):
        if not isinstance(values.get(one.name, one.default), _JSON_OF[str(one.type)]):
            raise FacetError(f"{one.name} is {values.get(one.name)!r:.40}")
    return values


def known_fields(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """What ``record`` has of the fields of the dataclass ``kind``; other keys are left out.

    Raises FacetError when it is no object.
    """
    if not isinstance(record, Mapping):
        raise FacetError(f"{kind.__name__} is {record!r:.40}, which is no object")
    return {field.name: record[field.name] for field in fields(kind) if field.name in record}
