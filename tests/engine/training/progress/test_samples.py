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

from facet.engine.comfyui.lora import read_weights
from facet.engine.comfyui.models import Models
from facet.engine.core.character import Character
from facet.engine.training.progress.samples import (
    SampleRequest,
    TrainingSampler,
    prompts_for,
    sample_request,
    usual_sampling,
)
from facet.engine.training.run import Extras
from facet.engine.training.run_record import load_run
from harness.families import Family
from harness.small_models import SmallModels, small_clip_vision
from harness.studios import studio_of
from harness.trainings import SAMPLED, Train


@pytest.fixture
def extras(models: SmallModels) -> Extras:
    """Samples of two steps, of 64 pixels."""
    return Extras(samples=studio_of(models, steps=2, cfg=2.0))


def test_samples_are_kept_as_pictures_with_their_prompts(run: Train, extras: Extras) -> None:
    seen: list[Path | None] = []
    trained = run(SAMPLED, on_event=lambda event: seen.append(event.sample), extras=extras)
    folder = trained.run.folder / "samples"
    assert seen == [None, folder / "step_000002.png", None, folder / "step_000004.png"]
    with Image.open(folder / "step_000004.png") as image:
        assert image.size == (128, 64)
        record = json.loads(image.text["facet"])
    assert record == {"step": 4, "prompts": ["zqx person in a red coat", "a person, smiling"]}


@pytest.mark.parametrize(
    ("narrow", "usual"), [("Flux", 1.0), ("Z-Image", 3.0), ("SDXL", 6.0)], indirect=["narrow"]
)
def test_a_studio_says_how_samples_are_made_or_it_suits_the_model(
    narrow: tuple[Family, Any], usual: float
) -> None:
    _, model = narrow
    suits = usual_sampling(model, 512)
    assert (suits.cfg, suits.width, suits.height) == (usual, 512, 512)
    assert suits.guidance == (3.5 if usual == 1.0 else None)
    models, prompts = Models(model, None, None), ("zqx person",)
    untold = sample_request(models, None, prompts, 512, ())
    assert untold.studio.sampling == suits and not untold.through
    asked = studio_of(models, side=0, steps=8, cfg=2.5)
    made = sample_request(models, asked, prompts, 530, ()).studio.sampling
    assert made == replace(asked.sampling, width=528, height=528)
    wide = studio_of(models, width=768)
    assert sample_request(models, wide, prompts, 512, ()).studio.sampling == wide.sampling


def test_likeness_of_pictures_made_otherwise_is_measured_anew(
    run: Train, models: SmallModels
) -> None:
    def judging(**sampling: Any) -> Extras:
        return Extras(small_clip_vision(), samples=studio_of(models, steps=2, **sampling))

    settings = replace(SAMPLED, steps=2)
    first = run(settings, extras=judging())
    same = run(replace(settings, steps=3, checkpoint_every=1), extras=judging())
    assert same.run.measures[0] == first.run.measures[-1]
    assert load_run(same.run.folder).sampled == same.run.sampled == first.run.sampled != ""
    other = run(replace(settings, steps=4), extras=judging(cfg=2.0))
    assert [one.identity is None for one in other.run.measures] == [True, True, False]
    assert "resumes from step 3" in other.note and other.run.sampled != first.run.sampled
    # What samples nothing compares nothing: all that was measured is kept.
    unseen = run(replace(settings, steps=5, sample_every=0))
    assert unseen.run.measures == other.run.measures
    assert unseen.run.sampled == other.run.sampled


@pytest.mark.parametrize("adapter", ["LoRA", "DoRA", "LoKr"])
def test_a_sample_is_what_core_makes_with_the_saved_lora(
    run: Train, models: SmallModels, character: Character, extras: Extras, adapter: str
) -> None:
    settings = replace(SAMPLED, adapter=adapter)
    trained = run(settings, extras=extras)
    prompts = prompts_for(character, settings.sample_prompts)
    assert extras.samples is not None
    sampler = TrainingSampler.encoding(SampleRequest(extras.samples, prompts))
    lora = read_weights(trained.run.checkpoints[-1].path)
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
    run: Train, models: SmallModels, extras: Extras, saving: dict[str, Any]
) -> None:
    weights = {name: value.clone() for name, value in models.model.model.state_dict().items()}
    settings = replace(SAMPLED, batch_size=2, **saving)
    state = torch.random.get_rng_state()
    sampled = run(settings, extras=replace(extras, clip_vision=small_clip_vision()))
    assert torch.equal(torch.random.get_rng_state(), state)
    without = run(replace(settings, sample_every=0, sample_prompts=""), "b")
    assert sampled.run.losses == without.run.losses
    for one, other in zip(sampled.run.checkpoints, without.run.checkpoints, strict=True):
        a, b = read_weights(one.path), read_weights(other.path)
        assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
    after = models.model.model.state_dict()
    assert after.keys() == weights.keys()
    assert all(torch.equal(weights[name], after[name]) for name in weights)


def test_a_cancel_while_a_sample_is_made_keeps_what_was_done(
    run: Train, extras: Extras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = TrainingSampler.make

    def cancelled(sampler: TrainingSampler, model: object) -> torch.Tensor:
        comfy.model_management.interrupt_current_processing()
        return make(sampler, model)

    whole = run(SAMPLED, "whole", extras=extras)
    monkeypatch.setattr(TrainingSampler, "make", cancelled)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(SAMPLED, extras=extras)
    monkeypatch.undo()
    assert not load_run(tmp_path / "a" / "run").finished
    again = run(SAMPLED, extras=extras)
    # The sample that the cancel cost is made up for.
    assert [measure.step for measure in again.run.measures] == [2, 4]
    assert again.lora.read_bytes() == whole.lora.read_bytes()
