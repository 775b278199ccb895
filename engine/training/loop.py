"""From a character and settings to a trained LoRA, step by step."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..character import Character
from ..files import write_atomic
from ..run import Checkpoint, TrainingRun
from ..sampling import model_fingerprint
from .checkpoint import checkpointed
from .data import encode_data
from .events import OnEvent, TrainingEvent
from .exact import exact_gradients
from .formats import check_lora, lora_metadata, lora_names, lora_state_dict
from .lora import adapters, target_modules, transformer_blocks
from .memory import choose_precision, loaded
from .pictures import Sample, WeightedBatches
from .settings import TrainingSettings
from .state import Opened, Weights, open_run, restore, save_state
from .step import Step
from .tensors import write_tensors

_LOSSES_OF_A_CHECKPOINT = 50
_SMOOTHING = 0.95


def _go_on() -> bool:
    return False


@dataclass(frozen=True)
class Trained:
    """A finished run, the LoRA to use, and a sentence if something about it may surprise."""

    run: TrainingRun
    lora: Path
    note: str = ""


def train(
    model: Any,
    clip: Any,
    vae: Any,
    character: Character,
    settings: TrainingSettings,
    training: Path,
    name: str,
    lora: Path,
    on_event: OnEvent | None = None,
    stop_requested: Callable[[], bool] = _go_on,
) -> Trained:
    """Trains a LoRA of ``character`` in ``model`` and leaves the model as it was.

    ``training`` is the folder that runs have theirs in, and ``name`` the run's; the finished LoRA
    is written to the folder ``lora`` as well. ``stop_requested`` is asked after each step; at True
    the run ends early, as finished. An interrupt saves what is done and is raised
    again; the same call then goes on from there, to the same result bit for bit on a CPU.
    Raises ValueError for what cannot be trained, TrainingDiverged when the loss is lost, and
    UnusableLora when the saved file does not load.
    """
    shots = [shot for shot in character.dataset if shot.weight != 0]
    if not shots:
        raise ValueError(f"{character.name} has no picture to train on; include at least one.")
    settings = settings.for_pictures(len(shots))
    fingerprint = settings.fingerprint(character.hash, model_fingerprint(model))
    opened = open_run(training, name, fingerprint, settings.steps)
    trainer = Trainer(model, character, settings, opened)
    if opened.progress.step < settings.steps:
        data = encode_data(model, clip, vae, character, shots, settings, training.parent)
        with torch.inference_mode(False):
            trainer.run(data.samples, data.prompts, on_event, stop_requested)
    run = trainer.record()
    path = lora / f"{character.folder_name}_{run.name}.safetensors"
    write_atomic(path, run.checkpoints[-1].path.read_bytes())
    check_lora(path, model.model, trainer.modules)
    return Trained(run, path, opened.note)


class Trainer:
    """One run in its folder: draws batches, takes steps, saves."""

    def __init__(
        self, model: Any, character: Character, settings: TrainingSettings, opened: Opened
    ) -> None:
        self._model = model
        self._character = character
        self._settings = settings
        self._folder = opened.folder
        self._progress = opened.progress
        self._targets = target_modules(model.model.diffusion_model)
        self._names = lora_names(model.model, self._targets)
        self._saved = self._first = opened.progress.step

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the layers that are adapted."""
        return self._targets

    def run(
        self,
        samples: list[Sample],
        prompts: dict[str, dict[str, Any]],
        on_event: OnEvent | None = None,
        stop_requested: Callable[[], bool] = _go_on,
    ) -> None:
        """Takes the steps that are left; saves on the way, at the end, and when it is stopped."""
        from comfy.model_management import throw_exception_if_processing_interrupted

        batches = WeightedBatches(samples)
        with self._prepared(samples) as (weights, options):
            if self._progress.step:
                restore(self._folder, weights)
            step = Step(self._model, self._settings, samples, prompts, options)
            step.check_forward()
            started = time.monotonic()
            self._first = self._progress.step
            try:
                while self._progress.step < self._settings.steps:
                    throw_exception_if_processing_interrupted()
                    loss = step.take(self._progress.step, batches, weights)
                    self._progress = replace(self._progress, losses=(*self._progress.losses, loss))
                    if self._settings.checkpoint_due(self._progress.step):
                        self._save(weights)
                    if on_event is not None:
                        on_event(self._event(time.monotonic() - started))
                    if stop_requested():
                        break
            except BaseException:
                # Out of memory, a lost loss, the user's stop: the last whole step is still good.
                if self._progress.step > self._saved:
                    self._save(weights)
                raise

    def _event(self, seconds: float) -> TrainingEvent:
        losses, steps = self._progress.losses, self._settings.steps
        step = len(losses)
        smoothed = losses[max(0, step - 100)]
        for loss in losses[max(0, step - 100) + 1 :]:
            smoothed = _SMOOTHING * smoothed + (1 - _SMOOTHING) * loss
        return TrainingEvent(
            step=step,
            steps=steps,
            loss=losses[-1],
            smoothed=smoothed,
            learning_rate=self._settings.learning_rate_at(step - 1),
            seconds=seconds,
            eta=seconds / (step - self._first) * (steps - step),
            folder=self._folder,
        )

    def record(self) -> TrainingRun:
        """The run as it flows on and as ``run.json`` keeps it."""
        losses = self._progress.losses
        points = []
        for step in range(1, len(losses) + 1):
            path = self._checkpoint_path(step)
            if path.is_file():
                recent = losses[max(0, step - _LOSSES_OF_A_CHECKPOINT) : step]
                points.append(Checkpoint(step, path, math.fsum(recent) / len(recent)))
        return TrainingRun(
            character_name=self._character.name,
            character_hash=self._character.hash,
            trigger=self._character.trigger,
            class_word=self._character.class_word,
            folder=self._folder,
            settings=self._settings.record(),
            checkpoints=tuple(points),
            losses=losses,
        )

    @contextlib.contextmanager
    def _prepared(self, samples: list[Sample]) -> Iterator[tuple[Weights, dict[str, Any]]]:
        """The model on its device with adapters in it, exact, and the optimizer over them."""
        settings = self._settings
        largest = max((sample.latent for sample in samples), key=torch.Tensor.numel)
        shape = (settings.batch_size, *largest.shape[1:])
        # Transformers see a latent in patches of two by two.
        tokens = settings.batch_size * math.prod(largest.shape[2:]) // 4
        precision = choose_precision(settings.precision, self._model, tokens)
        diffusion_model = self._model.model.diffusion_model
        blocks = transformer_blocks(diffusion_model, self._targets)
        with contextlib.ExitStack() as stack:
            options = stack.enter_context(loaded(self._model, shape, precision))
            device = self._model.load_device
            made = stack.enter_context(
                adapters(diffusion_model, self._targets, settings.rank, settings.seed, device)
            )
            stack.enter_context(exact_gradients(diffusion_model, device, precision.products))
            if settings.gradient_checkpointing:
                stack.enter_context(checkpointed(blocks))
            yield Weights.starting(made, settings.weight_decay), options

    def _checkpoint_path(self, step: int) -> Path:
        return self._folder / f"{self._folder.name}_{step:06d}.safetensors"

    def _save(self, weights: Weights) -> None:
        """The LoRA so far, checked by loading it, and the state to go on from."""
        step = self._progress.step
        path = self._checkpoint_path(step)
        state = lora_state_dict(weights.averaged(), self._names)
        metadata = lora_metadata(
            self._model.model, self._character, self._settings, self._folder.name, step
        )
        write_tensors(path, state, metadata)
        save_state(self._folder, weights, self._progress)
        self._saved = step
        self.record().save()
