"""Whole training runs on a small model: what comes out, and what happens when one is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.sd
import pytest
import torch

from facet.engine.comfyui.lora import read_weights
from facet.engine.core.character import Character, Shot
from facet.engine.training.progress.events import Ask
from facet.engine.training.run import Extras, TrainedLora
from facet.engine.training.run_record import load_run
from harness.small_models import SmallModels
from harness.trainings import SETTINGS, Train, interrupt_after, same


def prediction(model: Any) -> torch.Tensor:
    comfy.model_management.load_models_gpu([model])
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        return model.model.apply_model(
            torch.randn(1, 16, 8, 8, generator=generator),
            torch.tensor([0.7]),
            c_crossattn=torch.randn(1, 12, 32, generator=generator),
            y=torch.randn(1, 32, generator=generator),
        ).clone()


def test_the_same_seed_gives_the_same_lora(run: Train) -> None:
    one, other = run(folder="a"), run(folder="b")
    assert one.run.losses == other.run.losses
    assert same(one.lora, other.lora)
    assert one.lora.read_bytes() == other.lora.read_bytes()


def test_another_seed_gives_another_lora(run: Train) -> None:
    assert not same(run().lora, run(replace(SETTINGS, seed=4), "b").lora)


@pytest.mark.parametrize("stop", [1, 3, 4])
def test_an_interrupted_run_ends_like_an_uninterrupted_one(run: Train, stop: int) -> None:
    whole = run(folder="whole")
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(folder="parts", on_event=interrupt_after(stop))
    steps: list[int] = []
    parts = run(folder="parts", on_event=lambda event: steps.append(event.step))
    assert steps == list(range(stop + 1, 7))
    assert parts.run.losses == whole.run.losses
    assert same(parts.lora, whole.lora)
    assert "resumes from step" in parts.note


@pytest.mark.parametrize(
    ("adapter", "optimizer"),
    [
        ("LoRA", "AdamW fused"),
        ("rsLoRA", "AdamW 8-bit"),
        ("DoRA", "Lion"),
        ("LoKr", "Prodigy"),
        ("LoHa", "Adafactor"),
    ],
)
def test_every_adapter_and_optimizer_goes_on_to_the_same_file(
    run: Train, adapter: str, optimizer: str
) -> None:
    settings = replace(SETTINGS, steps=3, batch_size=1, adapter=adapter, optimizer=optimizer)
    whole = run(settings, folder="whole")
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(settings, folder="parts", on_event=interrupt_after(2))
    assert run(settings, folder="parts").lora.read_bytes() == whole.lora.read_bytes()


def test_a_cancel_keeps_the_lora_so_far(run: Train, tmp_path: Path) -> None:
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(on_event=interrupt_after(4))
    kept = load_run(tmp_path / "a" / "run")
    assert [point.step for point in kept.checkpoints] == [3, 4]
    assert len(kept.losses) == 4
    assert read_weights(kept.checkpoints[-1].path)
    assert not list(tmp_path.rglob("*.part"))


def test_a_cancel_before_the_first_step_leaves_nothing(run: Train, tmp_path: Path) -> None:
    comfy.model_management.interrupt_current_processing()
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run()
    assert not (tmp_path / "a" / "run").exists()


def test_a_finished_run_is_not_trained_again(run: Train) -> None:
    first = run()
    again = run(on_event=lambda *_: pytest.fail("trained again"))
    assert again.run == first.run
    assert "finished" in again.note


def test_more_steps_continue_the_run(run: Train) -> None:
    run()
    steps: list[int] = []
    longer = run(replace(SETTINGS, steps=8), on_event=lambda event: steps.append(event.step))
    assert steps == [7, 8]
    assert longer.run.name == "run"


def test_other_settings_keep_the_old_run(run: Train) -> None:
    first = run()
    before = first.lora.read_bytes()
    other = run(replace(SETTINGS, rank=2))
    assert (first.run.name, other.run.name) == ("run", "run_2")
    assert first.lora.read_bytes() == before
    assert "'run' holds another training and is kept" in other.note
    assert run(replace(SETTINGS, rank=2)).run.name == "run_2"


def test_another_caption_is_another_training(run: Train, character: Character) -> None:
    first = run()
    changed = character.captioned({character.shots[0].hash: "zqx person, changed"})
    assert run(who=changed).run.name != first.run.name


def test_the_model_is_left_as_it_was(run: Train, models: SmallModels) -> None:
    weights = {name: value.clone() for name, value in models.model.model.state_dict().items()}
    before = prediction(models.model)
    run(replace(SETTINGS, gradient_checkpointing=True, precision="bf16"))
    after = models.model.model.state_dict()
    assert after.keys() == weights.keys()
    assert [name for name in weights if not torch.equal(weights[name], after[name])] == []
    assert torch.equal(prediction(models.model), before)


def test_training_lowers_the_loss(run: Train, picture: Callable[..., Shot]) -> None:
    """One picture without caption dropout: the model has it in thirty steps."""
    who = Character("Ada", "zqx", "person", picture(0))
    settings = replace(SETTINGS, steps=30, caption_dropout=0.0, checkpoint_every=0)
    losses = run(settings, who=who).run.losses
    assert sum(losses[-8:]) < 0.8 * sum(losses[:8])


def test_core_loads_what_was_trained(run: Train, models: SmallModels) -> None:
    """Strength 1 in core's loader is the model that stood at the end of the training."""
    trained = run(replace(SETTINGS, ema=0.0))
    lora = read_weights(trained.lora)
    patched, _ = comfy.sd.load_lora_for_models(models.model, None, lora, 1.0, 0.0)
    assert len(patched.patches) == len(lora) / 3
    difference = (prediction(patched) - prediction(models.model)).abs().max()
    assert float(difference) > 0.01


