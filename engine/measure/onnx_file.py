"""ONNX files read as data: the graph, its weights and its metadata, without a runtime.

An ONNX file is one protocol buffer; the numbers of the fields are those of onnx.proto (ONNX IR 3
and later). Weights that a file keeps in other files are never looked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
DTYPES = {1: torch.float32, 7: torch.int64, 10: torch.float16, 11: torch.float64}
"""Kinds of numbers by TensorProto.DataType."""

READ_ERRORS = (
    AttributeError, IndexError, RuntimeError, StopIteration, TypeError, ValueError, struct.error,
)
"""What a file that is no ONNX, or not whole, can come to."""

Field = tuple[int, Any]


@dataclass(frozen=True)
class Node:
    """One operation. attributes by name: a number, a text, a list of whole numbers, or None."""

    operation: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Graph:
    """What an ONNX file holds. inputs: the shape of each by its name, None for what is open.

    Constants are among the weights, and no nodes. whole: no weight is kept in another file.
    """

    nodes: tuple[Node, ...]
    weights: dict[str, torch.Tensor]
    inputs: dict[str, tuple[int | None, ...]]
    outputs: tuple[str, ...]
    metadata: dict[str, str]
    whole: bool


def read_graph(data: bytes) -> Graph:
    """The graph in an ONNX file's bytes.

    Raises ValueError with a sentence when it is none, or not whole.
    """
    try:
        model = list(_fields(memoryview(data)))
        graph = list(_fields(next(value for number, value in model if number == 7)))
        nodes = [_node(value) for number, value in graph if number == 1]
        weights = dict(_tensor(value) for number, value in graph if number == 5)
        for node in nodes:
            value = node.attributes.get("value")
            if node.operation == "Constant" and isinstance(value, torch.Tensor):
                weights[node.outputs[0]] = value
        inputs = dict(_value(value) for number, value in graph if number == 11)
        return Graph(
            tuple(node for node in nodes if node.operation != "Constant"),
            weights,
            # Old files count the weights among the inputs.
            {name: shape for name, shape in inputs.items() if name not in weights},
            tuple(_value(value)[0] for number, value in graph if number == 12),
            dict(_entry(value) for number, value in model if number == 14),
            not any(number == 5 and _is_outside(value) for number, value in graph),
        )
    except READ_ERRORS as error:
        raise ValueError("it is no ONNX file, or a damaged one") from error


def _fields(data: memoryview) -> Iterator[Field]:
    """The numbers and values of a message's fields."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        if kind == BYTES:
            size, place = _varint(data, place)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if kind == EIGHT_BYTES else 4
        else:
            raise IndexError(f"a field of kind {kind}")
        if not 0 <= size <= len(data) - place:
            raise IndexError("a field that goes beyond the end")
        yield key >> 3, data[place : place + size]
        place += size


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return (value - (1 << 64) if value >> 63 else value), place
        if shift > 63:
            raise IndexError("a number without an end")


def _text(value: memoryview) -> str:
    return value.tobytes().decode("utf-8", "replace")


def _whole_numbers(values: list[Any]) -> list[int]:
    """A repeated whole number, packed into bytes or not."""
    found: list[int] = []
    for value in values:
        if isinstance(value, int):
            found.append(value)
            continue
        place = 0
        while place < len(value):
            number, place = _varint(value, place)
            found.append(number)
    return found


def _node(data: memoryview) -> Node:
    fields = list(_fields(data))
    return Node(
        _text(next(value for number, value in fields if number == 4)),
        tuple(_text(value) for number, value in fields if number == 1),
        tuple(_text(value) for number, value in fields if number == 2),
        dict(_attribute(value) for number, value in fields if number == 5),
    )


def _attribute(data: memoryview) -> tuple[str, Any]:
    fields = list(_fields(data))
    name = _text(next(value for number, value in fields if number == 1))
    given = dict(fields)
    match given.get(20):
        case 1:
            return name, struct.unpack("<f", given.get(2, b"\0\0\0\0"))[0]
        case 2:
            return name, given.get(3, 0)
        case 3:
            return name, _text(given.get(4, memoryview(b"")))
        case 4:
            return name, _tensor(given[5])[1]
        case 7:
            return name, _whole_numbers([value for number, value in fields if number == 8])
    return name, None


def _tensor(data: memoryview) -> tuple[str, torch.Tensor]:
    fields = list(_fields(data))
    name = _text(next((value for number, value in fields if number == 8), memoryview(b"")))
    shape = _whole_numbers([value for number, value in fields if number == 1])
    kind = DTYPES.get(next((value for number, value in fields if number == 2), 0))
    raw = next((value for number, value in fields if number == 9), None)
    if kind is None or _is_outside(data):
        return name, torch.empty(0)  # no part of a network that we know
    if raw is None and kind == torch.int64:
        return name, torch.tensor(
            _whole_numbers([value for number, value in fields if number == 7])
        ).reshape(shape)
    if raw is None:
        kind, raw = torch.float32, b"".join(value for number, value in fields if number == 4)
    if not len(raw):
        return name, torch.empty(0)
    return name, torch.frombuffer(bytearray(raw), dtype=kind).reshape(shape)


def _is_outside(data: memoryview) -> bool:
    """Whether a tensor says that its numbers are in another file."""
    return any(number == 13 or (number, value) == (14, 1) for number, value in _fields(data))


def _value(data: memoryview) -> tuple[str, tuple[int | None, ...]]:
    """The name and shape of an input or output."""
    fields = list(_fields(data))
    name = _text(next(value for number, value in fields if number == 1))
    for path in (2, 1, 2):  # type, tensor, shape
        fields = [one for n, value in fields if n == path for one in _fields(value)]
    shape = []
    for number, dimension in fields:
        if number == 1:
            shape.append(next((value for n, value in _fields(dimension) if n == 1), None))
    return name, tuple(shape)


def _entry(data: memoryview) -> tuple[str, str]:
    fields = dict(_fields(data))
    nothing = memoryview(b"")
    return _text(fields.get(1, nothing)), _text(fields.get(2, nothing))
