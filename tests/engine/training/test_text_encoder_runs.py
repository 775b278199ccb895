"""Whole runs in which the text encoder learns along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.sd
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from facet.engine.comfyui.lora import read_weights
from facet.engine.core.character import Character
from facet.engine.studio.studio import Studio
from facet.engine.training.progress.samples import SampleRequest, TrainingSampler, prompts_for
from facet.engine.training.run import Extras, TrainedLora, train
from facet.engine.training.settings import TrainingSettings
from harness.small_models import small_vae
from harness.studios import studio_of
from harness.text_models import TextModels, kept_text_models, text_models
from harness.trainings import interrupt_after, same

SETTINGS = TrainingSettings(
    steps=4,
    rank=2,
    learning_rate=1e-2,
    ema=0.5,
    batch_size=2,
    caption_dropout=0.3,
    prior_class=0.5,
    checkpoint_every=2,
    sample_every=2,
    sample_prompts="[trigger] [class], smiling",
    validation_shots=1,
    seed=3,
    precision="fp32",
    text_encoder=True,
    text_encoder_rate=3e-2,
)
DIFFUSERS = "text_encoder_2.text_model.encoder.layers"
Run = Callable[..., TrainedLora]


@pytest.fixture(scope="module")
def models(request: pytest.FixtureRequest) -> TextModels:
    return kept_text_models(request.param)


@pytest.fixture
def run(models: TextModels, character: Character, tmp_path: Path) -> Run:
    def start(
        folder: str = "a",
        on_event: Any = None,
        clip: Any = models.clip,
        vae: Any = models.vae,
        start: Path | None = None,
        samples: Studio | None = None,
        **other: Any,
    ) -> TrainedLora:
        settings, base = replace(SETTINGS, **other), tmp_path / folder
        with torch.inference_mode():
            return train(
                models.model,
                clip,
                vae,
                character,
                settings,
                base,
                "run",
                base / "loras",
                on_event,
                Extras(start=start, samples=samples or studio_of(models, steps=2, cfg=2.0)),
            )

    return start


def in_text(path: Path) -> dict[str, torch.Tensor]:
    return {key: value for key, value in read_weights(path).items() if key.startswith("lora_te")}


def sampler_of(models: TextModels, prompts: tuple[str, ...]) -> TrainingSampler:
    request = SampleRequest(studio_of(models, steps=2, cfg=2.0), prompts)
    return TrainingSampler.encoding(request)


def sample_of(trained: TrainedLora) -> torch.Tensor:
    """The last sample as it was kept, (H, W, 3) in 0..1."""
    with Image.open(trained.run.folder / "samples" / "step_000004.png") as image:
        return torch.from_numpy(np.asarray(image).copy()).float() / 255


@pytest.mark.parametrize("models", ["SD 1.5"], indirect=True)
@pytest.mark.parametrize("adapter", ["LoRA", pytest.param("DoRA", marks=pytest.mark.nightly)])
def test_a_stopped_run_ends_like_an_unbroken_one_and_samples_are_what_core_makes(
    run: Run, models: TextModels, character: Character, adapter: str
) -> None:
    weights = {key: t.clone() for key, t in models.clip.cond_stage_model.state_dict().items()}
    whole = run("whole", adapter=adapter)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(on_event=interrupt_after(3), adapter=adapter)
    parts = run(adapter=adapter)
    assert parts.run.losses == whole.run.losses
    assert parts.lora.read_bytes() == whole.lora.read_bytes()
    after = models.clip.cond_stage_model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in weights.items())

    last = parts.run.checkpoints[-1].path
    ups = [t for key, t in in_text(last).items() if key.endswith("lora_up.weight")]
    assert len(ups) == 3 * 6 and all(bool(up.any()) for up in ups)
    with safe_open(last, "pt") as file:
        assert file.metadata()["ss_text_encoder_lr"] == "0.03"
    prompts = prompts_for(character, SETTINGS.sample_prompts)
    state = read_weights(last)
    model, clip = comfy.sd.load_lora_for_models(models.model, models.clip, state, 1.0, 1.0)
    with torch.inference_mode():
        made = {
            name: sampler_of(replace(models, clip=one), prompts).make(model)[0]
            for name, one in (("both", clip), ("model alone", models.clip))
        }
    sample = sample_of(parts)
    assert float((sample - made["both"]).abs().max()) < 0.01
    assert float((sample - made["model alone"]).abs().max()) > 0.05


@pytest.mark.parametrize("models", ["SD 1.5"], indirect=True)
def test_model_and_text_encoder_are_looked_at_through_another_pair(
    run: Run, models: TextModels, character: Character
) -> None:
    with torch.inference_mode():
        other = text_models("SD 1.5")
        for weight in (*other.model.model.parameters(), *other.clip.cond_stage_model.parameters()):
            weight.mul_(1.1)
    known = {key: t.clone() for key, t in other.clip.cond_stage_model.state_dict().items()}
    trained = run(samples=studio_of(other, steps=2, cfg=2.0))
    prompts = prompts_for(character, SETTINGS.sample_prompts)
    state = read_weights(trained.run.checkpoints[-1].path)
    model, clip = comfy.sd.load_lora_for_models(other.model, other.clip, state, 1.0, 1.0)
    with torch.inference_mode():
        both = sampler_of(replace(other, clip=clip), prompts).make(model)[0]
        alone = sampler_of(other, prompts).make(model)[0]
    assert float((sample_of(trained) - both).abs().max()) < 0.01
    assert float((sample_of(trained) - alone).abs().max()) > 0.05
    after = other.clip.cond_stage_model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in known.items())
    here = run("here")
    assert here.run.losses == trained.run.losses
    assert same(here.run.checkpoints[-1].path, trained.run.checkpoints[-1].path)


@pytest.mark.parametrize("models", ["SDXL"], indirect=True)
def test_a_lora_with_text_encoders_is_gone_on_from(run: Run, tmp_path: Path) -> None:
    quiet = {"steps": 2, "sample_every": 0, "validation_shots": 0, "ema": 0.0, "prior_class": 0.0}
    first = run("first", **quiet)
    # The encoders' last layers but one are read; CLIP-G's last one makes the pooled text.
    ups = [t for key, t in in_text(first.lora).items() if key.endswith("lora_up.weight")]
    assert len(ups) == 2 * 3 * 6 and sum(bool(up.any()) for up in ups) == (2 + 3) * 6
    least = {"learning_rate": 1e-6, "text_encoder_rate": 1e-6}
    again = run("again", start=first.lora, **least, **quiet)
    before, after = read_weights(first.lora), read_weights(again.lora)
    assert before.keys() == after.keys()
    # Two steps of AdamW go no further than twice the rate.
    assert all(torch.allclose(before[key], after[key], atol=2.1e-6) for key in before)
    with pytest.raises(ValueError, match=r"changes the text encoder as well, .* turn text_encoder"):
        run("without", start=first.lora, text_encoder=False, **quiet)
    diffusers = {
        key.replace("lora_te2_text_model_encoder_layers_0_mlp_fc1", f"{DIFFUSERS}.0.mlp.fc1"): t
        for key, t in read_weights(first.lora).items()
    }
    save_file(diffusers, tmp_path / "diffusers.safetensors")
    from_diffusers = run("diffusers", start=tmp_path / "diffusers.safetensors", **least, **quiet)
    assert same(from_diffusers.lora, again.lora)


@pytest.mark.parametrize("models", ["SD 1.5"], indirect=True)
def test_another_clip_or_vae_under_the_same_name_is_another_run(
    run: Run, models: TextModels
) -> None:
    few = {"steps": 1, "sample_every": 0, "validation_shots": 0, "text_encoder": False}
    first = run(**few)
    assert "is finished already" in run(**few).note
    skipping = models.clip.clone()
    skipping.clip_layer(-1)
    layer = "lora_te_text_model_encoder_layers_0_mlp_fc1"
    state = {f"{layer}.lora_up.weight": torch.ones(96, 1)}
    state[f"{layer}.lora_down.weight"] = torch.ones(1, 48)
    _, patched = comfy.sd.load_lora_for_models(None, models.clip, state, 1.0, 1.0)
    other = small_vae(4)
    for weight in other.first_stage_model.parameters():
        weight.data.mul_(1.1)
    changed = ({"clip": skipping}, {"clip": patched}, {"vae": other})
    names = [run(**few, **given).run.name for given in changed]
    assert [first.run.name, *names] == ["run", "run_2", "run_3", "run_4"]
