"""The whole flow on people whom no model has seen, judged by the independent probe.

    python facet.py bench end_to_end [--quick] [--json]

From one picture of each person: shots, captions, a LoRA, and pictures by its trigger in outfits and
places that the dataset does not have. Calibrated identity is 0 for true pictures of strangers and 1
for true pictures of the same person, in the same scenes. ``--quick`` takes one person, fewer shots
and a short training, to see that it runs.
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ..engine.captions.policy import CaptionPolicy, PolicyKind
from ..engine.captions.writer import write_captions
from ..engine.comfyui.sampling import Sampling
from ..engine.core.character import Character, Provenance, Shot, Tags
from ..engine.demo.models import DemoModels, load_models
from ..engine.demo.people import demo_picture
from ..engine.generate.shots.conditioning import ReferenceMode
from ..engine.generate.shots.gates import Gates, Thresholds
from ..engine.generate.shots.make import plain_shoot
from ..engine.generate.shots.plan import ShotPlan
from ..engine.generate.shots.presets import portrait, turnaround
from ..engine.generate.shots.store import ShotStore
from ..engine.studio.studio import Studio
from ..engine.training.run import train
from ..engine.training.settings import TrainingSettings
from ..engine.vision.copies import CopyFinder
from ..world.captions import identity_words
from ..world.demo_people import FIRST
from ..world.identity import Identity
from ..world.probe import Probe
from ._bars import bar
from ._people import GALLERY, TRIGGER, Yardstick, asked, known_look, load_with_core, unseen_scene

TRAINING: dict[str, Any] = {"rank": 16, "learning_rate": 3e-3, "batch_size": 8}


@dataclass(frozen=True)
class Size:
    """How much of the flow to run."""

    people: int
    shots: int
    steps: int
    prompts: int
    gallery: int


FULL = Size(people=12, shots=16, steps=300, prompts=15, gallery=99)
QUICK = Size(people=1, shots=2, steps=20, prompts=3, gallery=20)


def main(quick: bool) -> dict[str, Any]:
    """Figures of every person, and the bars over all of them."""
    size = QUICK if quick else FULL
    with torch.inference_mode(), tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        models, probe = load_models(), Probe()
        gallery = torch.stack([known_look(probe, number) for number in GALLERY[: size.gallery]])
        people = []
        for number in range(size.people):
            people.append(one_person(number, size, models, probe, gallery, Path(folder)))
            print(people[-1], flush=True)

    def mean(key: str) -> float:
        return sum(person[key] for person in people) / len(people)

    of_many = partial(bar, judged=not quick)
    return {
        "bars": {
            "accepted shots with the right view": of_many(mean("right_view"), 0.95),
            "identity with the LoRA": of_many(mean("with_lora"), 0.75),
            "identity without the LoRA": of_many(mean("without_lora"), 0.10, "lower"),
            "identity above description in words": of_many(
                mean("with_lora") - mean("in_words"), 0.10
            ),
            "top-1 among 100 people": of_many(mean("top1"), 0.60),
            "copies of a training picture": of_many(mean("copies"), 0.05, "lower"),
        },
        "size": asdict(size),
        "people": people,
    }


def one_person(
    number: int,
    size: Size,
    models: DemoModels,
    probe: Probe,
    gallery: torch.Tensor,
    folder: Path,
) -> dict[str, Any]:
    """The flow for demo person ``number`` and what the probe says of it."""
    begin = time.monotonic()
    identity = Identity.from_seed(FIRST + number)
    source = Shot(demo_picture(number), Provenance("original"), tags=Tags("close_up", "front"))
    character = Character(f"Person {number}", TRIGGER, "person", source)
    sampling = Sampling(128, 128)
    studio = Studio(
        models.model,
        models.clip,
        models.vae,
        sampling,
        ReferenceMode.REFERENCE_LATENTS,
        strengthen_likeness=True,
    )
    gates = Gates(source.image, Thresholds(), models.face, models.clip_vision)
    plan = ShotPlan((*turnaround().requests, *portrait(16).requests)[: 6 + size.shots])
    shots = plain_shoot(character, studio, gates, seed=number).run(
        plan, ShotStore(folder / f"{number}-shots")
    )
    accepted = [shot for shot in shots if shot.include]
    character = write_captions(
        character.adding(shots), CaptionPolicy(PolicyKind.BIND_TO_TRIGGER), keep_existing=False
    )
    shot_seconds = time.monotonic() - begin

    begin = time.monotonic()
    trained = train(
        models.model,
        models.clip,
        models.vae,
        character,
        TrainingSettings(steps=size.steps, seed=number, **TRAINING),
        folder / f"{number}-training",
        "run",
        folder / f"{number}-lora",
    )
    training_seconds = time.monotonic() - begin
    with_lora = load_with_core(models.model, trained.lora)

    rng = random.Random(number)
    scenes = [unseen_scene(rng, index) for index in range(size.prompts)]
    words = ", ".join(["person", *identity_words(identity)])
    called = f"{TRIGGER} person"
    pictures = {
        "with_lora": asked(with_lora, models, sampling, called, scenes),
        "without_lora": asked(models.model, models, sampling, called, scenes),
        "in_words": asked(models.model, models, sampling, words, scenes),
    }
    reading = {name: probe.read(images).embedding for name, images in pictures.items()}
    yardstick = Yardstick.of(probe, number, source.image, scenes)
    looks = torch.cat([known_look(probe, FIRST + number)[None], gallery])
    views = probe.read(torch.stack([shot.image for shot in accepted or shots])).names("view")
    finder = CopyFinder(
        character.dataset, probe.read(torch.stack([s.image for s in character.dataset])).embedding
    )
    copies = [
        finder.nearest(image, embedding).copied
        for image, embedding in zip(pictures["with_lora"], reading["with_lora"], strict=True)
    ]
    return {
        "person": number,
        "accepted": len(accepted) / len(shots),
        "tries": sum(shot.provenance.tries for shot in shots) / len(shots),
        "right_view": share(
            view == shot.tags.view for view, shot in zip(views, accepted or shots, strict=True)
        ),
        **{name: yardstick.identity(embeddings) for name, embeddings in reading.items()},
        "top1": share((reading["with_lora"] @ looks.T).argmax(1) == 0),
        "copies": share(copies),
        "shot_seconds": shot_seconds,
        "training_seconds": training_seconds,
    }


def share(hits: Any) -> float:
    """How many of ``hits`` are true."""
    found = [bool(hit) for hit in hits]
    return sum(found) / len(found) if found else 0.0
