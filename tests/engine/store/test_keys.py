"""Names of files: the same for the same values, another for any other."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
import torch

from facet.engine.store.keys import key


class Colour(str, Enum):
    RED = "red"


@dataclass(frozen=True)
class Settings:
    steps: int = 20
    names: tuple[str, ...] = ()
    more: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LaterSettings(Settings):
    added: float | None = None


class Described:
    def __init__(self, name: str) -> None:
        self.name = name

    def key_values(self) -> dict[str, object]:
        return {"name": self.name}


def test_keys_tell_all_values_apart():
    parts: list[dict[str, Any]] = [
        {"a": "a", "b": 1},
        {"a": "a", "b": "1"},
        {"a": "a", "b": 1.0},
        {"a": "a", "b": True},
        {"a": "a", "b": None},
        {"a": "a"},
        {"b": "a", "a": 1},
        {"a": ["a", 1]},
        {"a": ["a1"]},
        {"a": torch.zeros(2)},
        {"a": torch.zeros(2, 1)},
        {"a": torch.tensor([0.0, 1e-8])},
        {"a": Settings(3)},
        {"a": Settings(names=("x",))},
        {"a": Settings(more={"x": 1})},
        {"a": Described("x")},
        {"a": Described("y")},
    ]
    assert len({key(1, **some) for some in parts}) == len(parts)
    assert len(key(1, a="x")) == 24
    assert key(1, a="x") != key(2, a="x")


def test_the_order_in_which_values_are_named_does_not_matter():
    assert key(1, a=1, b={"x": 1, "y": 2}) == key(1, b={"y": 2, "x": 1}, a=1)
    assert key(1, a=frozenset("abc")) == key(1, a=frozenset("cba"))
    assert key(1, a=Colour.RED) == key(1, a="red")


def test_a_field_that_is_added_later_finds_yesterdays_files():
    assert key(1, settings=Settings(30)) == key(1, settings=LaterSettings(30))
    assert key(1, settings=Settings(30)) != key(1, settings=LaterSettings(30, added=1.0))


def test_a_key_is_the_same_tomorrow():
    assert key(1, original="ab", settings=Settings(30, ("x",))) == "SAME"


def test_what_has_no_lasting_form_is_refused():
    with pytest.raises(TypeError, match="A object has no place in the name of a file"):
        key(1, a=object())
