"""How a run ends other than by its last step, and what is left of it then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_base
import comfy.model_management
import pytest
import torch

from facet.engine.comfyui.lora import read_weights
from facet.engine.comfyui.models import Models
from facet.engine.core.character import Character
from facet.engine.store.tensors import read_tensors
from facet.engine.training import run as training_run
from facet.engine.training.data.encoded import held_out
from facet.engine.training.files.folder import NotSaved
from facet.engine.training.objective.divergence import DivergenceGuard, TrainingDiverged
from facet.engine.training.objective.draws import Batch
from facet.engine.training.objective.step import Step
from facet.engine.training.progress.events import Ask, TrainingEvent
from facet.engine.training.run import Extras
from facet.engine.training.run_record import load_run
from harness.small_models import SmallModels, small_unet
from harness.studios import studio_of
from harness.trainings import SETTINGS, Train, interrupt_after, same


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
        bool(value.isfinite().all()) for value in read_weights(kept.checkpoints[-1].path).values()
    )


def test_a_step_without_a_loss_is_drawn_anew_and_the_run_goes_on(
    run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one draw in half precision it may be no number; the same when the run is taken up."""
    backward, calls = Step.backward, [0]

    def failing(step: Step, batch: Batch) -> float:
        calls[0] += 1
        loss = backward(step, batch)
        return float("nan") if calls[0] in (3, 4) else loss

    monkeypatch.setattr(Step, "backward", failing)
    whole = run(replace(SETTINGS, steps=4), "a")
    assert "The loss of step 3 was not a number; it was drawn anew." in whole.note
    assert calls[0] == 6 and len(whole.run.losses) == 4
    calls[0] = 0
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(replace(SETTINGS, steps=4), "b", on_event=interrupt_after(3))
    calls[0] = 100
    resumed = run(replace(SETTINGS, steps=4), "b")
    assert resumed.run.losses == whole.run.losses
    assert same(resumed.lora, whole.lora)


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
    assert "resumes from step 3" in resumed.note
    assert same(resumed.lora, run(folder="whole").lora)


def test_an_output_folder_that_cannot_be_written_to_is_said_before_any_work(
    run: Train, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("a file where the folder should be")
    with pytest.raises(NotSaved, match=r"Nothing can be written to .*; free space or change"):
        run(on_event=lambda _: pytest.fail("trained"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_checkpoint_and_samples_come_when_they_are_asked_for_and_change_nothing(
    run: Train,
) -> None:
    """Of a run that makes no samples of its own, and saves at other steps."""
    plain = run(folder="plain")
    events: list[TrainingEvent] = []
    asked = {Ask.SAVE: iter([True]), Ask.SAMPLE: iter([False, True]), Ask.STOP: iter([])}
    extras = Extras(asked=lambda what: next(asked[what], False))
    made = run(on_event=events.append, extras=extras)
    assert "Step 1 is saved in run." in events[0].note
    saved = [point.step for point in made.run.checkpoints]
    assert saved == [1, *(point.step for point in plain.run.checkpoints)]
    sample = events[1].sample
    assert sample is not None and sample.is_file() and sample.stem == "step_000002"
    assert [event.sample for event in events].count(None) == len(events) - 1
    assert same(made.lora, plain.lora) and made.run.losses == plain.run.losses


def test_samples_that_cannot_be_made_are_said_and_the_run_goes_on(
    run: Train, models: SmallModels
) -> None:
    with torch.inference_mode():
        unet = small_unet(comfy.model_base.ModelType.EPS)
        other = studio_of(Models(unet, models.clip, models.vae), steps=1)
    extras = Extras(samples=other, asked=lambda what: what is Ask.SAMPLE)
    made = run(extras=extras)
    assert "does not fit" in made.note and len(made.run.losses) == SETTINGS.steps


def test_a_stop_ends_the_run_early_as_finished(run: Train) -> None:
    asked = iter([False, True])
    events: list[TrainingEvent] = []
    extras = Extras(asked=lambda what: what is Ask.STOP and next(asked))
    stopped = run(on_event=events.append, extras=extras)
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


def test_a_crash_costs_no_more_than_the_time_between_two_states(
    run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, checkpoint_every=0)
    whole = run(settings, "whole")
    monkeypatch.setattr(training_run, "SECONDS_BETWEEN_STATES", 0.0)

    def crash(event: TrainingEvent) -> None:
        if event.step == 2:
            raise NotSaved("as after a crash, nothing more is written")

    with pytest.raises(NotSaved):
        run(settings, "parts", on_event=crash)
    steps: list[int] = []
    parts = run(settings, "parts", on_event=lambda event: steps.append(event.step))
    assert steps == [3, 4, 5, 6] and parts.run.name == whole.run.name
    assert same(parts.lora, whole.lora)
    assert [point.step for point in parts.run.checkpoints] == [6]
