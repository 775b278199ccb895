"""Pictures on the way: what the saved LoRA makes, and the training none the wiser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.sd
import numpy as np
import pytest
import torch
from PIL import Image

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character
from facet.engine.training.files.formats import read_lora
from facet.engine.training.loop import Extras
from facet.engine.training.progress.samples import Sampler, prompts_for, usual_sampling
from facet.engine.training.run_record import load_run
from facet.engine.training.settings import TrainingSettings
from harness.families import Family
from harness.small_models import SmallModels, small_clip_vision
from harness.trainings import Train

SETTINGS = TrainingSettings(
    steps=4,
    rank=4,
    learning_rate=3e-2,
    ema=0.5,
    checkpoint_every=2,
    seed=3,
    precision="fp32",
    sample_every=2,
    sample_prompts="[trigger] [class] in a red coat\n\n a [class], smiling ",
)
SAMPLING = Sampling(64, 64, steps=2, cfg=2.0)
EXTRAS = Extras(sampling=SAMPLING)


def test_samples_are_kept_as_pictures_with_their_prompts(run: Train) -> None:
    seen: list[Path | None] = []
    trained = run(SETTINGS, on_event=lambda event: seen.append(event.sample), extras=EXTRAS)
    folder = trained.run.folder / "samples"
    assert seen == [None, folder / "step_000002.png", None, folder / "step_000004.png"]
    with Image.open(folder / "step_000004.png") as image:
        assert image.size == (128, 64)
        record = json.loads(image.text["facet"])
    assert record == {"step": 4, "prompts": ["zqx person in a red coat", "a person, smiling"]}


@pytest.mark.parametrize(
    ("narrow", "usual"), [("Flux", 1.0), ("Z-Image", 3.0), ("SDXL", 6.0)], indirect=["narrow"]
)
def test_steps_and_cfg_are_asked_for_or_suit_the_model(
    narrow: tuple[Family, Any], usual: float
) -> None:
    _, model = narrow
    assert usual_sampling(model, 512).cfg == usual
    asked = usual_sampling(model, 512, 8, 2.5)
    assert (asked.steps, asked.cfg, asked.width) == (8, 2.5, 512)
    assert asked.guidance == (3.5 if usual == 1.0 else None)


def test_likeness_of_pictures_made_otherwise_is_measured_anew(run: Train) -> None:
    settings = replace(SETTINGS, steps=2, sample_steps=2)
    judging = Extras(clip_vision=small_clip_vision())
    first = run(settings, extras=judging)
    same = run(replace(settings, steps=3, checkpoint_every=1), extras=judging)
    assert same.run.measures[0] == first.run.measures[-1]
    other = run(replace(settings, steps=4, sample_cfg=2.0), extras=judging)
    assert [one.identity is None for one in other.run.measures] == [True, True, False]
    assert "goes on from step 3" in other.note


@pytest.mark.parametrize("adapter", ["LoRA", "DoRA", "LoKr"])
def test_a_sample_is_what_core_makes_with_the_saved_lora(
    run: Train, models: SmallModels, character: Character, adapter: str
) -> None:
    settings = replace(SETTINGS, adapter=adapter)
    trained = run(settings, extras=EXTRAS)
    prompts = prompts_for(character, settings.sample_prompts)
    sampler = Sampler.encoding(models.clip, models.vae, prompts, SAMPLING)
    lora = read_lora(trained.run.checkpoints[-1].path)
    patched, _ = comfy.sd.load_lora_for_models(models.model, None, lora, 1.0, 0.0)
    with torch.inference_mode():
        by_core = torch.cat(list(sampler.make(patched)), dim=1)
        without = torch.cat(list(sampler.make(models.model)), dim=1)
    with Image.open(trained.run.folder / "samples" / "step_000004.png") as image:
        sample = torch.from_numpy(np.asarray(image).copy()).float() / 255
    assert float((sample - by_core).abs().max()) < 0.01
    assert float((sample - without).abs().max()) > 0.05


@pytest.mark.parametrize("saving", [{}, {"gradient_checkpointing": True, "base": "fp8"}])
def test_training_goes_on_as_if_no_sample_had_been_made(
    run: Train, models: SmallModels, saving: dict[str, Any]
) -> None:
    weights = {name: value.clone() for name, value in models.model.model.state_dict().items()}
    settings = replace(SETTINGS, batch_size=2, **saving)
    state = torch.random.get_rng_state()
    judging = Extras(clip_vision=small_clip_vision(), sampling=SAMPLING)
    sampled = run(settings, extras=judging)
    assert torch.equal(torch.random.get_rng_state(), state)
    without = run(replace(settings, sample_every=0, sample_prompts=""), "b")
    assert sampled.run.losses == without.run.losses
    for one, other in zip(sampled.run.checkpoints, without.run.checkpoints, strict=True):
        a, b = read_lora(one.path), read_lora(other.path)
        assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
    after = models.model.model.state_dict()
    assert after.keys() == weights.keys()
    assert all(torch.equal(weights[name], after[name]) for name in weights)


def test_a_cancel_while_a_sample_is_made_keeps_what_was_done(
    run: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Sampler.make

    def cancelled(sampler: Sampler, model: object) -> torch.Tensor:
        comfy.model_management.interrupt_current_processing()
        return make(sampler, model)

    whole = run(SETTINGS, "whole", extras=EXTRAS)
    monkeypatch.setattr(Sampler, "make", cancelled)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(SETTINGS, extras=EXTRAS)
    monkeypatch.undo()
    assert not load_run(tmp_path / "a" / "run").finished
    again = run(SETTINGS, extras=EXTRAS)
    # The sample that the cancel cost is made up for.
    assert [measure.step for measure in again.run.measures] == [2, 4]
    assert again.lora.read_bytes() == whole.lora.read_bytes()
