"""Every option of data and loss at once, in whole runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_management
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.training.progress.events import TrainingEvent
from facet.engine.training.run import TrainedLora, train
from facet.engine.training.settings import TrainingSettings
from harness.small_models import SmallModels

EVERYTHING = TrainingSettings(
    steps=4,
    rank=4,
    learning_rate=1e-2,
    batch_size=3,
    micro_batch=2,
    resolutions="64, 96",
    flip=True,
    timesteps="flux_shift",
    masked_loss=True,
    mask_outside=0.1,
    prior_outside=0.5,
    prior_class=0.5,
    generated_from=0.3,
    cache="disk",
    validation_shots=1,
    checkpoint_every=2,
    precision="fp32",
    seed=4,
)


@pytest.fixture
def run(
    models: SmallModels, picture: Callable[..., Shot], tmp_path: Path
) -> Callable[..., TrainedLora]:
    """Trains on six pictures of several sizes, masks and sources."""
    mask = torch.zeros(96, 128)
    mask[:, 40:90] = 1
    shots = [
        picture(0, 128, 96, mask=mask),
        picture(1, 96, 128),
        picture(2, 64, 64, caption="zqx person, left profile"),
        picture(3, 128, 96, mask=1 - mask),
        picture(4, 120, 96),
    ]
    source = replace(picture(5, 128, 96), provenance=Provenance("original"))
    who = Character("Ada", "zqx", "person", source, tuple(shots))

    def call(folder: str, on_event: Any = None, **other: Any) -> TrainedLora:
        base = tmp_path / folder
        settings = replace(EVERYTHING, **other)
        with torch.inference_mode():
            return train(
                models.model,
                models.clip,
                models.vae,
                who,
                settings,
                base / "training",
                "run",
                base / "loras",
                on_event,
            )

    return call


def test_a_stopped_run_with_every_option_ends_like_an_unbroken_one(
    run: Callable[..., TrainedLora],
) -> None:
    def stop(event: TrainingEvent) -> None:
        if event.step == 3:
            comfy.model_management.interrupt_current_processing()

    whole = run("whole")
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run("parts", on_event=stop)
    parts = run("parts")
    assert parts.run.losses == whole.run.losses
    assert parts.lora.read_bytes() == whole.lora.read_bytes()
    assert [point.validation for point in parts.run.checkpoints if point.step != 3] == [
        point.validation for point in whole.run.checkpoints
    ]


def test_the_result_is_the_same_with_any_cache_and_micro_batch(
    run: Callable[..., TrainedLora],
) -> None:
    first = run("a")
    in_memory = run("b", cache="memory")
    one_by_one = run("c", micro_batch=1)
    assert in_memory.run.losses == first.run.losses
    assert one_by_one.run.losses == pytest.approx(first.run.losses, rel=1e-4)
    assert (first.run.folder.parents[1] / "cache").is_dir()
    assert not (in_memory.run.folder.parents[1] / "cache").exists()
