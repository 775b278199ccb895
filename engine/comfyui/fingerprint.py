"""What tells one model, LoRA or file from another: short hashes, the same in the next process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

SAMPLE = 1 << 16
"""Bytes that are read at each place of a large file."""


def described(value: Any, depth: int = 4) -> str:
    """``value`` in words that do not change from one process to the next."""
    if isinstance(value, torch.Tensor):
        return _few_values(value).decode()
    if value is None or isinstance(value, str | int | float | bool):
        return repr(value)
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, list | tuple) and depth:
        return repr([described(one, depth - 1) for one in value])
    parts = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    if not depth or isinstance(value, torch.nn.Module):
        parts = {}
    items = sorted((str(key), described(one, depth - 1)) for key, one in parts.items())
    return f"{type(value).__qualname__}{items}"


def model_fingerprint(model: Any) -> str:
    """A short hash of what ``model`` (a ModelPatcher) would compute: its class, weights, patches.

    A few values of a few tensors stand for the whole, so that it takes milliseconds.
    """
    digest = hashlib.sha256(type(model.model).__name__.encode())
    state = model.model.state_dict()
    # A model in use carries its patches in its weights, and what they were in its backup.
    state |= {key: saved.weight for key, saved in model.backup.items() if key in state}
    for value in _few_weights(state):
        digest.update(_few_values(value))
    for key, patches in sorted(model.patches.items(), key=lambda item: str(item[0])):
        digest.update(str(key).encode())
        for patch in patches:
            digest.update(repr(patch[0]).encode())
            for value in getattr(patch[1], "weights", ()):
                if isinstance(value, torch.Tensor):
                    digest.update(_few_values(value))
    return digest.hexdigest()[:16]


def weights_fingerprint(networks: Iterable[torch.nn.Module]) -> str:
    """A short hash of a few values of a few weights of ``networks``."""
    digest = hashlib.sha256()
    for network in networks:
        for value in _few_weights(network.state_dict()):
            digest.update(_few_values(value))
    return digest.hexdigest()[:16]


def fingerprint(model: Any) -> str:
    """Which model this is, from a few of its weights; the same in the next process, '' for None."""
    if model is None:
        return ""
    return f"{type(model).__name__} {weights_fingerprint(_networks(model))}"


def _networks(model: Any) -> Iterator[torch.nn.Module]:
    """The networks that ``model`` holds, whatever class of ComfyUI's it is."""
    for value in vars(model).values():
        held = value.values() if isinstance(value, dict) else [value]
        yield from (one for one in held if isinstance(one, torch.nn.Module))


def control_fingerprint(control_net: Any) -> str:
    """A short hash of a few weights of ``control_net``, and of what was applied before it."""
    names = []
    while control_net is not None:
        weights = weights_fingerprint(_control_networks(control_net))
        names.append(f"{type(control_net).__name__} {weights}")
        control_net = control_net.previous_controlnet
    return ", ".join(names)


def _control_networks(control_net: Any) -> Iterator[torch.nn.Module]:
    for value in vars(control_net).values():
        if isinstance(value, torch.nn.Module):
            yield value
        elif isinstance(value, dict):
            # A Control-LoRA holds its weights by name until it is sampled with.
            tensors = {
                str(key).replace(".", "_"): torch.nn.Parameter(one, requires_grad=False)
                for key, one in value.items()
                if isinstance(one, torch.Tensor) and one.is_floating_point()
            }
            if tensors:
                yield torch.nn.ParameterDict(tensors)


def lora_fingerprint(weights: Mapping[str, torch.Tensor]) -> str:
    """A hash of a LoRA's weights: names, shapes, types and every value."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        plain = value.detach().to("cpu").contiguous().flatten()
        digest.update(plain.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:24]


def weights_digest(name: str, weights: Mapping[str, Any]) -> str:
    """A short hash of ``name``, of every name and shape in ``weights``, and some of the numbers."""
    digest = hashlib.sha256(name.encode())
    plain = [(key, value) for key, value in sorted(weights.items()) if torch.is_tensor(value)]
    for key, value in plain:
        digest.update(f"{key} {tuple(value.shape)}\n".encode())
    floats = [value for _, value in plain if type(value) in (torch.Tensor, torch.nn.Parameter)]
    floats = [value for value in floats if value.is_floating_point()]
    for value in floats[:: max(1, len(floats) // 32)]:
        digest.update(value.detach().flatten()[:64].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def folder_digest(folder: Path) -> str:
    """A short hash of a model's folder: its config.json, and pieces of its weights."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for path in sorted(folder.glob("*.safetensors")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            for at in (0, size // 2, max(0, size - SAMPLE)):
                file.seek(at)
                digest.update(file.read(SAMPLE))
    return digest.hexdigest()[:16]


def file_state(path: Path) -> str:
    """What tells the file ``path`` from another that takes its place; '' where there is none.

    The metadata of a safetensors file is not counted, into which a score is stamped.
    """
    try:
        state = path.stat()
        with path.open("rb") as file:
            header = file.read(8) if path.suffix.lower() in (".safetensors", ".sft") else b""
    except OSError:
        return ""
    return f"{state.st_mtime_ns} {state.st_size - int.from_bytes(header, 'little')}"


def _few_weights(state: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    weights = [value for _, value in sorted(state.items()) if value.numel() > 1]
    return weights[:: max(1, len(weights) // 16)]


def _few_values(value: torch.Tensor) -> bytes:
    flat = value.detach().flatten()
    picked = flat[:: max(1, flat.numel() // 32)][:32]
    return repr((tuple(value.shape), picked.to("cpu", torch.float32).tolist())).encode()
