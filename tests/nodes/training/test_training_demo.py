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

CAPTION = "zqx person, close-up portrait, smiling"


@pytest.fixture
def prompt(
    comfy: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_models: DemoModels
) -> Prompt:
    """Two steps in the demo's models, with samples of two steps."""
    import nodes

    shot = Shot(demo_picture(0), Provenance("original"), caption=CAPTION)
    character = Character("Ada", "zqx", "person", shot)
    sockets = ("model", "clip", "vae", "character")

    kinds = ("MODEL", "CLIP", "VAE", "FACET_CHARACTER")
    models = (demo_models.model, demo_models.clip, demo_models.vae)
    given_node(monkeypatch, kinds, lambda: [*models, character])
    loras_folder(monkeypatch, tmp_path / "loras")
    schema = nodes.NODE_CLASS_MAPPINGS["FacetTrainingOptions"].GET_SCHEMA()
    options = {one.id: one.default for one in schema.inputs} | {
        "text_encoder": True,
        "text_encoder_rate": 1e-2,
        "sample_every": 2,
        "sample_prompts": "[trigger] [class], close-up portrait",
        "sample_steps": 2,
        "sample_cfg": 1.5,
    }
    widgets: dict[str, Any] = {
        "run_name": "run",
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
        "subject": "synthetic character",
        "options": ["options", 0],
    }
    links = {name: ["given", index] for index, name in enumerate(sockets)}
    return {
        "given": {"class_type": "Given", "inputs": {}},
        "options": {"class_type": "FacetTrainingOptions", "inputs": options},
        "train": {"class_type": "FacetLoraTrainer", "inputs": links | widgets},
    }


def test_text_encoder_and_model_are_trained_and_loaded_by_core(
    comfy: Executor, prompt: Prompt, caplog: pytest.LogCaptureFixture
) -> None:
    result = comfy.run(prompt)
    run: TrainingRun = result.value("train", 2)
    assert run.settings["sample_steps"] == 2 and run.settings["sample_cfg"] == 1.5
    with Image.open(run.folder / "samples" / "step_000002.png") as sheet:
        assert json.loads(sheet.text["facet"])["prompts"] == ["zqx person, close-up portrait"]
    loading = {
        "class_type": "LoraLoader",
        "inputs": {
            "model": ["given", 0],
            "clip": ["given", 1],
            "lora_name": f"facet/{Path(result.value('train', 3)).name}",
            "strength_model": 1.0,
            "strength_clip": 1.0,
        },
    }
    shown = {"class_type": "PreviewAny", "inputs": {"source": ["load", 1]}}
    caplog.clear()
    given, loaded = prompt["given"], {"load": loading, "shown": shown}
    result = comfy.run({"given": given, **loaded})
    assert not [one for one in caplog.records if "lora key" in one.message.lower()]
    model, clip = result.value("load", 0), result.value("load", 1)
    layers = clip.cond_stage_model.clip_l.transformer.num_layers
    assert len(clip.patcher.patches) == 6 * layers
    assert len(model.patches) > 0
    before = encode_captions(result.value("given", 1), [CAPTION])[CAPTION]
    after = encode_captions(clip, [CAPTION])[CAPTION]
    for name in ("cross_attn", "pooled_output"):
        assert not torch.allclose(after[name], before[name], atol=1e-3)
