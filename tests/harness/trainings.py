"""What the tests of whole trainings share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import comfy.model_management
import torch

from facet.engine.comfyui.lora import read_weights
from facet.engine.core.character import Shot
from facet.engine.training.data.buckets import View, fitted_size, size_multiple
from facet.engine.training.data.pictures import TrainingSample, encode_views
from facet.engine.training.progress.events import OnEvent, TrainingEvent
from facet.engine.training.run import TrainedLora
from facet.engine.training.settings import TrainingSettings

from .small_models import SmallModels

SETTINGS = TrainingSettings(
    steps=6, rank=4, learning_rate=1e-2, batch_size=2, checkpoint_every=3, seed=3, precision="fp32"
)
SAMPLED = replace(
    SETTINGS,
    steps=4,
    learning_rate=3e-2,
    batch_size=1,
    ema=0.5,
    checkpoint_every=2,
    sample_every=2,
    sample_prompts="[trigger] [class] in a red coat\n\n a [class], smiling ",
)
"""With samples on the way, at each of two checkpoints."""

Train = Callable[..., TrainedLora]


def interrupt_after(step: int) -> OnEvent:
    def on_event(event: TrainingEvent) -> None:
        if event.step == step:
            comfy.model_management.interrupt_current_processing()

    return on_event


def same(one: Path, other: Path) -> bool:
    a, b = read_weights(one), read_weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def encoded(models: SmallModels, shots: Iterable[Shot], resolution: int) -> list[TrainingSample]:
    """``shots`` as samples for the small model, each at one size."""
    model = models.model.model
    multiple = size_multiple(model, models.vae)
    views = [
        View(shot, fitted_size(shot.image.shape[1], shot.image.shape[0], resolution, multiple))
        for shot in shots
    ]
    return encode_views(model, models.vae, views)
