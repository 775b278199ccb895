"""Shots made with the LoRA of an earlier version are the character, and no copies of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import comfy.sd
import pytest
import torch

from facet.engine.captions.policy import CaptionPolicy
from facet.engine.captions.writer import write_captions
from facet.engine.comfyui.lora import read_weights
from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.families.modes import ReferenceMode, resolve_mode
from facet.engine.generate.attempts import Attempt
from facet.engine.generate.shots.conditioning import reference_for
from facet.engine.generate.shots.gates import IDENTITY_GATE, Gates, Thresholds
from facet.engine.generate.shots.make import plain_shoot
from facet.engine.generate.shots.plan import ShotPlan, ShotRequest
from facet.engine.generate.shots.remedies import RetryRules, more_like_the_original
from facet.engine.generate.shots.store import ShotStore
from facet.engine.studio.studio import Studio
from facet.world.probe import Probe

PERSON = 4
LORA = ReferenceMode.TRAINED_LORA
SAMPLING = Sampling(128, 128, steps=12)
SCENES = ShotPlan(
    tuple(
        ShotRequest(Tags(*what))
        for what in (
            ("close_up", "front", "smile", "", "yellow sweater", "in a park"),
            ("close_up", "three_quarter_left", "neutral", "", "white dress", "in a room"),
            ("medium", "front", "surprised", "", "brown jacket", "on a beach"),
            ("medium", "three_quarter_right", "neutral", "", "pink sweater", "in a city"),
        )
    )
)


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


@pytest.fixture(scope="module")
def ada() -> Character:
    source = Shot(demo_picture(PERSON), Provenance("original"), tags=Tags("close_up", "front"))
    return Character("Ada", "zqx", "person", source)


def gates(models: DemoModels, character: Character, min_identity: float = 0.5) -> Gates:
    limits = Thresholds(min_identity=min_identity)
    return Gates(character.source.image, limits, models.face, models.clip_vision)


def patched(models: DemoModels) -> torch.nn.Module:
    """The demo model with something in place of a LoRA."""
    key = "diffusion_model.img_in.weight"
    model = models.model.clone()
    weight = dict(model.model.named_parameters())[key]
    model.add_patches({key: (torch.zeros_like(weight),)}, 1.0)
    return model


def test_the_character_is_called_by_its_trigger(models, ada):
    reference = reference_for(LORA, patched(models), models.vae, ada, 128, 128)
    assert reference.latents == () and reference.start is None
    assert reference.prompt(Tags("close_up", "back")) == "zqx person, close-up, back view"


def test_a_model_without_a_lora_is_refused(models):
    with pytest.raises(ValueError, match="carries no LoRA, so it does not know the character"):
        resolve_mode(LORA, models.model)


def test_somebody_else_gets_a_new_seed_and_nothing_stronger():
    held = Attempt(1, "zqx person", cfg=3.0)
    assert more_like_the_original(held, 2, LORA, RetryRules()) == held


@pytest.mark.slow
@torch.inference_mode()
def test_a_lora_makes_the_shots_of_its_successor(
    models, demo_character: Character, demo_lora: Path, tmp_path: Path
) -> None:
    known = demo_character
    studio = Studio(
        models.model,
        models.clip,
        models.vae,
        SAMPLING,
        ReferenceMode.REFERENCE_LATENTS,
        strengthen_likeness=True,
    )
    model, _ = comfy.sd.load_lora_for_models(models.model, None, read_weights(demo_lora), 1.0, 0.0)
    with_lora = replace(studio, model=model, mode=LORA, strengthen_likeness=False)
    shots = plain_shoot(known, with_lora, gates(models, known), 2).run(
        SCENES, ShotStore(tmp_path / "second")
    )
    assert sum(shot.include for shot in shots) >= 3
    assert all(shot.provenance.prompt.startswith("zqx person, ") for shot in shots)
    probe = Probe()
    original = probe.read(known.source.image[None]).embedding
    strangers = probe.read(torch.stack([demo_picture(n) for n in range(20, 30)])).embedding
    made = probe.read(torch.stack([shot.image for shot in shots if shot.include])).embedding
    assert ((made @ original.T) > (made @ strangers.T).amax(1, keepdim=True)).float().mean() > 0.7
    # They join the dataset of the next version.
    second = write_captions(known.adding(shots), CaptionPolicy())
    assert len(second.dataset) == len(known.dataset) + sum(shot.include for shot in shots)
    # Held to what no picture reaches, none of them does.
    once = RetryRules(tries=1)
    strict = plain_shoot(known, with_lora, gates(models, known, 0.999), 2, once)
    refused = strict.run(ShotPlan(SCENES.requests[:1]), ShotStore(tmp_path / "second"))
    assert refused[0].score(IDENTITY_GATE).passed is False and not refused[0].include
