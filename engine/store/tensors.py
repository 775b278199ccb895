"""Safetensors files that are the same, byte for byte, whenever what is in them is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from .files import write_atomic

_METADATA = "__metadata__"
_KINDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""How the format calls them."""
_LARGEST_HEADER = 100_000_000
"""Bytes of the longest header that the library reads."""


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> None:
    """Writes a safetensors file, whole or not at all; one that holds just that is left alone.

    The library orders metadata at random; here it is sorted, so that a file's hash says whether
    two trainings gave the same. The tensors are written one after the other: no second copy of them
    all is ever held, for the state of a run may have gigabytes.
    """
    order, table, size = _table(tensors)
    header = _header(metadata, table)
    if not (path.is_file() and path.stat().st_size == len(header) + size) or not _holds(
        path, _pieces(header, order)
    ):
        write_atomic(path, _pieces(header, order))


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file alone; raises ValueError or OSError when there is none."""
    metadata, _, _ = _opened(path)
    return metadata


def write_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    """Writes other metadata into the safetensors file ``path``, whole or not at all.

    The table of its tensors and every byte of them stay. Raises ValueError when it is no such file,
    and OSError.
    """
    _, table, length = _opened(path)
    write_atomic(path, _header(metadata, table) + path.read_bytes()[length:])


def same_data(one: Path, other: Path) -> bool:
    """Whether two safetensors files hold the same tensors, byte for byte; metadata may differ."""
    (_, table, length), (_, other_table, other_length) = _opened(one), _opened(other)
    if table != other_table:
        return False
    return one.read_bytes()[length:] == other.read_bytes()[other_length:]


def kohya_hashes(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> dict[str, str]:
    """What sd-scripts writes of a LoRA as sshs_model_hash and sshs_legacy_hash, by which viewers
    and model managers know it whatever else its metadata says.

    The first is of all bytes behind the header, the second of 64 kB from the first MB on of a file
    with no metadata but ss_*: library/train_util.py, precalculate_safetensors_hashes.
    """
    order, table, _ = _table(tensors)
    told = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    # The library's header is in UTF-8, and as long in whatever order it has the metadata.
    beginning = bytearray(_header(told, table, ascii_only=False))
    digest, start, count = hashlib.sha256(), 0x100000, 0x10000
    for piece in map(_bytes_of, order):
        digest.update(piece)
        beginning += piece[: max(0, start + count - len(beginning))]
    return {
        "sshs_model_hash": digest.hexdigest(),
        "sshs_legacy_hash": hashlib.sha256(beginning[start : start + count]).hexdigest()[:8],
    }


def _table(
    tensors: Mapping[str, torch.Tensor],
) -> tuple[list[torch.Tensor], dict[str, Any], int]:
    """``tensors`` in the order in which the library has them, the table of a file of them, and how
    many bytes they have: the widest first, for that each begins at a multiple of its own width."""
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    table: dict[str, Any] = {}
    end = 0
    for name in order:
        start, end = end, end + tensors[name].nbytes
        kind, shape = _KINDS[tensors[name].dtype], list(tensors[name].shape)
        table[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    return [tensors[name] for name in order], table, end


def _pieces(header: bytes, order: Iterable[torch.Tensor]) -> Iterator[bytes | memoryview]:
    """A file's bytes, those of one tensor at a time."""
    yield header
    yield from map(_bytes_of, order)


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    plain = tensor.detach().cpu().contiguous().reshape(-1)
    return memoryview(plain.view(torch.uint8).numpy())


def _holds(path: Path, pieces: Iterable[bytes | memoryview]) -> bool:
    """Whether the file ``path`` begins with ``pieces``."""
    with path.open("rb") as file:
        return all(file.read(len(piece)) == piece for piece in pieces)


def _header(
    metadata: Mapping[str, str], table: Mapping[str, Any], ascii_only: bool = True
) -> bytes:
    """The bytes before a file's tensors, which ``table`` is about."""
    header = {_METADATA: dict(sorted(metadata.items())), **table}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=ascii_only)
    data = text.encode("utf-8", "surrogatepass")
    data += b" " * (-len(data) % 8)
    return len(data).to_bytes(8, "little") + data


def _opened(path: Path) -> tuple[dict[str, str], dict[str, Any], int]:
    """The metadata of a file, the table of its tensors, and how many bytes stand before them."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LARGEST_HEADER:
            raise ValueError("it has no header")
        data = file.read(length)
    try:
        table = json.loads(data)
        metadata = table.pop(_METADATA, None) or {}
        return dict(metadata), table, 8 + length
    except (AttributeError, TypeError, RecursionError) as error:
        raise ValueError("its header is none") from error
