"""What a run has come to, and its files: state, checkpoints, samples' measures and ``run.json``."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.character import Character
from ...store.tensors import kohya_hashes, write_tensors
from ..model.weights import Weights
from ..objective.optimizers import learning_rate_at
from ..progress.best import choose
from ..progress.events import TrainingEvent
from ..run_record import Checkpoint, Measure, TrainingRun
from ..settings import TrainingSettings
from .folder import NotSaved, RunFolder
from .formats import lora_metadata, lora_state_dict
from .names import LoraName
from .state import RunProgress, save_state

_LOSSES_OF_A_CHECKPOINT = 50
_SMOOTHING, _SMOOTHED = 0.95, 100


class Record:
    """A run's course, and the only place that writes into its folder.

    saved: the last step whose state is on disk, and saved_at when that was written. ended: why the
    run ends before its last step, '' while it does not. finished: whether nothing is left to do.
    memory: how the device's memory is used, in a sentence.
    """

    def __init__(
        self,
        model: Any,
        character: Character,
        settings: TrainingSettings,
        opened: RunFolder,
        names: Mapping[str, LoraName],
        sampled: str = "",
    ) -> None:
        """``model`` is a BaseModel; ``names`` are its layers' names in a LoRA file.

        sampled: what tells how samples are made from any other way.
        """
        before = opened.before
        self._model = model
        self._character = character
        self._settings = settings
        self._names, self._sampled = names, sampled or (before.sampled if before else "")
        self.folder = opened.folder
        self.progress: RunProgress = opened.progress
        self.saved = self._first = opened.progress.step
        self.saved_at = time.monotonic()
        self.ended, self.finished = opened.ended, opened.finished
        self.memory = before.memory if before else ""
        self._measures: dict[int, Measure] = {}
        if before is not None:
            same = before.sampled == self._sampled
            for one in before.measures:
                if not same:
                    # OriginalSimilarity of pictures that are made otherwise cannot be compared.
                    one = replace(one, identity=None, sample="")
                if one.step <= self.saved:
                    self._measures[one.step] = one

    @property
    def step(self) -> int:
        return self.progress.step

    @property
    def over(self) -> bool:
        """Whether no step is left to take."""
        return bool(self.ended) or self.step >= self._settings.steps

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All that was measured, in order."""
        return tuple(one for _, one in sorted(self._measures.items()))

    def measured(self) -> Measure:
        """What was measured after the present step."""
        return self._measures.get(self.step, Measure(self.step))

    def add_loss(self, loss: float) -> None:
        self.progress = replace(self.progress, losses=(*self.progress.losses, loss))

    def add_measure(self, measure: Measure) -> None:
        self._measures[measure.step] = measure

    def run(self) -> TrainingRun:
        """The run as it flows on and as ``run.json`` keeps it."""
        losses = self.progress.losses
        points = []
        for step in range(1, len(losses) + 1):
            path = self.checkpoint_path(step)
            if path.is_file():
                recent = losses[max(0, step - _LOSSES_OF_A_CHECKPOINT) : step]
                measure = self._measures.get(step, Measure(step))
                mean = math.fsum(recent) / len(recent)
                points.append(Checkpoint(step, path, mean, measure.validation, measure.identity))
        why = ""
        if points:
            choice = choose(self.measures, [point.step for point in points])
            points = [replace(point, best=point.step == choice.step) for point in points]
            why = choice.why
        return TrainingRun(
            character_name=self._character.name,
            character_hash=self._character.hash,
            trigger=self._character.trigger,
            companions=self._character.companions,
            class_word=self._character.class_word,
            folder=self.folder,
            settings=self._settings.record(),
            checkpoints=tuple(points),
            losses=losses,
            measures=self.measures,
            choice=why,
            finished=self.finished,
            ended=self.ended,
            sampled=self._sampled,
            memory=self.memory,
        )

    def event(self, seconds: float, note: str) -> TrainingEvent:
        """The present step as it is told of, ``seconds`` after this start of the run."""
        losses, steps = self.progress.losses, self._settings.steps
        recent = losses[-_SMOOTHED:]
        smoothed = recent[0]
        for loss in recent[1:]:
            smoothed = _SMOOTHING * smoothed + (1 - _SMOOTHING) * loss
        measure = self.measured()
        left = 0 if self.ended else steps - self.step
        return TrainingEvent(
            step=self.step,
            steps=steps,
            loss=losses[-1],
            smoothed=smoothed,
            learning_rate=learning_rate_at(self._settings, self.step - 1),
            seconds=seconds,
            eta=seconds / (self.step - self._first) * left,
            validation=measure.validation,
            identity=measure.identity,
            sample=self.folder / measure.sample if measure.sample else None,
            note=note,
            folder=self.folder,
        )

    def checkpoint_path(self, step: int) -> Path:
        """Where the LoRA of a step is, or would be."""
        return self.folder / f"{self.folder.name}_{step:06d}.safetensors"

    def save(self, weights: Weights) -> None:
        """Writes the state to go on from, and the LoRA so far. Raises NotSaved."""
        # The state first: a LoRA that lacks can be written from it, but not the other way.
        self.save_state(weights)
        if not self.checkpoint_path(self.step).is_file():
            self._save_lora(weights)
            self.write()

    def save_state(self, weights: Weights) -> None:
        """Writes the state to go on from, unless it is on the disk. Raises NotSaved."""
        if self.step > self.saved:
            with self.writing():
                save_state(self.folder, weights, self.progress)
            self.saved, self.saved_at = self.step, time.monotonic()

    def _save_lora(self, weights: Weights) -> None:
        state = lora_state_dict(weights.file_tensors(), self._names)
        metadata = lora_metadata(
            self._model,
            self._character,
            self._settings,
            self.folder.name,
            self.step,
            self.progress.fingerprint,
        )
        with self.writing():
            hashes = kohya_hashes(state, metadata)
            write_tensors(self.checkpoint_path(self.step), state, metadata | hashes)

    def write(self) -> None:
        """Writes ``run.json``. Raises NotSaved."""
        with self.writing():
            self.run().save()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Raises NotSaved, which says what is kept, when the disk refuses."""
        try:
            yield
        except OSError as error:
            kept = f"what was done up to step {self.saved} is kept"
            raise NotSaved(
                f"Step {self.step} could not be saved in {self.folder} "
                f"({error.strerror or error}); {kept if self.saved else 'nothing is kept yet'}. "
                "Free space there and run again to resume."
            ) from error
