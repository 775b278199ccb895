"""Nested values, and any optimizer's state, as named tensors and JSON, and back, without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..core.errors import FacetError


class Packer:
    """Turns nested values into JSON, and puts the tensors among them aside under names."""

    def __init__(self, prefix: str = "") -> None:
        """``prefix``: of the tensors' names."""
        self.tensors: dict[str, torch.Tensor] = {}
        self._prefix = prefix
        self._names: dict[int, str] = {}

    def pack(self, value: Any) -> Any:
        """``value`` as JSON values; raises FacetError for what has no such form.

        A tensor that stands in several places is kept once. Where it lives is written down, for
        PyTorch keeps some counters on the CPU whatever the parameters are on.
        """
        if isinstance(value, torch.Tensor):
            if id(value) not in self._names:
                self._names[id(value)] = name = f"{self._prefix}{len(self.tensors)}"
                self.tensors[name] = value
            return {"tensor": self._names[id(value)], "cpu": value.device.type == "cpu"}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, dict):
            return {"dict": [[self.pack(key), self.pack(item)] for key, item in value.items()]}
        # Not a named tuple, which would come back as another.
        if type(value) in (list, tuple):
            return {type(value).__name__: [self.pack(item) for item in value]}
        raise FacetError(
            f"A value of the type {type(value).__name__} cannot be saved; only tensors, numbers, "
            "texts, and lists, tuples and dictionaries of them can."
        )


def unpack(
    value: Any, tensors: Mapping[str, torch.Tensor], device: torch.device, found: dict[str, Any]
) -> Any:
    """What ``Packer.pack`` was given; tensors that were not on the CPU go to ``device``.

    ``found`` holds the tensors that are unpacked already, so that shared ones stay shared.
    """
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        name = value["tensor"]
        if name not in found:
            found[name] = tensors[name].to("cpu" if value["cpu"] else device, copy=True)
        return found[name]
    if "dict" in value:
        return {
            unpack(key, tensors, device, found): unpack(item, tensors, device, found)
            for key, item in value["dict"]
        }
    kind = list if "list" in value else tuple
    (items,) = value.values()
    return kind(unpack(item, tensors, device, found) for item in items)


def pack_optimizer(optimizer: torch.optim.Optimizer) -> tuple[Any, dict[str, torch.Tensor]]:
    """Everything that ``optimizer`` remembers: a JSON value, and the tensors it names.

    Each parameter's state in the order of its groups, and each group's own values.
    """
    packer = Packer("optimizer.")
    groups = [
        {key: value for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]
    state = [dict(optimizer.state.get(parameter, {})) for parameter in _parameters(optimizer)]
    return packer.pack({"groups": groups, "state": state}), packer.tensors


def unpack_optimizer(
    optimizer: torch.optim.Optimizer, packed: Any, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Puts what ``pack_optimizer`` gave into an optimizer over the same parameters.

    Not by way of ``load_state_dict``, which turns a state of 8 bits into the parameter's dtype.
    Raises FacetError when the parameters are others.
    """
    parameters = _parameters(optimizer)
    found: dict[str, Any] = {}
    device = parameters[0].device
    whole = unpack(packed, tensors, device, found)
    if len(whole["state"]) != len(parameters) or len(whole["groups"]) != len(
        optimizer.param_groups
    ):
        raise FacetError("The saved optimizer is one of other parameters.")
    for group, values in zip(optimizer.param_groups, whole["groups"], strict=True):
        group.update(values)
    optimizer.state.clear()
    for parameter, values in zip(parameters, whole["state"], strict=True):
        if values:
            optimizer.state[parameter] = values


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
