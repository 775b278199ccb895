"""The checkpoint that is most similar to the original image is the one that is handed on."""

from __future__ import annotations

import random
from pathlib import Path

import comfy.sd
import pytest
import torch

from facet.engine.comfyui.lora import read_weights
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.demo.models import DemoModels
from facet.engine.training.progress.best import OriginalSimilarity
from facet.engine.training.progress.events import TrainingEvent
from facet.engine.training.progress.samples import SampleRequest, TrainingSampler
from facet.engine.training.run import Extras, train
from facet.engine.training.run_record import load_run
from facet.engine.training.settings import TrainingSettings
from facet.world.captions import tags_of
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.render import render
from facet.world.scene import Scene
from harness.studios import studio_of

PERSON = 3
OTHER_PROMPTS = (
    "zqx person, close-up, front view, surprised, wearing white dress, in a room",
    "zqx person, medium shot, three-quarter view, facing left, wearing brown jacket, at night",
    "zqx person, close-up, three-quarter view, facing right, wearing pink sweater, in a park",
)
"""None of the prompts that the run judges itself by."""


def shot(number: int) -> Shot:
    """Picture ``number`` of a person whom the demo models have never seen; 0 from the front."""
    rng = random.Random(number)
    given = {} if number else {"view": "front", "framing": "close_up", "lighting": "natural"}
    scene = Scene.sample(rng, **given)
    drawn = render(Identity.from_seed(FIRST + PERSON), scene, 128).image
    tags = tags_of(scene)
    caption = ", ".join(["zqx person", *tags.phrases()])
    image = torch.from_numpy(drawn.copy()).float() / 255
    return Shot(image, Provenance("imported"), caption=caption, tags=tags)


def likeness(models: DemoModels, path: Path, source: torch.Tensor) -> float:
    """How alike pictures with a LoRA are, loaded by core, on prompts of our own."""
    patched, _ = comfy.sd.load_lora_for_models(models.model, None, read_weights(path), 1.0, 0.0)
    studio = studio_of(models, side=128, steps=8, cfg=3.0)
    sampler = TrainingSampler.encoding(SampleRequest(studio, OTHER_PROMPTS))
    return OriginalSimilarity(models.clip_vision, source)(sampler.make(patched))


@pytest.mark.nightly
def test_the_best_by_likeness_is_the_best_on_other_prompts_too(
    demo_models: DemoModels, tmp_path: Path
) -> None:
    """A learning rate thirty times too high: likeness comes, and is lost again."""
    shots = [shot(number) for number in range(9)]
    character = Character("Demo", "zqx", "person", shots[0], tuple(shots[1:]))
    settings = TrainingSettings(
        steps=48,
        rank=8,
        learning_rate=3e-2,
        schedule="constant",
        batch_size=2,
        ema=0.9,
        checkpoint_every=12,
        seed=PERSON,
        precision="fp32",
    )
    events: list[TrainingEvent] = []
    with torch.inference_mode():
        models = demo_models
        trained = train(
            models.model,
            models.clip,
            models.vae,
            character,
            settings,
            tmp_path / "training",
            "run",
            tmp_path / "loras",
            events.append,
            Extras(models.clip_vision, samples=studio_of(models, side=128, steps=8, cfg=3.0)),
        )
        points = trained.run.checkpoints
        others = [
            likeness(models, points[0].path, character.source.image),
            likeness(models, trained.lora, character.source.image),
            likeness(models, points[-1].path, character.source.image),
        ]
    told = {event.step: event.identity for event in events if event.identity is not None}
    assert told == {point.step: point.identity for point in points}
    assert list(told) == [12, 24, 36, 48]
    best = max(points, key=lambda point: point.identity or -1)
    assert trained.run.best == best and f"Step {best.step} is most similar" in trained.run.choice
    assert load_run(trained.run.folder).best == best

    first, chosen, last = others
    assert chosen > first + 0.1
    assert chosen > last - 0.02