def test_a_lora_is_gone_on_from(run: Train) -> None:
    start = run().lora
    # One step at a learning rate of 1e-9, a thousandth of the lowest that can be set.
    still = replace(SETTINGS, steps=1000, warmup=1.0, learning_rate=1e-6, weight_decay=0.0)

    def gone_on_from(lora: Path) -> TrainedLora:
        return run(still, "b", extras=Extras(start=lora, asked=lambda what: what is Ask.STOP))

    values, before = read_weights(gone_on_from(start).lora), read_weights(start)
    assert values.keys() == before.keys()
    assert all(torch.allclose(values[key], before[key], atol=1e-7) for key in before)
    # Where it starts from is part of what the run is.
    other = run(replace(SETTINGS, seed=9), "c").lora
    assert gone_on_from(other).run.name == "run_2"


def test_without_peft_the_trainer_says_how_to_get_it(
    run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModuleNotFoundError, match="pip install peft"):
        run()


def test_a_run_name_may_have_any_character_of_a_file_name(run: Train) -> None:
    trained = run(name="take [2] é")
    assert [point.step for point in trained.run.checkpoints] == [3, 6]


def test_pictures_of_different_sizes_train_together(
    run: Train, picture: Callable[..., Shot]
) -> None:
    shots = (picture(1, 96, 64), picture(2, 64, 96), picture(3, 200, 300), picture(4, 64, 64))
    trained = run(who=Character("Ada", "zqx", "person", picture(0, 8, 8), shots))
    assert len(trained.run.losses) == SETTINGS.steps


def test_captions_of_different_lengths_train_together(
    run: Train, picture: Callable[..., Shot]
) -> None:
    """CLIP encodes 75 words at a time, so a long caption is a longer sequence."""
    long = "zqx person " + "in a red coat " * 30
    shots = (picture(1, caption=long), picture(2))
    trained = run(
        replace(SETTINGS, batch_size=3), who=Character("A", "zqx", "person", picture(0), shots)
    )
    assert len(trained.run.losses) == SETTINGS.steps


def test_excluded_pictures_alone_are_an_error(run: Train, picture: Callable[..., Shot]) -> None:
    with pytest.raises(ValueError, match="no image to train on"):
        run(who=Character("Ada", "zqx", "person", picture(0, include=False)))


@pytest.mark.parametrize("name", ["", "../elsewhere", "a/b", "/tmp/x", "."])
def test_a_run_name_stays_in_the_folder(run: Train, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        run(name=name)
