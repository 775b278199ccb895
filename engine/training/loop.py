"""From a character and settings to a trained LoRA."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..comfyui.fingerprint import model_fingerprint
from ..comfyui.sampling import Sampling
from ..core.character import Character
from ..store.tensors import read_tensors, write_tensors
from .data.buckets import trained_sides
from .data.encoded import deciding, encode_data
from .data.validation import held_out
from .files.folder import NotSaved, make_usable, open_run, sweep
from .files.formats import check_lora
from .model.text_encoder import what_stays
from .progress.best import Likeness
from .progress.events import OnEvent
from .progress.measuring import Measuring
from .progress.samples import Sampler, prompts_for, usual_sampling
from .run_record import TrainingRun
from .settings import TrainingSettings
from .trainer import Trainer


@dataclass(frozen=True)
class Trained:
    """A finished run, the LoRA to use, and a sentence if something about it may surprise."""

    run: TrainingRun
    lora: Path
    note: str = ""


@dataclass(frozen=True)
class Extras:
    """What a training may be given besides.

    clip_vision: judges the samples by their likeness to the source picture. start: a LoRA file to
    go on from. sampling: of the sample pictures, None for what is usual for the model.
    stop_requested: asked after each step; at True the run ends early, as finished.
    """

    clip_vision: Any = None
    start: Path | None = None
    sampling: Sampling | None = None
    stop_requested: Callable[[], bool] = lambda: False


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
    extras: Extras | None = None,
) -> Trained:
    """Trains a LoRA of ``character`` in ``model`` and leaves the model as it was.

    ``training`` is the folder that runs have theirs in, and ``name`` the run's; its best LoRA is
    written to the folder ``lora`` as well. An interrupt saves what is done and is raised again;
    the same call then goes on from there, to the same result bit for bit on a CPU.
    Raises ValueError for what cannot be trained, TrainingDiverged when the loss is lost, NotSaved
    when the disk refuses, and UnusableLora when the saved file does not load.
    """
    extras = extras or Extras()
    shots = [shot for shot in character.dataset if shot.weight != 0]
    if not shots:
        raise ValueError(f"{character.name} has no picture to train on; include at least one.")
    shots, unseen = held_out(shots, settings.validation_shots, settings.seed)
    settings = settings.for_pictures(len(shots))
    inputs = [character.hash, *map(_fingerprint, (model, clip, vae)), *deciding(shots, settings)]
    if extras.start is not None:
        inputs.append(hashlib.sha256(extras.start.read_bytes()).hexdigest())
    opened = open_run(training, name, settings.fingerprint(*inputs), settings.steps)
    trained_clip = clip if settings.text_encoder else None
    trainer = Trainer(model, character, settings, opened, extras.start, trained_clip)
    notes = [opened.note]
    if not opened.finished:
        make_usable(training, lora)
        sweep(opened.folder)
        data = encode_data(model, clip, vae, character, shots, settings, training.parent, unseen)
        notes += data.notes
        if trained_clip is not None:
            notes.append(what_stays(clip))
        sampler = None
        if settings.sample_every or extras.clip_vision is not None:
            largest = max(trained_sides(shots, settings))
            sampling = extras.sampling or usual_sampling(
                model, largest, settings.sample_steps, settings.sample_cfg
            )
            prompts = prompts_for(character, settings.sample_prompts)
            sampler = Sampler.encoding(clip, vae, prompts, sampling)
        likeness = None
        if extras.clip_vision is not None:
            likeness = Likeness(extras.clip_vision, character.source.image)
        measuring = Measuring(settings, data.held_out, sampler, likeness)
        with torch.inference_mode(False):
            notes += trainer.run(
                data.samples,
                data.prompts,
                measuring,
                on_event,
                extras.stop_requested,
            )
    run = trainer.record()
    path = lora / f"{character.folder_name}_{run.name}.safetensors"
    try:
        _write_best(run, path)
    except OSError as error:
        raise NotSaved(
            f"{path} could not be written ({error.strerror or error}); the run itself is kept in "
            f"{run.folder}. Free space there and run again."
        ) from error
    check_lora(path, model.model, trainer.modules, trained_clip and clip.cond_stage_model)
    return Trained(run, path, "\n".join(filter(None, notes)))


def _fingerprint(part: Any) -> str:
    """What decides what ``part``, a MODEL, CLIP or VAE, computes."""
    patcher = getattr(part, "patcher", part)
    if not hasattr(patcher, "model"):
        # No ModelPatcher of ComfyUI's; whether it is of any use shows when it encodes.
        return type(part).__name__
    # A CLIP is read up to a layer, and splits words as its tokenizer is told.
    reading = [getattr(part, name, None) for name in ("layer_idx", "tokenizer_options")]
    return f"{model_fingerprint(patcher)} {reading}"


def _write_best(run: TrainingRun, path: Path) -> None:
    """Writes the best checkpoint to ``path``, with what was measured of it in its metadata."""
    best = run.best
    tensors, metadata = read_tensors(best.path)
    measured = {"facet.identity": best.identity, "facet.validation": best.validation}
    scores = {key: repr(value) for key, value in measured.items() if value is not None}
    write_tensors(path, tensors, metadata | scores)
