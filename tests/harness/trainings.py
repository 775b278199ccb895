"""What the tests of whole trainings share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import comfy.model_management
import torch

from facet.engine.training.files.formats import read_lora
from facet.engine.training.loop import Trained
from facet.engine.training.progress.events import OnEvent, TrainingEvent
from facet.engine.training.settings import TrainingSettings

SETTINGS = TrainingSettings(
    steps=6, rank=4, learning_rate=1e-2, batch_size=2, checkpoint_every=3, seed=3, precision="fp32"
)

Train = Callable[..., Trained]


def interrupt_after(step: int) -> OnEvent:
    def on_event(event: TrainingEvent) -> None:
        if event.step == step:
            comfy.model_management.interrupt_current_processing()

    return on_event


def same(one: Path, other: Path) -> bool:
    a, b = read_lora(one), read_lora(other)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
