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

from facet.engine.character import Character, Shot
from facet.engine.run import load_run
from facet.engine.training.divergence import DivergenceGuard
from facet.engine.training.events import OnEvent, TrainingEvent
from facet.engine.training.folder import NotSaved
from facet.engine.training.formats import read_lora
from facet.engine.training.loop import Extras, Trained, train
from facet.engine.training.settings import TrainingSettings
from facet.engine.training.step import Step, TrainingDiverged
from facet.engine.training.tensors import read_tensors
from facet.engine.training.validation import held_out
from harness.small_models import SmallModels

SETTINGS = TrainingSettings(
    steps=6, rank=4, learning_rate=1e-2, batch_size=2, checkpoint_every=3, seed=3, precision="fp32"
)

Train = Callable[..., Trained]


@pytest.fixture
def run(models: SmallModels, character: Character, tmp_path: Path) -> Train:
    """Trains as ComfyUI would, inside inference mode."""

    def start(
        settings: TrainingSettings = SETTINGS,
        folder: str = "a",
        who: Character = character,
        on_event: Any = None,
        name: str = "run",
        model: Any = models.model,
        extras: Extras | None = None,
    ) -> Trained:
        with torch.inference_mode():
            return train(
                model,
                models.clip,
                models.vae,
                who,
                settings,
                tmp_path / folder,
                name,
                tmp_path / folder / "loras",
                on_event,
                extras,
            )

    return start


def interrupt_after(step: int) -> OnEvent:
    def on_event(event: TrainingEvent) -> None:
        if event.step == step:
            comfy.model_management.interrupt_current_processing()

    return on_event


def same(one: Path, other: Path) -> bool:
    a, b = read_lora(one), read_lora(other)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


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
    assert "goes on from step" in parts.note


def test_a_cancel_keeps_the_lora_so_far(run: Train, tmp_path: Path) -> None:
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(on_event=interrupt_after(4))
    kept = load_run(tmp_path / "a" / "run")
    assert [point.step for point in kept.checkpoints] == [3, 4]
    assert len(kept.losses) == 4
    assert read_lora(kept.checkpoints[-1].path)
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
    lora = read_lora(trained.lora)
    patched, _ = comfy.sd.load_lora_for_models(models.model, None, lora, 1.0, 0.0)
    assert len(patched.patches) == len(lora) / 3
    difference = (prediction(patched) - prediction(models.model)).abs().max()
    assert float(difference) > 0.01


def test_a_lost_loss_ends_in_a_sentence_and_a_good_lora(
    run: Train, models: SmallModels, tmp_path: Path
) -> None:
    weight = models.model.model.diffusion_model.final_layer.linear.weight
    kept_weight = weight.clone()

    def break_the_model(event: TrainingEvent) -> None:
        with torch.inference_mode():
            weight.fill_(float("nan") if event.step == 4 else 0).add_(kept_weight)

    try:
        with pytest.raises(TrainingDiverged, match=r"not a number at step 5.*learning_rate"):
            run(on_event=break_the_model)
    finally:
        with torch.inference_mode():
            weight.copy_(kept_weight)
    kept = load_run(tmp_path / "a" / "run")
    assert [point.step for point in kept.checkpoints] == [3, 4]
    assert all(
        bool(value.isfinite().all()) for value in read_lora(kept.checkpoints[-1].path).values()
    )


