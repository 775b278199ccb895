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
from ...store.packing import Packer, unpack
from ...store.tensors import read_tensors, write_tensors

LIMIT = 8 * 2**30
"""Bytes that the cache of a character takes at most."""

_PACKED, _CONTENT = "facet.packed", "facet.sha256"
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
    from safetensors import SafetensorError

    try:
        # What is made in inference mode, as nodes run, autograd could not keep.
        with torch.inference_mode(False):
            tensors, metadata = read_tensors(path)
            packed = metadata[_PACKED]
            if metadata[_CONTENT] != _digest(packed, tensors):
                raise _Unreadable
            return unpack(json.loads(packed), tensors, torch.device("cpu"), {})
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise _Unreadable from error


def _write(path: Path, value: Any) -> None:
    packer = Packer()
    try:
        packed = json.dumps(packer.pack(value))
    except ValueError:
        return
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in packer.tensors.items()
    }
    write_tensors(path, tensors, {_PACKED: packed, _CONTENT: _digest(packed, tensors)})


def _digest(packed: str, tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(packed.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(repr((name, tensor.dtype, tuple(tensor.shape))).encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
