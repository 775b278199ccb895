"""The trainer node between core's nodes: samples are judged, and the best checkpoint goes on."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import folder_paths
import pytest
import torch
from PIL import Image

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.studio.judge import Judge
from facet.engine.training.progress.events import RUN_REQUESTS, Ask
from facet.engine.training.run_record import TrainingRun
from facet.nodes.common.node import Settings
from harness.executor import Executor, NodeError, Prompt
from harness.given import given_node, loras_folder
from harness.prompts import node
from harness.small_models import small_clip_vision, small_flux, small_models
from harness.studios import studio_of

SOCKETS = ("studio", "judge", "character", "options")
KINDS = ("FACET_STUDIO", "FACET_JUDGE", "FACET_CHARACTER", "FACET_TRAINING_OPTIONS")
OTHER, NARROWER = ["given", 4], ["given", 5]
"""Studios of another model of the same shape, and of one that lacks a block."""


@pytest.fixture
def prompt(comfy: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Prompt:
    """A trainer with a judge that has a CLIP_VISION, and one prompt to sample."""
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))
    shot = Shot(image, Provenance("original"), caption="zqx person")
    character = Character("Ada", "zqx", "person", shot)
    options = Settings({"sample_prompts": "[trigger] [class], smiling"})

    def make() -> list[Any]:
        models, judge = small_models(), Judge(clip_vision=small_clip_vision())
        studio, *looked = (
            studio_of(replace(models, model=model), steps=2)
            for model in (models.model, small_flux(seed=7), small_flux(single=1))
        )
        return [studio, judge, character, options, *looked]

    given_node(monkeypatch, (*KINDS, "FACET_STUDIO", "FACET_STUDIO"), make)
    loras_folder(monkeypatch, tmp_path / "loras")
    links: dict[str, Any] = {name: ["given", number] for number, name in enumerate(SOCKETS)}
    widgets = {
        "steps": 3,
        "rank": 2,
        "learning_rate": 1e-2,
        "batch_size": 1,
        "seed": 1,
        "checkpoint_every": 1,
        "gradient_checkpointing": False,
        "precision": "fp32",
    }
    return {"given": node("Given"), "train": node("FacetLoraTrainer", **links, **widgets)}


def test_with_a_clip_vision_the_checkpoint_most_like_the_source_goes_on(
    comfy: Executor, prompt: Prompt
) -> None:
    result = comfy.run(prompt)
    run: TrainingRun = result.value("train", 2)
    likeness = [point.identity for point in run.checkpoints]
    assert len(likeness) == 3 and None not in likeness
    assert run.best.identity == max(value for value in likeness if value is not None)
    listed = folder_paths.get_filename_list("loras")
    assert [name.replace("\\", "/") for name in listed] == ["facet/Ada/run.safetensors"]
    (text,) = result.ui["train"]["text"]
    assert f"Step {run.best.step} is most similar to the original image" in text
    for step in (1, 2, 3):
        with Image.open(run.folder / "samples" / f"step_{step:06d}.png") as sheet:
            assert sheet.size == (64, 64)


def test_samples_are_made_and_judged_where_the_lora_will_be_used(
    comfy: Executor, prompt: Prompt
) -> None:
    here: TrainingRun = comfy.run(deepcopy(prompt)).value("train", 2)
    prompt["train"]["inputs"] |= {"look_through": OTHER, "run_name": "there"}
    there: TrainingRun = comfy.run(prompt).value("train", 2)
    assert there.losses == here.losses and there.sampled != here.sampled
    likeness = [[point.identity for point in run.checkpoints] for run in (here, there)]
    assert None not in likeness[1] and likeness[0] != likeness[1]
    assert there.best.identity == max(value for value in likeness[1] if value is not None)


def test_a_studio_to_look_through_that_the_lora_does_not_fit_is_said_by_the_node(
    comfy: Executor, prompt: Prompt
) -> None:
    prompt["train"]["inputs"]["look_through"] = NARROWER
    said = r"^Facet LoRA Trainer: The LoRA is trained in a Flux model and does not fit .*look_thr"
    with pytest.raises(NodeError, match=said):
        comfy.run(prompt)
    assert not list(comfy.output.rglob("*.safetensors"))


def test_a_stop_that_was_asked_of_an_earlier_run_is_not_meant_for_this_one(
    comfy: Executor, prompt: Prompt
) -> None:
    for what in Ask:
        RUN_REQUESTS.request("train", what)
    run: TrainingRun = comfy.run(prompt).value("train", 2)
    assert len(run.losses) == 3 and run.ended == ""


def test_a_folder_in_the_way_of_the_output_is_said_by_the_node(
    comfy: Executor, prompt: Prompt
) -> None:
    (comfy.output / "facet" / "Ada").mkdir(parents=True)
    (comfy.output / "facet" / "Ada" / "training").write_text("in the way")
    with pytest.raises(NodeError, match=r"Facet LoRA Trainer: Nothing can be written to .*free"):
        comfy.run(prompt)
