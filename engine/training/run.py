"""One training, from a character and settings to a LoRA: ``train`` reads from top to bottom."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..comfyui.fingerprint import model_fingerprint
from ..comfyui.models import Models
from ..core.character import Character
from ..core.errors import FacetError
from ..families.table import family_of
from ..store.tensors import read_tensors, write_tensors
from ..studio.studio import Studio
from .data.buckets import trained_sides
from .data.encoded import TrainingData, deciding, encode_data, held_out
from .data.pictures import WeightedBatches
from .files.existing import start_from, with_layers_of
from .files.folder import NotSaved, held_run, lora_file, make_usable, sweep
from .files.formats import check_lora, lora_state_dict
from .files.names import lora_names
from .files.record import Record
from .files.state import restore
from .memory import OomBackoff
from .model.loading import left_out
from .model.lora import TEXT_ENCODERS
from .model.session import Session
from .model.targets import target_modules
from .model.text_encoder import TextEncoder, text_targets, what_stays
from .model.weights import Weights
from .objective.divergence import DivergenceGuard, LossDiverged
from .objective.step import Step
from .progress.best import OriginalSimilarity, plateau
from .progress.events import Ask, OnEvent
from .progress.measuring import Measuring
from .progress.samples import TrainingSampler, prompts_for, sample_request
from .run_record import TrainingRun
from .settings import TrainingSettings

SECONDS_BETWEEN_STATES = 120.0
"""What a crash costs at most, however far apart the checkpoints are."""


@dataclass(frozen=True)
class TrainedLora:
    """A finished run, the LoRA to use, and a sentence if something about it may surprise."""

    run: TrainingRun
    lora: Path
    note: str = ""


@dataclass(frozen=True)
class Extras:
    """What a training may be given besides.

    clip_vision: judges the samples by their similarity to the source picture. start: a LoRA file
    to start from. samples: the studio that samples are made in; None for the trained models, as is
    usual for them. asked: whether something is asked of the run, which is looked for after each
    step; one that is asked to stop ends early, as finished. tell: is told, before the first step,
    how the device's memory will be used.
    """

    clip_vision: Any = None
    start: Path | None = None
    samples: Studio | None = None
    asked: Callable[[Ask], bool] = lambda _: False
    tell: Callable[[str], None] = lambda _: None


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
) -> TrainedLora:
    """Trains a LoRA of ``character`` in ``model`` and leaves the model as it was.

    ``training`` is the folder that runs have theirs in, and ``name`` the run's; its best LoRA is
    written to the folder ``lora`` as well. An interrupt saves what is done and is raised again;
    the same call then resumes the run, to the same result bit for bit on a CPU.
    Raises FacetError for what cannot be trained, TrainingDiverged when the loss is lost, NotSaved
    when the disk refuses, and UnusableLora when the saved file does not load.
    """
    extras = extras or Extras()

    # What is trained on, and what is held out.
    shots = [shot for shot in character.dataset if shot.weight != 0]
    if not shots:
        raise FacetError(f"{character.name} has no image to train on; include at least one.")
    shots, unseen = held_out(shots, settings.validation_shots, settings.seed)
    settings = settings.for_pictures(len(shots))

    # Which run this is, and how far it has come.
    inputs = [character.hash, *map(_fingerprint, (model, clip, vae)), *deciding(shots, settings)]
    if extras.start is not None:
        inputs.append(hashlib.sha256(extras.start.read_bytes()).hexdigest())
    fingerprint = settings.fingerprint(*inputs)
    with held_run(training, name, fingerprint, settings.steps) as opened:
        # Which layers are adapted.
        trained_clip = clip if settings.text_encoder else None
        encoder = trained_clip and trained_clip.cond_stage_model
        modules = _modules(model, trained_clip, settings, extras.start)
        names = lora_names(model.model, modules, encoder)
        prompts = prompts_for(character, settings.sample_prompts)
        side = max(trained_sides(shots, settings))
        to_sample = functools.partial(
            sample_request, Models(model, clip, vae), extras.samples, prompts, side, modules
        )
        request = None
        if settings.sample_every or extras.clip_vision is not None:
            request = to_sample()
        sampled = "" if request is None else request.key
        record = Record(model.model, character, settings, opened, names, sampled)

        notes = [opened.note]
        if not opened.finished:
            make_usable(lora)
            sweep(opened.folder)
            caches = training.parent
            data = encode_data(model, clip, vae, character, shots, settings, caches, unseen)
            notes += [*data.notes, left_out(model)]
            if trained_clip is not None:
                notes.append(what_stays(clip))
            likeness = None
            if extras.clip_vision is not None:
                likeness = OriginalSimilarity(extras.clip_vision, character.source.image)
            measuring = Measuring(
                settings,
                data.held_out,
                None if request is None else TrainingSampler.encoding(request),
                likeness,
                lambda weights: lora_state_dict(weights.file_tensors(), names),
                lambda: TrainingSampler.encoding(to_sample()),
            )
            in_model, text_encoder = modules, None
            if trained_clip is not None:
                in_model = tuple(one for one in modules if not one.startswith(TEXT_ENCODERS))
                text_encoder = TextEncoder(trained_clip, settings, modules[len(in_model) :])
            with (
                torch.inference_mode(False),
                Session(model, in_model, settings, data.samples, text_encoder) as session,
            ):
                if session.plan is not None:
                    record.memory = session.plan.text()
                    extras.tell(record.memory)
                notes += _take_steps(
                    model, settings, data, session, record, measuring, on_event, extras
                )

        # The best checkpoint is the LoRA, once it is known to load.
        run = record.run()
        path, other = lora_file(lora, run.name, record.progress.fingerprint)
        notes.append(other)
        try:
            _write_best(run, path)
        except OSError as error:
            raise NotSaved(
                f"{path} could not be written ({error.strerror or error}); the run itself is kept "
                f"in {run.folder}. Free space there and run again."
            ) from error
        check_lora(path, model.model, modules, encoder)
        return TrainedLora(run, path, "\n".join(filter(None, notes)))


def _take_steps(
    model: Any,
    settings: TrainingSettings,
    data: TrainingData,
    session: Session,
    record: Record,
    measuring: Measuring,
    on_event: OnEvent | None,
    extras: Extras,
) -> list[str]:
    """Takes the steps that are left; saves on the way, at the end, and when it is stopped.

    Returns sentences about what happened on the way.
    """
    from comfy.model_management import throw_exception_if_processing_interrupted

    weights = _weights(model, settings, session, record, extras.start)
    guard = DivergenceGuard(record.progress.losses)
    batches = WeightedBatches(data.samples)
    step = Step(model, settings, data.samples, data.prompts, session.options, session.text_encoder)
    backoff = OomBackoff(step, session, weights)
    backoff.check_forward()
    notes: list[str] = []
    started = time.monotonic()
    try:
        if record.step:
            # It may have been stopped before all was saved and measured.
            _save_and_measure(settings, record, measuring, step, session, weights)
        while not record.over:
            throw_exception_if_processing_interrupted()
            loss = backoff.take(record.step, batches)
            record.add_loss(loss)
            if guard.diverged(loss):
                raise LossDiverged(_loss_rose(record, settings))
            if extras.asked(Ask.STOP):
                record.ended = f"stopped on request after step {record.step} of {settings.steps}."
            saved = _save_if(extras.asked(Ask.SAVE), record, weights)
            sample = extras.asked(Ask.SAMPLE)
            _save_and_measure(settings, record, measuring, step, session, weights, sample)
            if time.monotonic() - record.saved_at > SECONDS_BETWEEN_STATES:
                record.save_state(weights)
            told = [*saved, *backoff.take_notes(), *measuring.take_notes()]
            notes += told
            if on_event is not None:
                on_event(record.event(time.monotonic() - started, " ".join(told)))
    except (NotSaved, LossDiverged):
        raise
    except BaseException:
        # Out of memory, a lost loss, the user's stop: the last whole step is still good.
        if record.step:
            record.save(weights)
        raise
    record.finished = True
    record.write()
    return [*notes, f"The run was {record.ended}"] if record.ended else notes


def _save_if(asked: bool, record: Record, weights: Weights) -> list[str]:
    """Saves the present step as a checkpoint where that is asked for, and says so."""
    if not asked:
        return []
    record.save(weights)
    return [f"Step {record.step} is saved in {record.folder.name}."]


def _weights(
    model: Any, settings: TrainingSettings, session: Session, record: Record, start: Path | None
) -> Weights:
    """The weights as they start, or as the run left them."""
    if start is not None and not record.step:
        encoder = session.text_encoder and session.text_encoder.clip.cond_stage_model
        start_from(start, model.model, session.adapters, encoder)
    weights = Weights.starting(session.adapters, settings)
    if record.step:
        restore(record.folder, weights)
    return weights


def _save_and_measure(
    settings: TrainingSettings,
    record: Record,
    measuring: Measuring,
    step: Step,
    session: Session,
    weights: Weights,
    sample: bool = False,
) -> None:
    """Saves and measures what is due after the present step, and is not done yet.

    sample: whether samples are asked for besides.
    """

    def save() -> None:
        if not (record.over or measuring.checkpoint_due(record.step)):
            return
        record.save(weights)

    def measure() -> bool:
        known, last = record.measured(), record.over
        if not measuring.lacks(known, last, sample):
            return False
        with record.writing():
            known = measuring.measure(known, last, step, session, weights, record.folder, sample)
        record.add_measure(known)
        return True

    save()
    if not measure():
        return
    if not record.over and plateau(record.measures, settings.patience):
        record.ended = (
            f"stopped after step {record.step} of {settings.steps}: {settings.patience} "
            "checkpoints in a row were no better than the best before them."
        )
        # The end of a run asks for more than a step on the way.
        save()
        measure()
    record.write()


def _loss_rose(record: Record, settings: TrainingSettings) -> str:
    kept = f"the LoRA of step {record.saved}" if record.saved else "nothing"
    return (
        f"The loss has risen far above where it began and stays there at step {record.step}; "
        f"{kept} is kept. Use a lower learning_rate than {settings.learning_rate:g}."
    )


def _modules(
    model: Any, clip: Any, settings: TrainingSettings, start: Path | None
) -> tuple[str, ...]:
    """The names of the layers to adapt; ``clip`` is None where it is not trained."""
    modules = target_modules(
        model.model.diffusion_model,
        settings.targets,
        settings.target_pattern,
        family_of(model).layers,
    )
    if clip is not None:
        modules += text_targets(clip, model.model, settings.targets)
    if start is not None:
        modules = with_layers_of(start, model.model, modules, clip and clip.cond_stage_model)
    return modules


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
