"""What a training moves: adapters, the optimizer over them, and their running average."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ..objective.optimizers import make
from ..settings import TrainingSettings
from .lora import Adapter


@dataclass
class Weights:
    """What training moves: the adapters, the optimizer over them, and their running average."""

    adapters: list[Adapter]
    optimizer: torch.optim.Optimizer
    average: list[torch.Tensor]

    @classmethod
    def starting(cls, adapters: list[Adapter], settings: TrainingSettings) -> Weights:
        """Untrained weights; each step sets the learning rate."""
        in_text = [one for one in adapters if one.of_text_encoder]
        in_model = [one for one in adapters if not one.of_text_encoder]
        parts = [[value for _, value in _named(part)] for part in (in_model, in_text)]
        average = [value.detach().clone() for _, value in _named(adapters)]
        return cls(adapters, make(parts[0], settings, parts[1]), average)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """What is trained of every adapter, in order."""
        return [value for _, value in self.named()]

    def named(self) -> list[tuple[str, torch.nn.Parameter]]:
        """What is trained of every adapter, in order, with names that differ."""
        return _named(self.adapters)

    def average_in(self, decay: float) -> None:
        """Moves the running average towards the weights: its old value counts ``decay``."""
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1 - decay)

    def file_tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        """The averaged adapters as a file has them, by module and suffix, float32 on the CPU."""
        values = iter(self.average)
        return {
            adapter.module: adapter.file_tensors(
                {
                    name: next(values).detach().to("cpu", torch.float32).clone()
                    for name in adapter.parameters()
                }
            )
            for adapter in self.adapters
        }

    @contextlib.contextmanager
    def averaged_in_place(self) -> Iterator[None]:
        """The adapters with their averaged values, as they are saved; undone bit for bit."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for index, parameter in enumerate(self.parameters):
            self.average[index], parameter.data = parameter.data, self.average[index]


def _named(adapters: list[Adapter]) -> list[tuple[str, torch.nn.Parameter]]:
    return [
        (f"{adapter.module}.{name}", value)
        for adapter in adapters
        for name, value in adapter.parameters().items()
    ]
