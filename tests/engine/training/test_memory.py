"""A step that runs out of memory is taken again in smaller parts."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_management as management
import pytest
import torch

from facet.engine.core.character import Character
from facet.engine.training.model import session
from facet.engine.training.model.loading import out_of_memory
from facet.engine.training.model.session import Session
from facet.engine.training.objective.draws import Batch
from facet.engine.training.objective.step import Step
from facet.engine.training.progress.events import TrainingEvent
from facet.engine.training.progress.samples import TrainingSampler
from facet.engine.training.run import Extras, TrainedLora, train
from facet.engine.training.run_record import load_run
from facet.engine.training.settings import TrainingSettings
from harness.small_models import SmallModels

SETTINGS = TrainingSettings(
    steps=2, rank=2, learning_rate=1e-2, batch_size=4, checkpoint_every=1, precision="fp32"
)


class SmallDevice:
    """Runs out of memory when a forward pass keeps more bytes for the backward pass than it has.

    What is kept is counted where autograd keeps it; ``used`` is the most that was ever asked for.
    """

    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self.used = 0

    @contextmanager
    def running(self, model: torch.nn.Module) -> Iterator[SmallDevice]:
        inside: list[Any] = []

        def enter(*_: Any) -> None:
            held = 0

            def keep(tensor: torch.Tensor) -> torch.Tensor:
                nonlocal held
                held += tensor.nbytes
                self.used = max(self.used, held)
                if held > self.capacity:
                    raise torch.OutOfMemoryError(f"tried to keep {held} bytes")
                return tensor

            inside.append(torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor))
            inside[-1].__enter__()

        def leave(*_: Any) -> None:
            inside.pop().__exit__(None, None, None)

        hooks = (
            model.register_forward_pre_hook(enter),
            model.register_forward_hook(leave, always_call=True),
        )
        try:
            yield self
        finally:
            for hook in hooks:
                hook.remove()


@pytest.fixture
def run(models: SmallModels, character: Character, tmp_path: Path) -> Callable[..., TrainedLora]:
    def start(
        capacity: float,
        settings: TrainingSettings = SETTINGS,
        on_event: Callable[[TrainingEvent], None] | None = None,
    ) -> tuple[TrainedLora, int]:
        device = SmallDevice(capacity)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        with torch.inference_mode(), device.running(models.model.model.diffusion_model):
            given = (models.model, models.clip, models.vae, character, settings)
            trained = train(*given, folder, "run", folder / "loras", on_event)
        return trained, device.used

    return start


def test_it_needs_less_until_it_fits_and_learns_the_same(run: Callable[..., Any]) -> None:
    whole, most = run(float("inf"))
    _, one_at_once = run(float("inf"), replace(SETTINGS, micro_batch=1))
    checkpointed = replace(SETTINGS, micro_batch=1, gradient_checkpointing=True)
    _, least = run(float("inf"), checkpointed)
    assert least < 0.5 * one_at_once < 0.25 * most

    notes: list[str] = []
    halved, used = run(1.1 * one_at_once, on_event=lambda event: notes.append(event.note))
    assert notes[0] == (
        "Step 1 ran out of memory; continuing with a micro-batch of 2. "
        "Step 1 ran out of memory; continuing with a micro-batch of 1."
    )
    assert notes[1] == ""
    assert notes[0].split(". ")[0] in halved.note
    assert used > one_at_once
    assert halved.run.losses == pytest.approx(whole.run.losses, rel=1e-5)

    smallest, _ = run(1.1 * least)
    assert "continuing with gradient checkpointing" in smallest.note
    assert smallest.run.losses == pytest.approx(whole.run.losses, rel=1e-5)


def test_after_it_ran_out_the_model_is_loaded_again_once_nothing_of_the_step_is_left(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ComfyUI's dynamic loading streams for good what it pushed off a device, until it loads."""
    failed: list[weakref.ref[torch.Tensor]] = []
    told: list[str] = []
    errors, load = Step._errors, management.load_models_gpu

    def failing(self: Step, part: Batch) -> torch.Tensor:
        found = errors(self, part)
        if not failed:
            failed.append(weakref.ref(found))
            told.append("out of memory")
            raise torch.OutOfMemoryError("no")
        told.append("step")
        return found

    def loading(*given: Any, **kwargs: Any) -> None:
        told.append("load, with the step in memory" if failed and failed[0]() else "load")
        load(*given, **kwargs)

    monkeypatch.setattr(Step, "_errors", failing)
    monkeypatch.setattr(management, "load_models_gpu", loading)
    run(float("inf"))
    assert told[told.index("out of memory") :][:3] == ["out of memory", "load", "step"]


def test_on_a_card_where_a_step_would_not_fit_it_is_planned_before_anything_is_loaded(
    run: Callable[..., Any],
    models: SmallModels,
    character: Character,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, _ = run(float("inf"))
    told: list[str] = []
    monkeypatch.setattr(session, "available", lambda model, limit: 1 << 20)
    device = SmallDevice(float("inf"))
    with torch.inference_mode(), device.running(models.model.model.diffusion_model):
        given = (models.model, models.clip, models.vae, character, SETTINGS)
        extras = Extras(tell=told.append)
        trained = train(*given, tmp_path / "a", "run", tmp_path / "loras", None, extras)
    [line] = told
    assert line.startswith("Memory: 0.0 GB on the card;") and "with gradient checkpointing" in line
    assert load_run(trained.run.folder).memory == line
    assert trained.run.settings["gradient_checkpointing"] is False
    assert "ran out of memory" not in trained.note
    assert trained.run.losses == pytest.approx(whole.run.losses, rel=1e-5)


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("VRAM grow failed: 1024 bytes"), True),
        (RuntimeError("Fault failed: 2"), True),
        (MemoryError("VBAR OOM"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("VRAM grow failed"), False),
    ],
)
def test_every_way_to_run_out_of_memory_is_known(error: Exception, is_one: bool) -> None:
    assert out_of_memory(error) is is_one


def test_samples_that_run_out_leave_nothing_in_the_way_of_loading(
    models: SmallModels, character: Character, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref[torch.Tensor]] = []
    alive: list[bool] = []
    load = Session._load

    def sampling(self: TrainingSampler, model: Any) -> torch.Tensor:
        big = torch.zeros(1000)
        held.append(weakref.ref(big))
        raise torch.OutOfMemoryError("no")

    def loading(self: Session) -> dict[str, Any]:
        alive.extend(one() is not None for one in held)
        return load(self)

    monkeypatch.setattr(TrainingSampler, "make", sampling)
    monkeypatch.setattr(Session, "_load", loading)
    settings = replace(SETTINGS, sample_every=1)
    with torch.inference_mode():
        given = (models.model, models.clip, models.vae, character, settings)
        trained = train(*given, tmp_path / "a", "run", tmp_path / "loras")
    assert "continuing without them" in trained.note
    assert alive == [False]


def test_when_nothing_helps_the_device_says_so_and_what_was_done_is_kept(
    run: Callable[..., Any], models: SmallModels, character: Character, tmp_path: Path
) -> None:
    device = SmallDevice(float("inf"))

    def shrink(event: TrainingEvent) -> None:
        device.capacity = 0

    with (
        device.running(models.model.model.diffusion_model),
        torch.inference_mode(),
        pytest.raises(torch.OutOfMemoryError, match="lower resolution"),
    ):
        given = (models.model, models.clip, models.vae, character, SETTINGS)
        train(*given, tmp_path / "a", "run", tmp_path / "loras", shrink)
    kept = load_run(tmp_path / "a" / "run")
    assert [point.step for point in kept.checkpoints] == [1]
    assert not kept.finished
