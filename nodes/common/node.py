"""The door of every node: what comes in is looked at, and what goes wrong carries its name."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.core.letters import whole
from .errors import errors_from

JSON = (type(None), bool, int, float, str, list)
"""What a prompt can hold in the place of a link; and objects of these."""
OF_JSON = {"POSE_KEYPOINT"}
"""The types of sockets whose values are made of it."""


class Settings(dict[str, Any]):
    """What an options node gives, checked there; unlike an object that a prompt holds."""


class Node(io.ComfyNode):
    """A node of the pack.

    ComfyUI checks ranges and choices. What it lets pass is met here: a number that is none, half a
    letter, and a constant where something has to be connected.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("execute")
        if own is not None and not hasattr(own.__func__, "__wrapped__"):
            cls.execute = classmethod(_guarded(own.__func__))  # type: ignore[method-assign, assignment]


def _guarded(execute: Callable[..., io.NodeOutput]) -> Callable[..., io.NodeOutput]:
    @functools.wraps(execute)
    def guarded(cls: type[io.ComfyNode], *args: Any, **given: Any) -> io.NodeOutput:
        with errors_from(cls):
            schema = cls.define_schema()
            checked = _each_checked if schema.is_input_list else _checked
            known = {one.id: one for one in schema.inputs}
            # A script's null for what may be left out is as if it were.
            said = {
                name: value
                for name, value in given.items()
                if value is not None or name not in known or not known[name].optional
            }
            met = {name: checked(known.get(name), name, value) for name, value in said.items()}
            return execute(cls, *args, **met)

    return guarded


def _each_checked(one: io.Input | None, name: str, values: list[Any]) -> list[Any]:
    return [_checked(one, name, value) for value in values]


def _checked(one: io.Input | None, name: str, value: Any) -> Any:
    """``value`` as the input ``one`` takes it; FacetError when it does not."""
    if isinstance(value, str) and isinstance(one, io.String.Input):  # not a file's name in a list
        value = whole(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise FacetError(f"{name} is {value}; give a number.")
    if one is None or isinstance(one, io.WidgetInput) or one.rawLink:
        return value
    kind = one.get_io_type()
    if kind.startswith("COMFY_"):  # inputs that grow, whose parts core hands over in one
        return value
    parts = value.values() if isinstance(value, Mapping) else [value]  # a LoRA's are tensors
    plain_json = all(isinstance(part, JSON) for part in parts) and not isinstance(value, Settings)
    if plain_json and kind not in OF_JSON:
        raise FacetError(f"{name} is {value!r:.40}; connect a node that gives a {kind} there.")
    return value
