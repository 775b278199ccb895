"""Names of files that are found again: hashes of named values, under a version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum

import torch

DIGITS = 24


def key(version: int, **values: object) -> str:
    """The name under which what ``values`` determine is found again: 24 hexadecimal digits.

    Values may be plain JSON values, enums, tensors, tuples, sets, mappings and dataclasses. A
    dataclass stands by its fields that have another value than their default, so that a field that
    is added later finds yesterday's files; one with a method ``key_values`` stands by what that
    returns. Whoever changes a default, or the meaning of a value, raises ``version``.
    Raises TypeError for anything else.
    """
    named = {"version": version, "values": {name: _plain(value) for name, value in values.items()}}
    text = json.dumps(named, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def tensor_digest(value: torch.Tensor) -> str:
    """sha256 of the shape, the type and every value of ``value``."""
    plain = value.detach().to("cpu").contiguous()
    digest = hashlib.sha256(f"{tuple(plain.shape)} {plain.dtype}".encode())
    digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _plain(value: object) -> object:
    """``value`` as JSON values."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.Tensor):
        return {"tensor": tensor_digest(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(one) for one in value), key=json.dumps)
    own = getattr(value, "key_values", None)
    if own is not None:
        return _plain(own())
    if is_dataclass(value) and not isinstance(value, type):
        held = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: _plain(one) for field, one in held if not _is_default(field, one)}
    raise TypeError(f"A {type(value).__name__} has no place in the name of a file.")


def _is_default(field: Field[object], value: object) -> bool:
    default = field.default
    if default is MISSING and field.default_factory is not MISSING:
        default = field.default_factory()
    if default is MISSING or isinstance(value, torch.Tensor):
        return False
    # 1, 1.0 and True are equal, and mean different things.
    return type(default) is type(value) and default == value
