"""Blocks that keep only their inputs and run again in the backward pass, exactly or not at all.

PyTorch's checkpoint skips autograd's check that no kept tensor was written over, which ComfyUI's
in-place residuals make necessary: the gradient would come out wrong without a word. This one keeps
the check, and runs the second pass with the options that the first one saw.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks

from .exact import Changes, OutOfPlace


class WrongGradient(RuntimeError):
    """A checkpointed block that wrote over what its backward pass needs."""


@contextlib.contextmanager
def checkpointed(blocks: Iterable[torch.nn.Module]) -> Iterator[None]:
    """Has each of ``blocks`` keep only its inputs and run again in the backward pass.

    The backward pass raises WrongGradient where a block would give another gradient that way.
    """
    changed = Changes()
    try:
        for block in blocks:
            changed.set(block.__dict__, "forward", functools.partial(_run, block))
        yield
    finally:
        changed.undo()


def _run(block: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
    if not torch.is_grad_enabled():
        return type(block).forward(block, *args, **kwargs)
    segment = _Segment(block, args, kwargs)
    with saved_tensors_hooks(segment.keep, segment.give):
        return type(block).forward(block, *args, **kwargs)


class _Kept:
    """Stands for a tensor that backward needs, until the block has run again."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self) -> None:
        self.tensor: torch.Tensor | None = None


class _Enough(Exception):
    """Everything that backward needs is there again; the rest of the block need not run."""


class _Segment:
    """One run of one block: its inputs, and places for what its backward pass will ask for."""

    def __init__(self, block: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        self._block = block
        # The options are one dictionary in which the model notes the block that it is at.
        self._args = tuple(dict(arg) if isinstance(arg, dict) else arg for arg in args)
        self._kwargs = {k: dict(v) if isinstance(v, dict) else v for k, v in kwargs.items()}
        self._inputs = [(tensor, _version(tensor)) for tensor in _tensors((args, kwargs))]
        self._places: list[weakref.ref[_Kept]] = []
        self._shapes: list[torch.Size] = []

    def keep(self, tensor: torch.Tensor) -> _Kept:
        kept = _Kept()
        self._places.append(weakref.ref(kept))
        self._shapes.append(tensor.shape)
        return kept

    def give(self, kept: _Kept) -> torch.Tensor:
        if kept.tensor is None:
            self._run_again()
        if kept.tensor is None:
            raise self._wrong("keeps other tensors when it runs again")
        return kept.tensor

    def _run_again(self) -> None:
        if any(version != _version(tensor) for tensor, version in self._inputs):
            raise self._wrong("is given a tensor that is written over later")
        seen: list[tuple[torch.Tensor, int]] = []

        def keep(tensor: torch.Tensor) -> int:
            number = len(seen)
            if tensor.shape != self._shapes[number]:
                raise self._wrong("keeps other tensors when it runs again")
            # Detached, it still shares the count of writes with the tensor itself.
            seen.append((tensor.detach(), tensor._version))
            kept = self._places[number]()
            if kept is not None:
                kept.tensor = seen[number][0]
            if len(seen) == len(self._places):
                raise _Enough
            return number

        def never(_number: int) -> torch.Tensor:
            raise self._wrong("takes a gradient inside its own forward pass")

        hooks = saved_tensors_hooks(keep, never)
        with contextlib.suppress(_Enough), torch.enable_grad(), OutOfPlace(), hooks:
            type(self._block).forward(self._block, *self._args, **self._kwargs)
        if any(tensor._version != version for tensor, version in seen):
            raise self._wrong("writes over a tensor that its backward pass needs")

    def _wrong(self, what: str) -> WrongGradient:
        return WrongGradient(
            f"{type(self._block).__name__} {what}, so its gradient would be wrong under gradient "
            "checkpointing; turn gradient_checkpointing off."
        )


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