def test_a_loss_that_rises_and_stays_ends_at_the_last_good_checkpoint(
    run: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(DivergenceGuard, "diverged", lambda _, loss: loss > 100)
    take = Step.take

    def raised(step: Step, number: int, batches: Any, weights: Any) -> float:
        return take(step, number, batches, weights) * (1e6 if number == 4 else 1)

    monkeypatch.setattr(Step, "take", raised)
    with pytest.raises(TrainingDiverged, match=r"stays there at step 5; the LoRA of step 3 is"):
        run()
    assert [point.step for point in load_run(tmp_path / "a" / "run").checkpoints] == [3]


def test_a_full_disk_leaves_the_checkpoint_before_it(run: Train, tmp_path: Path) -> None:
    """The system itself refuses: no file may grow beyond a few bytes once step 3 is saved."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(event: TrainingEvent) -> None:
        if event.step == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))

    try:
        with pytest.raises(NotSaved, match=r"Step 6 could not .*up to step 3 is kept\. Free space"):
            run(on_event=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [point.step for point in load_run(tmp_path / "a" / "run").checkpoints] == [3]
    assert not list(tmp_path.rglob("*.part"))
    resumed = run()
    assert "goes on from step 3" in resumed.note
    assert same(resumed.lora, run(folder="whole").lora)


def test_an_output_folder_that_cannot_be_written_to_is_said_before_any_work(
    run: Train, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("a file where the folder should be")
    with pytest.raises(NotSaved, match=r"Nothing can be written to .*; free space or change"):
        run(on_event=lambda _: pytest.fail("trained"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_stop_ends_the_run_early_as_finished(run: Train) -> None:
    asked = iter([False, True])
    events: list[TrainingEvent] = []
    stopped = run(on_event=events.append, extras=Extras(stop_requested=lambda: next(asked)))
    assert [event.step for event in events] == [1, 2]
    assert events[-1].eta == 0
    assert [point.step for point in stopped.run.checkpoints] == [2]
    assert stopped.run.ended == "stopped on request after step 2 of 6."
    assert stopped.run.ended in stopped.note
    again = run(on_event=lambda _: pytest.fail("trained again"))
    assert again.run == stopped.run and again.lora == stopped.lora
    # Who asks for more than was asked for then gets it, as if it had never been stopped.
    longer = run(replace(SETTINGS, steps=8))
    assert longer.run.ended == ""
    whole = run(replace(SETTINGS, steps=8), "whole")
    assert len(longer.run.losses) == len(whole.run.losses) == 8


def test_a_lora_is_gone_on_from(run: Train) -> None:
    start = run().lora
    still = replace(SETTINGS, steps=1, learning_rate=1e-9, weight_decay=0.0)
    values, before = read_lora(run(still, "b", extras=Extras(start=start)).lora), read_lora(start)
    assert values.keys() == before.keys()
    assert all(torch.allclose(values[key], before[key], atol=1e-7) for key in before)
    # Where it starts from is part of what the run is.
    other = run(replace(SETTINGS, seed=9), "c").lora
    assert run(still, "b", extras=Extras(start=other)).run.name == "run_2"


def test_held_out_pictures_are_validated_with_and_never_trained_on(
    run: Train, character: Character
) -> None:
    settings = replace(SETTINGS, validation_shots=2, validate_every=2)
    events: list[TrainingEvent] = []
    trained = run(settings, on_event=events.append)
    validated = [event.step for event in events if event.validation is not None]
    assert validated == [2, 3, 4, 6]
    assert [measure.step for measure in trained.run.measures] == validated
    best = min(trained.run.checkpoints, key=lambda point: point.validation or 0)
    assert [point.step for point in trained.run.checkpoints if point.best] == [best.step]
    assert "lowest validation loss" in trained.run.choice
    metadata = read_tensors(trained.lora)[1]
    assert metadata["facet.validation"] == repr(best.validation)
    assert metadata["facet.step"] == str(best.step)
    # The pictures that are held out decide nothing: other ones give the same weights.
    _, unseen = held_out(character.dataset, 2, settings.seed)
    kept = [shot for shot in character.dataset if shot not in unseen]
    alone = replace(character, source=kept[0], shots=tuple(kept[1:]))
    assert run(replace(settings, validation_shots=0), "b", who=alone).run.losses == (
        trained.run.losses
    )


def test_validation_is_the_same_after_a_stop(run: Train) -> None:
    settings = replace(SETTINGS, validation_shots=1)
    whole = run(settings, folder="whole")
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(settings, folder="parts", on_event=interrupt_after(4))
    parts = run(settings, folder="parts")
    assert parts.run.measures == whole.run.measures
    assert parts.lora.read_bytes() == whole.lora.read_bytes()


def test_no_better_checkpoint_for_so_long_ends_the_run(
    run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([0.5, 0.3, 0.4, 0.35, 0.1])
    monkeypatch.setattr(Step, "validation_loss", lambda *_: next(losses))
    settings = replace(SETTINGS, steps=9, checkpoint_every=1, validation_shots=1, patience=2)
    trained = run(settings)
    assert [point.step for point in trained.run.checkpoints] == [1, 2, 3, 4]
    assert trained.run.best.step == 2
    assert "2 checkpoints in a row were no better" in trained.note
    assert read_tensors(trained.lora)[1]["facet.step"] == "2"


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
    with pytest.raises(ValueError, match="no picture to train on"):
        run(who=Character("Ada", "zqx", "person", picture(0, include=False)))


@pytest.mark.parametrize("name", ["", "../elsewhere", "a/b", "/tmp/x", "."])
def test_a_run_name_stays_in_the_folder(run: Train, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        run(name=name)
