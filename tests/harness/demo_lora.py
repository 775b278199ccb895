"""A LoRA of somebody whom the demo models never saw, in seconds: from true pictures of them."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from facet.engine.captions.policy import CaptionPolicy
from facet.engine.captions.writer import write_captions
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.training.loop import train
from facet.engine.training.settings import TrainingSettings
from facet.world.captions import tags_of
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.render import render
from facet.world.scene import Scene

PERSON = 4
"""The demo person of the fixtures `demo_character` and `demo_lora`."""
VIEWS = ("front", "three_quarter_left", "three_quarter_right", "profile_left", "profile_right")


def true_shot(person: int, scene: Scene) -> Shot:
    """Demo person ``person`` as they truly look in ``scene``, 128 px."""
    drawn = render(Identity.from_seed(FIRST + person), scene, 128).image
    picture = torch.from_numpy(drawn.copy()).to(torch.float32) / 255
    return Shot(picture, Provenance("imported"), tags=tags_of(scene))


def true_character(person: int, count: int = 9) -> Character:
    """The demo person with ``count`` true and captioned pictures besides the original."""
    rng = random.Random(1)
    scenes = [
        Scene.sample(rng, view=VIEWS[number % len(VIEWS)], lighting="natural")
        for number in range(count)
    ]
    source = Shot(demo_picture(person), Provenance("original"))
    shots = tuple(true_shot(person, scene) for scene in scenes)
    return write_captions(Character("Ada", "zqx", "person", source, shots), CaptionPolicy())


def trained_lora(models: DemoModels, character: Character, folder: Path, steps: int = 60) -> Path:
    """The file of a LoRA of ``character``, trained for about twelve seconds on one core."""
    settings = TrainingSettings(
        steps=steps, rank=8, learning_rate=5e-3, batch_size=4, seed=1, precision="fp32"
    )
    trained = train(
        models.model,
        models.clip,
        models.vae,
        character,
        settings,
        folder / "training",
        "v1",
        folder / "loras",
    )
    return Path(trained.lora)
