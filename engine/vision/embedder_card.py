"""What a JSON beside a model's file says of it: how it is shown a picture, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import torch

from ..core.errors import FacetError
from ..core.letters import plain
from ..store.json_files import read_json
from .crops import CROPS, Crop

SUFFIX = ".facet.json"
"""In the place of the model's own, as beside LoRAs."""
LEAST_SIZE, MOST_SIZE = 16, 1024
LEAST_STD = 0.001
LONGEST_TEXT = 200
CHANNELS = 3

Channels = tuple[float, float, float]


def card_beside(model: Path) -> Path:
    """Where the JSON about the file ``model`` is, if there is one."""
    return model.with_name(f"{model.stem}{SUFFIX}")


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not value > 0:
        raise FacetError("give a whole number of pixels")
    if not LEAST_SIZE <= value <= MOST_SIZE:
        raise FacetError(f"give a side from {LEAST_SIZE} to {MOST_SIZE} pixels")
    return value


def _channels(low: float) -> Callable[[Any], Channels]:
    def read(value: Any) -> Channels:
        values = value if isinstance(value, list) else [value] * CHANNELS
        numbers = [float(one) for one in values if type(one) in (int, float) and low <= one <= 1]
        if len(values) != CHANNELS or len(numbers) != CHANNELS:
            raise FacetError(
                f"give a number from {low:g} to 1, where 1 is the brightest, or three of them for "
                "red, green and blue"
            )
        red, green, blue = numbers
        return red, green, blue

    return read


def _one_of(*options: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in options:
            raise FacetError(f"give one of {', '.join(map(repr, options))}")
        return value

    return read


def _cosine(value: Any) -> float:
    if type(value) not in (int, float) or not -1 < value < 1:
        raise FacetError("give a similarity between -1 and 1")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise FacetError("give a text")
    return " ".join(plain(value).split())[:LONGEST_TEXT]


@dataclass(frozen=True)
class EmbedderCard:
    """How a model is shown a picture, and what is known of it; a default is not said."""

    size: int = field(
        default=0,
        metadata={"read": _size, "help": "Side in pixels of what the model sees; 112 unsaid."},
    )
    mean: Channels | None = field(
        default=None,
        metadata={
            "read": _channels(0.0),
            "help": "Subtracted from each colour, which is 0 to 1: one number, or three.",
        },
    )
    std: Channels | None = field(
        default=None,
        metadata={
            "read": _channels(LEAST_STD),
            "help": "Each colour is divided by it after that: one number, or three.",
        },
    )
    colours: Literal["rgb", "bgr"] = field(
        default="rgb",
        metadata={"read": _one_of("rgb", "bgr"), "help": "Order of the colours: rgb or bgr."},
    )
    crop: Crop = field(
        default="aligned face",
        metadata={
            "read": _one_of(*CROPS),
            "help": f"What the model sees of an image: {', '.join(CROPS)}.",
        },
    )
    output: str = field(
        default="",
        metadata={"read": _text, "help": "The output to take, where an ONNX file has several."},
    )
    same_from: float | None = field(
        default=None,
        metadata={
            "read": _cosine,
            "help": "Similarity from which on two images show the same person, where it is known.",
        },
    )
    good_for: str = field(
        default="", metadata={"read": _text, "help": "What the model knows, such as drawings."}
    )
    licence: str = field(
        default="", metadata={"read": _text, "help": "Its licence, repeated where it is loaded."}
    )
    origin: str = field(
        default="", metadata={"read": _text, "help": "Who made it, or where it comes from."}
    )

    def __post_init__(self) -> None:
        """Raises FacetError when half of the normalisation is said."""
        if (self.mean is None) is not (self.std is None):
            raise FacetError("mean and std belong together; give both or neither")


@dataclass(frozen=True, eq=False)
class Normalisation:
    """Turns colours of 0..1 into what a network wants: times ``scale``, plus ``shift``.

    Both (3, 1, 1); reverse: blue first.
    """

    scale: torch.Tensor
    shift: torch.Tensor
    reverse: bool = False

    @classmethod
    def of(cls, card: EmbedderCard, takes_bytes: bool = False) -> Normalisation:
        """As ``card`` says; where it says nothing, to -1..1, or to 0..255 for ``takes_bytes``."""
        scale, shift = (255.0, 0.0) if takes_bytes else (2.0, -1.0)
        scales, shifts = torch.full((3, 1, 1), scale), torch.full((3, 1, 1), shift)
        if card.mean is not None and card.std is not None:
            scales = 1 / torch.tensor(card.std).view(3, 1, 1)
            shifts = -torch.tensor(card.mean).view(3, 1, 1) * scales
        return cls(scales, shifts, card.colours == "bgr")

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        pixels = pictures * self.scale + self.shift
        return pixels.flip(1) if self.reverse else pixels


def read_card(model: Path) -> EmbedderCard | None:
    """What the JSON beside the file ``model`` says; None where there is none.

    Raises FacetError with a sentence that names the JSON when it says what nobody can follow.
    """
    path = card_beside(model)
    try:
        said = read_json(path)
    except FileNotFoundError:
        return None
    try:
        return card_from(said)
    except FacetError as error:
        raise FacetError(f"{path.name}: {error}.") from error


def card_from(said: Any) -> EmbedderCard:
    """The card that the JSON ``said`` is; FacetError with half a sentence when it is none."""
    known = {one.name: one for one in fields(EmbedderCard)}
    if not isinstance(said, Mapping):
        raise FacetError(f"it holds no object; write one with any of {', '.join(known)}")
    values = {}
    for name, value in said.items():
        if name not in known:
            raise FacetError(f"{name!r:.60} is not known; write any of {', '.join(known)}")
        try:
            values[name] = known[name].metadata["read"](value)
        except FacetError as error:
            raise FacetError(f"{name} is {value!r:.60}; {error}") from error
    return EmbedderCard(**values)
