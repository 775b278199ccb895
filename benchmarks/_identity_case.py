"""One person of the demo world, LoRAs of known quality, and what the scorer says of them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from ..engine.character import Character, Provenance, Shot, Tags
from ..engine.demo.models import DemoModels
from ..engine.demo.people import demo_picture
from ..engine.identity.cache import PictureCache
from ..engine.identity.candidates import candidates_of
from ..engine.identity.evaluate import Evaluation, evaluate
from ..engine.identity.measure import Meter
from ..engine.identity.probes import attribute_prompts, leak_prompts, trigger_prompts
from ..engine.identity.protocol import prompt_suite
from ..engine.identity.sampler import Bench
from ..engine.identity.verdict import COPY_RATE, LEAK_RATE
from ..engine.measure.embedders import AppearanceEmbedder
from ..engine.run import Checkpoint, TrainingRun
from ..engine.sampling import Sampling
from ..engine.training.loop import train
from ..engine.training.settings import TrainingSettings
from ..world.captions import tags_of
from ..world.demo_people import FIRST
from ..world.identity import Identity
from ..world.probe import Probe
from ..world.render import render
from ..world.scene import PLACES, TOPS, Scene
from ._people import TRIGGER, UNSEEN_PLACES, UNSEEN_TOPS, VIEWS

CALLED = f"{TRIGGER} person"
STEPS = (25, 50, 100, 200, 400)
SLOW, FAST = 1e-3, 3e-3
"""Learning rates: one at which likeness rises over all of the steps, and one that is soon done."""
LOOKS = ("skin", "hair", "hair_style", "eyes", "face_shape", "glasses", "beard", "accessory")
PLANTED = {"top": "hoodie", "top_colour": "red", "bottom": "trousers", "bottom_colour": "red"}


@dataclass(frozen=True)
class Size:
    """How much is trained and scored for one person."""

    steps: tuple[int, ...]
    shots: int
    scenes: int
    probes: int
    memorise: int
    leak: int


def drawn(identity: Identity, scene: Scene) -> torch.Tensor:
    """The renderer's picture (128, 128, 3) in 0..1."""
    image = torch.from_numpy(render(identity, scene, 128).image.copy())
    return image.to(torch.float32) / 255


def true_character(person: int, count: int, **fixed: str) -> Character:
    """Demo person ``person`` with ``count`` true shots; ``fixed`` is the same in all of them."""
    identity, rng = Identity.from_seed(FIRST + person), random.Random(person)
    shots = []
    for number in range(count):
        free = {
            "view": VIEWS[number % len(VIEWS)],
            "top": rng.choice([top for top in TOPS if top not in UNSEEN_TOPS]),
            "place": rng.choice([place for place in PLACES if place not in UNSEEN_PLACES]),
        }
        scene = Scene.sample(rng, **{**free, **fixed})
        tags = tags_of(scene)
        said = replace(tags, outfit="") if fixed else tags
        caption = ", ".join([CALLED, *said.phrases()])
        shots.append(
            Shot(drawn(identity, scene), Provenance("imported"), caption=caption, tags=tags)
        )
    source = Shot(
        demo_picture(person),
        Provenance("original"),
        caption=CALLED,
        tags=Tags("close_up", "front"),
        include=not fixed,
    )
    return Character(f"Person {person}", TRIGGER, "person", source, tuple(shots))


def trained(
    character: Character, models: DemoModels, folder: Path, steps: int, rate: float, every: int = 0
) -> TrainingRun:
    """A LoRA of ``character``'s dataset, with a checkpoint after each ``every`` steps."""
    settings = TrainingSettings(
        steps=steps, rank=16, learning_rate=rate, precision="fp32", checkpoint_every=every,
        schedule="constant",
    )  # fmt: skip
    return train(
        models.model, models.clip, models.vae, character, settings, folder / "training", "run",
        folder / "loras",
    ).run  # fmt: skip


