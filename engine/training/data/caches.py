"""Encoded pictures and captions kept on disk, found again by what they were made of.

    <folder>/latents/<key>.safetensors     what the VAE made of a picture
    <folder>/captions/<key>.safetensors    what the text encoder made of a caption

The key is a hash of everything that decides the content, so that nothing in there is ever out of
date. A file that does not hold what was written is made again. The folder may be deleted at any
time; beyond ``LIMIT`` the files that were not used for longest go.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

from ...store.files import contained
from ...store.keys import key
from ...store.tensors import write_tensors

LIMIT = 8 * 2**30
"""Bytes that the cache of a character takes at most."""

_LAYOUT, _CONTENT = "facet.layout", "facet.sha256"
_VERSION = 1

T = TypeVar("T")


class Cache:
    """Values made of tensors and plain ones, in a folder; deleting it loses nothing but time."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def fetch(self, kind: str, key: str, make: Callable[[], T]) -> T:
        """What is kept under ``key``, or else what ``make`` gives, which is kept then.

        A value with more in it than tensors, numbers and texts is handed out and not kept. Raises
        OSError when the disk refuses.
        """
        path = contained(self._folder, kind, f"{key}.safetensors")
        try:
            value = _read(path)
        except _Unreadable:
            value = make()
            if _is_plain(value):
                _write(path, value)
        else:
            os.utime(path)
        kept: T = value
        return kept

    def trim(self) -> None:
        """Deletes the files unused for longest until the rest fits the limit."""
        files = [path for path in self._folder.glob("*/*.safetensors") if not path.is_symlink()]
        used = sorted(((path.stat(), path) for path in files), key=lambda one: one[0].st_mtime_ns)
        total = sum(stat.st_size for stat, _ in used)
        for stat, path in used:
            if total <= self._limit:
                break
            path.unlink(missing_ok=True)
            total -= stat.st_size


def content_key(*parts: object) -> str:
    """A name for what ``parts`` decide: hashes, numbers, texts and tokens."""
    return key(_VERSION, parts=parts)


class _Unreadable(Exception):
    pass


def _read(path: Path) -> Any:
    """Raises _Unreadable when there is no such file, or not what was written."""
    from safetensors import SafetensorError, safe_open

    try:
        # What is made in inference mode, as nodes run, autograd could not keep.
        with torch.inference_mode(False), safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        layout = metadata[_LAYOUT]
        if metadata[_CONTENT] != _digest(layout, tensors):
            raise _Unreadable
        return _unpacked(json.loads(layout), tensors)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise _Unreadable from error


def _write(path: Path, value: Any) -> None:
    tensors: dict[str, torch.Tensor] = {}
    layout = json.dumps(_packed(value, tensors))
    write_tensors(path, tensors, {_LAYOUT: layout, _CONTENT: _digest(layout, tensors)})


def _digest(layout: str, tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(layout.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(repr((name, tensor.dtype, tuple(tensor.shape))).encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, torch.Tensor | str | bool | int | float)


def _packed(value: Any, tensors: dict[str, torch.Tensor]) -> list[Any]:
    """``value`` as JSON: its kind and its content, with tensors put aside by name."""
    if isinstance(value, torch.Tensor):
        name = f"{len(tensors):04d}"
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return ["tensor", name]
    if isinstance(value, dict):
        return ["dict", {key: _packed(item, tensors) for key, item in value.items()}]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_packed(item, tensors) for item in value]]
    return ["value", value]


def _unpacked(packed: list[Any], tensors: Mapping[str, torch.Tensor]) -> Any:
    kind, content = packed
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _unpacked(item, tensors) for key, item in content.items()}
    if kind in ("list", "tuple"):
        items = [_unpacked(item, tensors) for item in content]
        return items if kind == "list" else tuple(items)
    return content
