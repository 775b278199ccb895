"""The trainer node between core's nodes: samples are judged, and the best checkpoint goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
import pytest
import torch
from PIL import Image

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.training.progress.control import STOP_REQUESTS
from facet.engine.training.run_record import TrainingRun
from harness.executor import Executor, NodeError, Prompt
from harness.given import given_node, loras_folder
from harness.small_models import small_clip_vision, small_models

SOCKETS = ("model", "clip", "vae", "character", "clip_vision", "options")


@pytest.fixture
def prompt(comfy: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Prompt:
    """A trainer with a CLIP_VISION and one prompt to sample."""
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))
    shot = Shot(image, Provenance("original"), caption="zqx person")
    character = Character("Ada", "zqx", "person", shot)
    options = {"sample_prompts": "[trigger] [class], smiling"}

    def make() -> list[Any]:
        models = small_models()
        loaded = [models.model, models.clip, models.vae, character]
        return [*loaded, small_clip_vision(), options]

    kinds = ("MODEL", "CLIP", "VAE", "FACET_CHARACTER", "CLIP_VISION", "FACET_TRAINING_OPTIONS")
    given_node(monkeypatch, kinds, make)
    loras_folder(monkeypatch, tmp_path / "loras")
    links: dict[str, Any] = {name: ["given", number] for number, name in enumerate(SOCKETS)}
    widgets = {
        "run_name": "run",
        "steps": 3,
        "rank": 2,
        "learning_rate": 1e-2,
        "batch_size": 1,
        "seed": 1,
        "checkpoint_every": 1,
        "gradient_checkpointing": False,
        "resolution": 0,
        "schedule": "cosine",
        "precision": "fp32",
        "subject": "synthetic character",
    }
    return {
        "given": {"class_type": "Given", "inputs": {}},
        "train": {"class_type": "FacetLoraTrainer", "inputs": links | widgets},
    }


def test_with_a_clip_vision_the_checkpoint_most_like_the_source_goes_on(
    comfy: Executor, prompt: Prompt
) -> None:
    result = comfy.run(prompt)
    run: TrainingRun = result.value("train", 2)
    likeness = [point.identity for point in run.checkpoints]
    assert len(likeness) == 3 and None not in likeness
    assert run.best.identity == max(value for value in likeness if value is not None)
    listed = folder_paths.get_filename_list("loras")
    assert [name.replace("\\", "/") for name in listed] == ["facet/Ada_run.safetensors"]
    (text,) = result.ui["train"]["text"]
    assert f"Step {run.best.step} looks most like the source picture" in text
    for step in (1, 2, 3):
        with Image.open(run.folder / "samples" / f"step_{step:06d}.png") as sheet:
            assert sheet.size == (64, 64)


def test_a_stop_that_was_asked_of_an_earlier_run_is_not_meant_for_this_one(
    comfy: Executor, prompt: Prompt
) -> None:
    STOP_REQUESTS.request("train")
    run: TrainingRun = comfy.run(prompt).value("train", 2)
    assert len(run.losses) == 3 and run.ended == ""


def test_a_folder_in_the_way_of_the_output_is_said_by_the_node(
    comfy: Executor, prompt: Prompt
) -> None:
    (comfy.output / "facet" / "Ada").mkdir(parents=True)
    (comfy.output / "facet" / "Ada" / "training").write_text("in the way")
    with pytest.raises(NodeError, match=r"Facet LoRA Trainer: Nothing can be written to .*free"):
        comfy.run(prompt)