def scored(
    character: Character, run: TrainingRun, models: DemoModels, size: Size, folder: Path,
    first_look: int = 4,
) -> Evaluation:  # fmt: skip
    """What the scorer makes of every checkpoint of ``run`` at strength 1."""
    prompts = (
        *prompt_suite(character, size.scenes, 7),
        *attribute_prompts(character, size.probes // 2, 7),
        *trigger_prompts(size.probes, 7),
        *leak_prompts(size.probes // 2, 7),
    )
    bench = Bench(
        models.model, models.clip, models.vae, models.clip_vision, Sampling(128, 128), models.face
    )
    candidates = candidates_of(run, None, (1.0,), len(run.checkpoints))
    return evaluate(
        character, candidates, bench, prompts, cache=PictureCache(folder), first_look=first_look
    )


def agreement(probe: Probe, identity: Identity, pictures: list[torch.Tensor]) -> float:
    """How surely the probe reads the person's own attributes off ``pictures``."""
    reading = probe.read(torch.stack(pictures))
    return fmean(
        float(reading.certainty(name, getattr(identity, name)).mean()) for name in LOOKS
    )


def one_person(
    person: int, other: TrainingRun | None, size: Size, models: DemoModels, probe: Probe,
    folder: Path,
) -> tuple[dict[str, Any], TrainingRun]:  # fmt: skip
    """What is found out about one person, and the run of its good LoRA for the next one.

    other: a good LoRA of somebody else.
    """
    identity = Identity.from_seed(FIRST + person)
    character = true_character(person, size.shots)
    pictures = folder / "pictures"
    run = trained(character, models, folder / "good", size.steps[-1], SLOW, size.steps[0])
    wanted = [point for point in run.checkpoints if point.step in size.steps]
    begin = time.process_time()
    evaluation = scored(
        character, replace(run, checkpoints=tuple(wanted)), models, size, pictures, size.scenes
    )
    seconds = time.process_time() - begin
    card = evaluation.card
    truth = [
        agreement(probe, identity, evaluation.pictures[one.label][: size.scenes])
        for one in card.tried
    ]
    said = [one.identity.value for one in card.tried]
    figures: dict[str, Any] = {
        "person": person,
        "steps": [one.step for one in card.tried],
        "truth": truth,
        "score": said,
        "verdict": card.verdict,
        "good called a copy": (card.tried[-1].copies.value or 0.0) > COPY_RATE,
        "good leaks": _leaks(evaluation),
        "measuring": _measuring(character, models, evaluation) / max(seconds, 1e-9),
    }

    alone = character.shots[0]
    one_shot = replace(
        character,
        source=replace(character.source, include=False),
        shots=tuple(
            replace(shot, include=shot is alone, caption=CALLED) for shot in character.shots
        ),
    )
    memorised = trained(one_shot, models, folder / "copy", size.memorise, FAST)
    copy = scored(character, memorised, models, size, pictures).card
    figures["copy called a copy"] = (copy.best.copies.value or 0.0) > COPY_RATE
    figures["copy rate"] = copy.best.copies.value

    if other is not None:
        last = Checkpoint(1, other.checkpoints[-1].path, 0.0)
        wrong = scored(character, replace(other, checkpoints=(last,)), models, size, pictures).card
        null = [one.score for one in wrong.off.scenes if one.score is not None]
        low, high = np.quantile(null, (0.025, 0.975))
        figures["wrong person"] = wrong.best.identity.value
        figures["null"] = [float(low), float(high)]

    same_clothes = true_character(person, size.shots, **PLANTED)
    leaking = trained(same_clothes, models, folder / "leak", size.leak, FAST)
    leak = scored(same_clothes, leaking, models, size, pictures)
    figures["planted leak found"] = _leaks(leak)
    figures["leak rate"] = [leak.card.best.leaks.value, leak.card.off.leaks.value]
    return figures, run


def _leaks(evaluation: Evaluation) -> bool:
    """Whether the verdict speaks of a leak."""
    best, off = evaluation.card.best.leaks.value, evaluation.card.off.leaks.value
    return best is not None and best - (off or 0.0) > LEAK_RATE


def _measuring(character: Character, models: DemoModels, evaluation: Evaluation) -> float:
    """Processor time that the measuring of all pictures of ``evaluation`` takes."""
    begin = time.process_time()
    embedder = AppearanceEmbedder(models.clip_vision)
    meter = Meter(character, embedder, models.clip_vision, models.face)
    for one in (evaluation.card.off, *evaluation.card.tried):
        for sample, image in zip(one.samples, evaluation.pictures[one.label], strict=True):
            meter.sample(sample.prompt, sample.text, image)
    return time.process_time() - begin
