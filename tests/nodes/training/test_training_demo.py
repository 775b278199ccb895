"""The trainer node on the demo's own models: model and text encoder learn, and core loads both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.training.data.conditioning import encode_captions
from facet.engine.training.run_record import TrainingRun
from harness.executor import Executor, Prompt
from harness.given import given_node, loras_folder
from harness.prompts import node
from harness.studios import studio_of

CAPTION = "zqx person, close-up portrait, smiling"


@pytest.fixture
def prompt(
    comfy: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_models: DemoModels
) -> Prompt:
    """Two steps in the demo's models, with samples of two steps."""
    shot = Shot(demo_picture(0), Provenance("original"), caption=CAPTION)
    character = Character("Ada", "zqx", "person", shot)

    def make() -> list[Any]:
        studio = studio_of(demo_models, steps=2, cfg=1.5)
        return [studio, character, demo_models.model, demo_models.clip]

    given_node(monkeypatch, ("FACET_STUDIO", "FACET_CHARACTER", "MODEL", "CLIP"), make)
    loras_folder(monkeypatch, tmp_path / "loras")
    options = {
        "text_encoder": True,
        "text_encoder_rate": 1e-2,
        "sample_every": 2,
        "sample_prompts": "[trigger] [class], close-up portrait",
    }
    widgets: dict[str, Any] = {
        "steps": 2,
        "rank": 2,
        "learning_rate": 3e-3,
        "batch_size": 1,
        "seed": 1,
        "checkpoint_every": 0,
        "gradient_checkpointing": False,
        "resolution": 64,
        "schedule": "constant",
        "precision": "fp32",
        "options": ["options", 0],
    }
    links = {"studio": ["given", 0], "character": ["given", 1]}
    return {
        "given": node("Given"),
        "options": node("FacetTrainingOptions", **options),
        "train": node("FacetLoraTrainer", **links, **widgets),
    }


def test_text_encoder_and_model_are_trained_and_loaded_by_core(
    comfy: Executor, prompt: Prompt, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = comfy.run(prompt)
    run: TrainingRun = result.value("train", 2)
    with Image.open(run.folder / "samples" / "step_000002.png") as sheet:
        assert sheet.size == (64, 64)
        assert json.loads(sheet.text["facet"])["prompts"] == ["zqx person, close-up portrait"]
    loading = {
        "lora_name": Path(result.value("train", 3)).relative_to(tmp_path / "loras").as_posix(),
        "strength_model": 1.0,
        "strength_clip": 1.0,
    }
    load = node("LoraLoader", model=["given", 2], clip=["given", 3], **loading)
    caplog.clear()
    shown = node("PreviewAny", source=["load", 1])
    result = comfy.run({"given": prompt["given"], "load": load, "shown": shown})
    assert not [one for one in caplog.records if "lora key" in one.message.lower()]
    model, clip = result.value("load", 0), result.value("load", 1)
    layers = clip.cond_stage_model.clip_l.transformer.num_layers
    assert len(clip.patcher.patches) == 6 * layers
    assert len(model.patches) > 0
    before = encode_captions(result.value("given", 3), [CAPTION])[CAPTION]
    after = encode_captions(clip, [CAPTION])[CAPTION]
    for name in ("cross_attn", "pooled_output"):
        assert not torch.allclose(after[name], before[name], atol=1e-3)
