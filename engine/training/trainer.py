"""One run: takes its steps, saves on the way, and looks at what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.character import Character
from ..families.table import family_of
from .data.pictures import Sample, WeightedBatches
from .files.existing import start_from, with_layers_of
from .files.folder import NotSaved, Opened
from .files.names import lora_names
from .files.record import Record
from .files.state import Weights, restore
from .lessening import Lessening
from .model.lora import TEXT_ENCODERS
from .model.session import Session
from .model.targets import target_modules
from .model.text_encoder import TextEncoder, text_targets
from .objective.divergence import DivergenceGuard
from .objective.step import Step, TrainingDiverged
from .progress.best import plateau
from .progress.events import OnEvent
from .progress.measuring import Measuring
from .run_record import Measure, TrainingRun
from .settings import TrainingSettings


class LossRose(TrainingDiverged):
    """The loss is far above what it was, and so are the weights: they are not worth keeping."""


class Trainer:
    """Takes the steps of one run, from where it was left to its end.

    modules: the names of the layers that are adapted.
    """

    def __init__(
        self,
        model: Any,
        character: Character,
        settings: TrainingSettings,
        opened: Opened,
        start: Path | None = None,
        clip: Any = None,
    ) -> None:
        """``start``: a LoRA file to go on from. ``clip``: to be trained too, None for not."""
        self._model = model
        self._settings = settings
        self._start = start
        self._clip = clip
        self._encoder = None if clip is None else clip.cond_stage_model
        modules = target_modules(
            model.model.diffusion_model,
            settings.targets,
            settings.target_pattern,
            family_of(model).layers,
        )
        if clip is not None:
            modules += text_targets(clip, model.model, settings.targets)
        if start is not None:
            modules = with_layers_of(start, model.model, modules, self._encoder)
        self.modules = modules
        names = lora_names(model.model, modules, self._encoder)
        self._record = Record(model.model, character, settings, opened, names)
        self._told: list[str] = []

    def record(self) -> TrainingRun:
        """The run as it flows on and as ``run.json`` keeps it."""
        return self._record.run()

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

        record = self._record
        notes: list[str] = []
        batches = WeightedBatches(samples)
        guard = DivergenceGuard()
        for loss in record.progress.losses:
            guard.diverged(loss)
        with self._session(samples) as session:
            if self._start is not None and not record.step:
                start_from(self._start, self._model.model, session.adapters, self._encoder)
            weights = Weights.starting(session.adapters, self._settings)
            if record.step:
                restore(record.folder, weights)
            step = Step(
                self._model,
                self._settings,
                samples,
                prompts,
                session.options,
                session.text_encoder,
            )
            lessening = Lessening(step, session, weights)
            lessening.check_forward()
            started = time.monotonic()
            try:
                if record.step:
                    self._settle(measuring, step, session, weights)
                while not record.over:
                    throw_exception_if_processing_interrupted()
                    loss = lessening.take(record.step, batches)
                    self._told += lessening.told()
                    record.add_loss(loss)
                    if guard.diverged(loss):
                        raise LossRose(self._loss_rose())
                    if stop_requested():
                        asked = f"after step {record.step} of {self._settings.steps}"
                        record.ended = f"stopped on request {asked}."
                    self._settle(measuring, step, session, weights)
                    notes += self._told
                    if on_event is not None:
                        on_event(record.event(time.monotonic() - started, " ".join(self._told)))
                    self._told = []
            except (NotSaved, LossRose):
                raise
            except BaseException:
                # Out of memory, a lost loss, the user's stop: the last whole step is still good.
                if record.step > record.saved:
                    record.save(weights)
                raise
        record.finished = True
        record.write()
        return [*notes, f"The run was {record.ended}"] if record.ended else notes

    def _session(self, samples: list[Sample]) -> Session:
        in_text = [one for one in self.modules if one.startswith(TEXT_ENCODERS)]
        in_model = [one for one in self.modules if not one.startswith(TEXT_ENCODERS)]
        encoder = None
        if self._clip is not None:
            encoder = TextEncoder(self._clip, self._settings, tuple(in_text))
        return Session(self._model, tuple(in_model), self._settings, samples, encoder)

    def _settle(self, measuring: Measuring, step: Step, session: Session, weights: Weights) -> None:
        """Saves and measures what is due after the present step, and is not done yet."""
        record = self._record
        last = record.over
        if last or measuring.checkpoint_due(record.step):
            if record.step > record.saved:
                record.save(weights)
            elif not record.checkpoint_path(record.step).is_file():
                # Stopped between the state and its LoRA.
                record.save_lora(weights)
        known = record.measured()
        if not measuring.lacks(known, last):
            return
        if known.validation is None and (last or measuring.validation_due(record.step)):
            known = replace(known, validation=measuring.validate(step, weights))
        if measuring.sampler is not None and (last or measuring.samples_due(record.step)):
            known = self._pictured(known, measuring, session, weights)
        record.add_measure(known)
        patience = self._settings.patience
        if not last and plateau(record.measures, patience):
            record.ended = (
                f"stopped after step {record.step} of {self._settings.steps}: {patience} "
                "checkpoints in a row were no better than the best before them."
            )
            # Now all is due that an end asks for.
            self._settle(measuring, step, session, weights)
        record.write()

    def _pictured(
        self, known: Measure, measuring: Measuring, session: Session, weights: Weights
    ) -> Measure:
        """``known`` with sample pictures; without them where memory is too short for them."""
        from comfy.model_management import is_oom, soft_empty_cache

        try:
            with self._record.writing():
                folder = self._record.folder
                name, identity = measuring.picture(known.step, session, weights, folder)
            return replace(known, sample=name, identity=identity)
        except Exception as error:
            if not is_oom(error):
                raise
        # Out of the except clause: the error holds on to every tensor of the sampling.
        measuring.sampler = None
        soft_empty_cache()
        self._told.append("There is not enough memory for sample pictures; none are made.")
        return known

    def _loss_rose(self) -> str:
        saved = self._record.saved
        return (
            f"The loss has risen far above where it began and stays there at step "
            f"{self._record.step}; {f'the LoRA of step {saved}' if saved else 'nothing'} is kept. "
            f"Use a lower learning_rate than {self._settings.learning_rate:g}."
        )
