"""What flows through Facet: a shot, and the character that shots are of.

Both are immutable. A node returns a new ``Character`` and leaves its input alone, because ComfyUI
keeps outputs and hands them out again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal

import torch

from .errors import FacetError
from .vocabulary import AXES, HIDES, VIEW_YAW, VOCABULARY, spoken

MASK_LEVELS = 65535
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
    ``instruction`` is what a person asked to be done, in free words.
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


def quantise(image: torch.Tensor) -> torch.Tensor:
    """``image`` (…, C) in 0..1 as the uint8 that a picture file stores."""
    return (image.clamp(0, 1) * 255).round().to(torch.uint8)


def sixteen_bits(mask: torch.Tensor) -> torch.Tensor:
    """``mask`` in 0..1 as the 16-bit values (int32) that a mask file stores at most."""
    return (mask.clamp(0, 1) * MASK_LEVELS).round().to(torch.int32)


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

    image: (H, W, 3) float32 in 0..1 on the CPU. mask: (H, W) float32, 1 on the subject, or None.
    Both are held as a file would give them back, to the bit and in the order in memory: networks
    take other paths, to other last digits, over other strides. by_hand: a person wrote the
    caption, and nothing writes over it.
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
        image = self.image.detach().to("cpu", torch.float32)
        if image.ndim != 3 or image.shape[-1] != 3:
            raise FacetError(f"A shot needs an image of shape (H, W, 3), not {tuple(image.shape)}.")
        if not torch.isfinite(image).all():
            raise FacetError("The image holds values that are not numbers; make it again.")
        object.__setattr__(self, "image", quantise(image).contiguous().to(torch.float32) / 255)
        if self.mask is not None:
            mask = self.mask.detach().to("cpu", torch.float32)
            if mask.shape != image.shape[:2]:
                raise FacetError(
                    f"The mask is {tuple(mask.shape)} and the image {tuple(image.shape[:2])}; "
                    "they need the same height and width."
                )
            if not torch.isfinite(mask).all():
                raise FacetError("The mask holds values that are not numbers; make it again.")
            values = sixteen_bits(mask).contiguous().to(torch.float32)
            object.__setattr__(self, "mask", values / MASK_LEVELS)
        object.__setattr__(self, "weight", float(self.weight))

    @cached_property
    def hash(self) -> str:
        """sha256 of the picture's size and 8-bit pixels: what identifies a shot."""
        return picture_hash(self.image)

    @property
    def accepted(self) -> bool:
        """Whether no gate that measured this shot failed."""
        return all(score.passed is not False for score in self.scores)

    def score(self, gate: str) -> Score | None:
        """The score of ``gate``, or None when that gate did not look at this shot."""
        return next((score for score in self.scores if score.gate == gate), None)


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
        return re.sub(r"[^\w-]+", "_", self.name).strip("_-")[:60]

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
            return replace(shot, caption=captions[shot.hash], by_hand=by_hand)

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
        "provenance": vars(shot.provenance).copy(),
        "scores": [vars(score).copy() for score in shot.scores],
    }


def shot_from_record(
    record: dict[str, Any], image: torch.Tensor, mask: torch.Tensor | None = None
) -> Shot:
    """The shot that ``shot_record`` described, over its pixels; unknown keys are ignored."""
    tags = known_fields(Tags, record.get("tags", {}))
    tags["details"] = tuple(tags.get("details", ()))
    return Shot(
        image=image,
        mask=mask,
        caption=str(record.get("caption", "")),
        by_hand=bool(record.get("by_hand", False)),
        include=bool(record.get("include", True)),
        weight=float(record.get("weight", 1.0)),
        tags=Tags(**tags),
        provenance=Provenance(
            **{"source": "imported", **known_fields(Provenance, record.get("provenance", {}))}
        ),
        scores=tuple(Score(**known_fields(Score, score)) for score in record.get("scores", [])),
    )


def known_fields(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """What ``record`` has of the fields of the dataclass ``kind``; other keys are left out."""
    return {field.name: record[field.name] for field in fields(kind) if field.name in record}
