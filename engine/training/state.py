"""Stopping and going on: everything a run needs to continue as if it had never stopped.

No random state is kept because there is none: each step's draws come from the seed and the
step's number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from ..files import contained
from .lora import Adapter
from .tensors import write_tensors

STATE_FILE = "state.safetensors"
_RECORD = "facet.state"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Weights:
    """What training moves: the adapters, AdamW over them, and their running average."""

    adapters: list[Adapter]
    optimizer: torch.optim.Optimizer
    average: list[torch.Tensor]

    @classmethod
    def starting(cls, adapters: list[Adapter], weight_decay: float) -> Weights:
        """Untrained weights; each step sets the learning rate."""
        parameters = _parameters(adapters)
        optimizer = torch.optim.AdamW(
            parameters,
            betas=(0.9, 0.99),
            weight_decay=weight_decay,
            fused=parameters[0].device.type in ("cpu", "cuda"),
        )
        return cls(adapters, optimizer, [value.detach().clone() for value in parameters])

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """``down`` and ``up`` of every adapter, in order."""
        return _parameters(self.adapters)

    def average_in(self, decay: float) -> None:
        """Moves the running average towards the weights: its old value counts ``decay``."""
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1 - decay)

    def averaged(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """The averaged (down, up) of each module, float32 on the CPU."""
        values = [value.detach().to("cpu", torch.float32).clone() for value in self.average]
        return {
            adapter.module: (values[2 * i], values[2 * i + 1])
            for i, adapter in enumerate(self.adapters)
        }


@dataclass(frozen=True)
class Progress:
    """How far a run has come: its fingerprint, and the loss of each step done."""

    fingerprint: str
    losses: tuple[float, ...]

    @property
    def step(self) -> int:
        """The number of steps done."""
        return len(self.losses)


def save_state(folder: Path, weights: Weights, progress: Progress) -> None:
    """Writes the state of a run into its folder, whole or not at all."""
    tensors: dict[str, torch.Tensor] = {}
    for index, (name, parameter) in enumerate(_named(weights)):
        tensors[name] = parameter
        tensors[f"average.{name}"] = weights.average[index]
        for key in _MOMENTS:
            tensors[f"{key}.{name}"] = weights.optimizer.state[parameter][key]
    record = {"fingerprint": progress.fingerprint, "losses": list(progress.losses)}
    write_tensors(folder / STATE_FILE, tensors, {_RECORD: json.dumps(record)})


def load_progress(folder: Path) -> Progress | None:
    """How far the run in ``folder`` has come; None where no run has left its state.

    Raises ValueError when the state is damaged.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    from safetensors import safe_open

    try:
        with safe_open(path, "pt") as file:
            record = json.loads(file.metadata()[_RECORD])
        return Progress(str(record["fingerprint"]), tuple(map(float, record["losses"])))
    except Exception as error:
        raise _damaged(path) from error


def restore(folder: Path, weights: Weights) -> None:
    """Puts the state that ``save_state`` wrote back into ``weights``.

    Raises ValueError when it is damaged or belongs to another model.
    """
    from safetensors.torch import load_file

    path = folder / STATE_FILE
    try:
        tensors = load_file(path)
        moments = {}
        with torch.no_grad():
            for index, (name, parameter) in enumerate(_named(weights)):
                parameter.copy_(tensors[name])
                weights.average[index].copy_(tensors[f"average.{name}"])
                moments[index] = {key: tensors[f"{key}.{name}"] for key in _MOMENTS}
        groups = weights.optimizer.state_dict()["param_groups"]
        weights.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    except Exception as error:
        raise _damaged(path) from error


@dataclass(frozen=True)
class Opened:
    """The folder a run works in, how far it has come there, and a sentence if that may surprise."""

    folder: Path
    progress: Progress
    note: str = ""


def open_run(training: Path, name: str, fingerprint: str, steps: int) -> Opened:
    """The folder under ``training`` for a run of this name and fingerprint.

    A run that was stopped goes on, a finished one is not trained again, and one that is asked
    for more steps continues. A name that stands for something else already (other pictures,
    captions, settings or model) keeps what it has, and the new run is called name_2, name_3 …
    Raises ValueError when the name leads out of the folder or is empty.
    """
    if not name.strip() or contained(training, name).parent != training.resolve():
        raise ValueError(f"{name!r} is no name for a run's folder; give a word such as 'run'.")
    number = 1
    while True:
        called = name if number == 1 else f"{name}_{number}"
        folder = contained(training, called)
        progress = load_progress(folder)
        if progress is None and _has_files(folder):
            number += 1
            continue
        if progress is None:
            note = f"{name!r} holds another training and is kept; this run is {called!r}."
            return Opened(folder, Progress(fingerprint, ()), note if number > 1 else "")
        if progress.fingerprint == fingerprint and progress.step <= steps:
            if progress.step == steps:
                return Opened(folder, progress, f"{called!r} is finished already.")
            return Opened(folder, progress, f"{called!r} goes on from step {progress.step}.")
        number += 1


def _has_files(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _parameters(adapters: list[Adapter]) -> list[torch.nn.Parameter]:
    return [weight for adapter in adapters for weight in (adapter.down, adapter.up)]


def _named(weights: Weights) -> list[tuple[str, torch.nn.Parameter]]:
    return [
        (f"{part}.{adapter.module}", weight)
        for adapter in weights.adapters
        for part, weight in (("down", adapter.down), ("up", adapter.up))
    ]


def _damaged(path: Path) -> ValueError:
    return ValueError(
        f"The saved state {path} cannot be read; delete its folder, or give another run name."
    )
