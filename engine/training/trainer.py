"""One run in its folder: takes its steps, saves on the way, and looks at what comes of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..character import Character
from ..run import Checkpoint, Measure, TrainingRun
from .best import choose, plateau
from .divergence import DivergenceGuard
from .events import OnEvent, TrainingEvent
from .existing import start_from, with_layers_of
from .folder import NotSaved, Opened
from .formats import lora_metadata, lora_names, lora_state_dict
from .lessening import Lessening
from .measuring import Measuring
from .pictures import Sample, WeightedBatches
from .session import Session
from .settings import TrainingSettings
from .state import Weights, restore, save_state
from .step import Step, TrainingDiverged
from .targets import target_modules
from .tensors import write_tensors

_LOSSES_OF_A_CHECKPOINT = 50
_SMOOTHING = 0.95


class LossRose(TrainingDiverged):
    """The loss is far above what it was, and so are the weights: they are not worth keeping."""


class Trainer:
    """One run: draws batches, takes steps, saves."""

    def __init__(
        self,
        model: Any,
        character: Character,
        settings: TrainingSettings,
        opened: Opened,
        start: Path | None = None,
    ) -> None:
        self._model = model
        self._character = character
        self._settings = settings
        self._folder = opened.folder
        self._progress = opened.progress
        self._targets = target_modules(
            model.model.diffusion_model, settings.targets, settings.target_pattern
        )
        self._start = start
        if start is not None:
            self._targets = with_layers_of(start, model.model, self._targets)
        self._names = lora_names(model.model, self._targets)
        self._saved = self._first = opened.progress.step
        self._ended, self._finished = opened.ended, opened.finished
        self._measures: dict[int, Measure] = {}
        if opened.before is not None:
            prompts = opened.before.settings.get("sample_prompts", "")
            for one in opened.before.measures:
                if prompts != settings.sample_prompts:
                    # Likeness on other prompts cannot be compared.
                    one = replace(one, identity=None, sample="")
                if one.step <= self._saved:
                    self._measures[one.step] = one
        self._notes: list[str] = []

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the layers that are adapted."""
        return self._targets

    def run(
        self,
        samples: list[Sample],
        prompts: Mapping[str, dict[str, Any]],
        measuring: Measuring,
        on_event: OnEvent | None,
        stop_requested: Callable[[], bool],
    ) -> list[str]:
        """Takes the steps that are left; saves on the way, at the end, and when it is stopped.

        Returns sentences about what happened on the way.
        """
        from comfy.model_management import throw_exception_if_processing_interrupted

        notes: list[str] = []
        batches = WeightedBatches(samples)
        guard = DivergenceGuard()
        for loss in self._progress.losses:
            guard.diverged(loss)
        with Session(self._model, self._targets, self._settings, samples) as session:
            if self._start is not None and not self._progress.step:
                start_from(self._start, self._model.model, session.adapters)
            weights = Weights.starting(session.adapters, self._settings)
            if self._progress.step:
                restore(self._folder, weights)
            step = Step(self._model, self._settings, samples, prompts, session.options)
            lessening = Lessening(step, session, weights)
            lessening.check_forward()
            started = time.monotonic()
            try:
                if self._progress.step:
                    self._settle(measuring, step, session, weights)
                while not self._is_over():
                    throw_exception_if_processing_interrupted()
                    loss = lessening.take(self._progress.step, batches)
                    self._notes += lessening.told()
                    self._progress = replace(self._progress, losses=(*self._progress.losses, loss))
                    if guard.diverged(loss):
                        raise LossRose(self._loss_rose())
                    if stop_requested():
                        at, steps = self._progress.step, self._settings.steps
                        self._ended = f"stopped on request after step {at} of {steps}."
                    self._settle(measuring, step, session, weights)
                    notes += self._notes
                    if on_event is not None:
                        on_event(self._event(time.monotonic() - started))
                    self._notes = []
            except (NotSaved, LossRose):
                raise
            except BaseException:
                # Out of memory, a lost loss, the user's stop: the last whole step is still good.
                if self._progress.step > self._saved:
                    self._save(weights)
                raise
        self._finished = True
        self._write_record()
        if self._ended:
            notes.append(f"The run was {self._ended}")
        return notes

    def record(self) -> TrainingRun:
        """The run as it flows on and as ``run.json`` keeps it."""
        losses = self._progress.losses
        points = []
        for step in range(1, len(losses) + 1):
            path = self._checkpoint_path(step)
            if path.is_file():
                recent = losses[max(0, step - _LOSSES_OF_A_CHECKPOINT) : step]
                measure = self._measures.get(step, Measure(step))
                points.append(
                    Checkpoint(
                        step,
                        path,
                        math.fsum(recent) / len(recent),
                        measure.validation,
                        measure.identity,
                    )
                )
        measures = tuple(one for _, one in sorted(self._measures.items()))
        why = ""
        if points:
            choice = choose(measures, [point.step for point in points])
            points = [replace(point, best=point.step == choice.step) for point in points]
            why = choice.why
        return TrainingRun(
            character_name=self._character.name,
            character_hash=self._character.hash,
            trigger=self._character.trigger,
            class_word=self._character.class_word,
            folder=self._folder,
            settings=self._settings.record(),
            checkpoints=tuple(points),
            losses=losses,
            measures=measures,
            choice=why,
            finished=self._finished,
            ended=self._ended,
        )

    def _is_over(self) -> bool:
        return bool(self._ended) or self._progress.step >= self._settings.steps

    def _settle(self, measuring: Measuring, step: Step, session: Session, weights: Weights) -> None:
        """Saves and measures what is due after the present step, and is not done yet."""
        number = self._progress.step
        last = self._is_over()
        if last or measuring.checkpoint_due(number):
            if number > self._saved:
                self._save(weights)
            elif not self._checkpoint_path(number).is_file():
                # Stopped between the state and its LoRA.
                self._save_lora(weights)
        known = self._measures.get(number, Measure(number))
        if not measuring.lacks(known, last):
            return
        if known.validation is None and (last or measuring.validation_due(number)):
            known = replace(known, validation=measuring.validate(step, weights))
        if measuring.sampler is not None and (last or measuring.samples_due(number)):
            known = self._pictured(known, measuring, session, weights)
        self._measures[number] = known
        measured = [one for _, one in sorted(self._measures.items())]
        if not self._is_over() and plateau(measured, self._settings.patience):
            self._ended = (
                f"stopped after step {number} of {self._settings.steps}: {self._settings.patience} "
                "checkpoints in a row were no better than the best before them."
            )
            self._settle(measuring, step, session, weights)
        self._write_record()

    def _pictured(
        self, known: Measure, measuring: Measuring, session: Session, weights: Weights
    ) -> Measure:
        from comfy.model_management import is_oom, soft_empty_cache

        try:
            name, identity = measuring.picture(known.step, session, weights, self._folder)
        except OSError as error:
            raise self._not_saved(error) from error
        except Exception as error:
            if not is_oom(error):
                raise
        else:
            return replace(known, sample=name, identity=identity)
        measuring.sampler = None
        soft_empty_cache()
        self._notes.append("There is not enough memory for sample pictures; none are made.")
        return known

    def _event(self, seconds: float) -> TrainingEvent:
        losses, steps = self._progress.losses, self._settings.steps
        step = len(losses)
        smoothed = losses[max(0, step - 100)]
        for loss in losses[max(0, step - 100) + 1 :]:
            smoothed = _SMOOTHING * smoothed + (1 - _SMOOTHING) * loss
        measure = self._measures.get(step, Measure(step))
        return TrainingEvent(
            step=step,
            steps=steps,
            loss=losses[-1],
            smoothed=smoothed,
            learning_rate=self._settings.learning_rate_at(step - 1),
            seconds=seconds,
            eta=0.0 if self._ended else seconds / (step - self._first) * (steps - step),
            validation=measure.validation,
            identity=measure.identity,
            sample=self._folder / measure.sample if measure.sample else None,
            note=" ".join(self._notes),
            folder=self._folder,
        )

    def _checkpoint_path(self, step: int) -> Path:
        return self._folder / f"{self._folder.name}_{step:06d}.safetensors"

    def _save(self, weights: Weights) -> None:
        """The state to go on from, and the LoRA so far."""
        try:
            # The state first: a LoRA that lacks can be written from it, but not the other way.
            save_state(self._folder, weights, self._progress)
            self._saved = self._progress.step
            self._save_lora(weights)
        except OSError as error:
            raise self._not_saved(error) from error
        self._write_record()

    def _save_lora(self, weights: Weights) -> None:
        step = self._progress.step
        state = lora_state_dict(weights.file_tensors(), self._names)
        metadata = lora_metadata(
            self._model.model, self._character, self._settings, self._folder.name, step
        )
        write_tensors(self._checkpoint_path(step), state, metadata)

    def _write_record(self) -> None:
        try:
            self.record().save()
        except OSError as error:
            raise self._not_saved(error) from error

    def _not_saved(self, error: OSError) -> NotSaved:
        kept = f"what was done up to step {self._saved} is kept" if self._saved else "nothing is"
        return NotSaved(
            f"Step {self._progress.step} could not be saved in {self._folder} "
            f"({error.strerror or error}); {kept}. Free space there and run again to go on."
        )

    def _loss_rose(self) -> str:
        kept = f"the LoRA of step {self._saved} is kept" if self._saved else "nothing is kept"
        return (
            f"The loss has risen far above where it began and stays there at step "
            f"{self._progress.step}; {kept}. Use a lower learning_rate than "
            f"{self._settings.learning_rate:g}."
        )
