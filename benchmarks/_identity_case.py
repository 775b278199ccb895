"""One person of the demo world, LoRAs of known quality, and what the scorer says of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from ..engine.comfyui.sampling import Sampling
from ..engine.core.character import Character, Provenance, Shot, Tags
from ..engine.demo.models import DemoModels
from ..engine.demo.people import demo_picture
from ..engine.scoring.adherence import asked_backdrop, asked_clothes
from ..engine.scoring.candidates import candidates_of
from ..engine.scoring.choice import as_like, copies
from ..engine.scoring.evaluate import Evaluation, evaluate
from ..engine.scoring.measure import SampleMeter
from ..engine.scoring.metrics import COPIES, LEAKS, POSE_COPIES
from ..engine.scoring.probes import attribute_prompts, leak_prompts, trigger_prompts
from ..engine.scoring.protocol import TestPrompt, prompt_suite
from ..engine.scoring.sampler import Bench, Candidate, CandidateSampler
from ..engine.scoring.score import ScoreCard
from ..engine.scoring.variant import Variant
from ..engine.store.images import ImageStore
from ..engine.training.run import train
from ..engine.training.run_record import TrainingRun
from ..engine.training.settings import TrainingSettings
from ..engine.vision.embedders import AppearanceEmbedder
from ..world.captions import tags_of
from ..world.demo_people import FIRST
from ..world.identity import Identity
from ..world.probe import Probe
from ..world.render import render
from ..world.scene import PLACES, TOPS, Scene
from ._people import TRIGGER, UNSEEN_PLACES, UNSEEN_TOPS, VIEWS, Yardstick, unseen_scene

CALLED = f"{TRIGGER} person"
STEPS = (25, 50, 100, 200, 400)
STRENGTHS, LATEST = (0.5, 0.75, 1.0), 3
"""What is chosen among: so many of the last checkpoints, at each of the strengths."""
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
        steps=steps,
        rank=16,
        learning_rate=rate,
        precision="fp32",
        checkpoint_every=every,
        schedule="constant",
    )
    return train(
        models.model,
        models.clip,
        models.vae,
        character,
        settings,
        folder / "training",
        "run",
        folder / "loras",
    ).run


@dataclass(frozen=True)
class Case:
    """One person of the demo world, and where what was made of them is kept.

    A LoRA that was trained there, and a picture that was made, are not made again.
    """

    person: int
    size: Size
    models: DemoModels
    folder: Path

    @property
    def identity(self) -> Identity:
        """Who it is in truth."""
        return Identity.from_seed(FIRST + self.person)

    @property
    def character(self) -> Character:
        """The person with true shots in many clothes."""
        return true_character(self.person, self.size.shots)

    def trained(
        self, name: str, character: Character, steps: int, rate: float, every: int = 0
    ) -> TrainingRun:
        """A LoRA of ``character``'s dataset, with a checkpoint after each ``every`` steps."""
        return trained(character, self.models, self.folder / name, steps, rate, every)

    def good(self) -> TrainingRun:
        """The LoRA of the person, with the checkpoints that are looked at."""
        run = self.trained("good", self.character, self.size.steps[-1], SLOW, self.size.steps[0])
        wanted = tuple(point for point in run.checkpoints if point.step in self.size.steps)
        return replace(run, checkpoints=wanted)

    def memorised(self) -> TrainingRun:
        """A LoRA of one of the person's pictures alone."""
        character = self.character
        alone = character.shots[0]
        one_shot = replace(
            character,
            source=replace(character.source, include=False),
            shots=tuple(
                replace(shot, include=shot is alone, caption=CALLED) for shot in character.shots
            ),
        )
        return self.trained("copy", one_shot, self.size.memorise, FAST)

    def dressed_alike(self) -> Character:
        """The person with true shots in one outfit, which no caption names."""
        return true_character(self.person, self.size.shots, **PLANTED)

    def scored(self, character: Character, run: TrainingRun, first_look: int = 4) -> Evaluation:
        """What the scorer makes of every checkpoint of ``run`` at strength 1."""
        size = self.size
        prompts = (
            *prompt_suite(character, size.scenes, 7),
            *attribute_prompts(character, size.probes // 2, 7),
            *trigger_prompts(size.probes, 7),
            *leak_prompts(size.probes // 2, 7),
        )
        candidates = candidates_of(run, None, (1.0,), len(run.checkpoints))
        cache = ImageStore(self.folder / "pictures")
        return evaluate(
            character, candidates, self.bench, prompts, cache=cache, first_look=first_look
        )

    def made(self, candidate: Candidate, prompts: Sequence[TestPrompt]) -> torch.Tensor:
        """Pictures (N, H, W, 3) of the person by ``candidate``."""
        make = CandidateSampler(self.bench, ImageStore(self.folder / "pictures")).make(candidate)
        who = self.character.phrase
        return torch.stack([make(one.text(who), one.seed) for one in prompts])

    @property
    def bench(self) -> Bench:
        """The demo's models, all of them."""
        models = self.models
        return Bench(
            models.model,
            models.clip,
            models.vae,
            models.clip_vision,
            Sampling(128, 128),
            models.face,
            background=models.background,
        )


def agreement(probe: Probe, identity: Identity, pictures: list[torch.Tensor]) -> float:
    """How surely the probe reads the person's own attributes off ``pictures``."""
    reading = probe.read(torch.stack(pictures))
    return fmean(float(reading.certainty(name, getattr(identity, name)).mean()) for name in LOOKS)


def obedience(probe: Probe, evaluation: Evaluation) -> list[bool]:
    """Whether the probe agrees with each thing that the scorer says a picture shows, or not."""
    agree: list[bool] = []
    for one in (evaluation.card.off, *evaluation.card.tried):
        scenes = one.scenes
        reading = probe.read(torch.stack(evaluation.pictures[one.label][: len(scenes)]))
        read = {
            name: reading.names(name)
            for name in ("view", "framing", "expression", "top_colour", "background_colour")
        }
        plain = reading.names("place")
        for number, sample in enumerate(scenes):
            tags = sample.prompt.tags
            asked = {
                "top_colour": asked_clothes(sample.text) if sample.shown.clothes else "",
                "background_colour": asked_backdrop(sample.text),
            }
            colours = [
                read[name][number] == colour and (name == "top_colour" or plain[number] == "plain")
                for name, colour in asked.items()
                if colour
            ]
            pairs = [
                (sample.right_view, read["view"][number] == tags.view),
                (sample.right_framing, read["framing"][number] == tags.framing),
                (sample.right_expression, read["expression"][number] == tags.expression),
                *zip(sample.right_colours, colours, strict=True),
            ]
            agree += [said == true for said, true in pairs if said is not None]
    return agree


def choice(case: Case, probe: Probe) -> dict[str, Any]:
    """Which checkpoint at which strength the scorer chooses, and how far the probe sees it behind:
    in likeness behind the likest that does not copy, in obedience behind the best of those that
    the scorer finds as like."""
    run = case.good()
    run = replace(run, checkpoints=run.checkpoints[-LATEST:])
    candidates = candidates_of(run, None, STRENGTHS, LATEST)
    prompts = prompt_suite(case.character, case.size.scenes, 7)
    cache = ImageStore(case.folder / "pictures")
    card = evaluate(case.character, candidates, case.bench, prompts, cache=cache).card
    scenes = [unseen_scene(random.Random(index), index) for index in range(24)]
    yardstick = Yardstick.of(probe, case.person, demo_picture(case.person), scenes)
    likeness, obeyed = [], []
    for candidate in candidates:
        reading = probe.read(case.made(candidate, prompts))
        likeness.append(min(1.0, yardstick.identity(reading.embedding)))
        obeyed.append(
            fmean(
                seen == getattr(prompt.tags, name)
                for name in ("view", "framing", "expression")
                for seen, prompt in zip(reading.names(name), prompts, strict=True)
            )
        )
    tried, labels = card.compared, [one.label for one in candidates]
    chosen = labels.index(card.best.label)
    clean = [n for n, one in enumerate(tried) if n == chosen or not copies(one)]
    alike = as_like(tried, card.calibration.most) or [chosen]
    return {
        "chosen": card.best.label,
        "as like": [labels[n] for n in alike],
        "likeness": dict(zip(labels, likeness, strict=True)),
        "obedience": dict(zip(labels, obeyed, strict=True)),
        "less like": max(likeness[n] for n in clean) - likeness[chosen],
        "obeys less": max(obeyed[n] for n in alike) - obeyed[chosen],
        "scenes made": sum(len(one.scenes) for one in tried) / (len(tried) * len(prompts)),
        "verdict": card.verdict,
    }


def one_person(case: Case, other: TrainingRun, probe: Probe) -> dict[str, Any]:
    """What is found out about one person. other: a good LoRA of somebody else."""
    character, size = case.character, case.size
    evaluation = case.scored(character, case.good(), size.scenes)
    card = evaluation.card
    figures: dict[str, Any] = {
        "person": case.person,
        "steps": [one.step for one in card.tried],
        "truth": [
            agreement(probe, case.identity, evaluation.pictures[one.label][: size.scenes])
            for one in card.tried
        ],
        "score": [one.identity.value for one in card.tried],
        "verdict": card.verdict,
        "choice": choice(case, probe),
        "good called a copy": _copies(card),
        "good copies": _copy_rates(card.tried[-1]),
        "good leaks": _leaks(card),
        "obeys as the probe reads": fmean(obedience(probe, evaluation)),
        "measuring": _measuring(case, evaluation) / _sampling(case, evaluation),
    }

    copy = case.scored(character, case.memorised()).card
    figures["copy called a copy"] = _copies(copy)
    figures["copy rate"] = _copy_rates(copy.best)

    last = replace(other.checkpoints[-1], step=1)
    wrong = case.scored(character, replace(other, checkpoints=(last,))).card
    null = [one.score for one in wrong.off.samples if one.score is not None]
    figures["wrong person"] = wrong.best.identity.value
    if null:
        figures["null"] = [float(value) for value in np.quantile(null, (0.025, 0.975))]

    alike = case.dressed_alike()
    leak = case.scored(alike, case.trained("leak", alike, size.leak, FAST)).card
    figures["planted leak found"] = _leaks(leak)
    figures["leak rate"] = [leak.best[LEAKS].value, leak.off[LEAKS].value]
    return figures


def _copies(card: ScoreCard) -> bool:
    """Whether the verdict on the last LoRA would call it a copy."""
    last, off = card.tried[-1], card.off
    return any(one.rule.holds(last[one], off[one]) is False for one in (COPIES, POSE_COPIES))


def _copy_rates(one: Variant) -> list[float | None]:
    """How often whole images are copied, and people alone."""
    return [one[COPIES].value, one[POSE_COPIES].value]


def _leaks(card: ScoreCard) -> bool:
    """Whether the verdict speaks of a leak."""
    return LEAKS.rule.holds(card.best[LEAKS], card.off[LEAKS]) is False


def _timed(work: Callable[[], Any]) -> float:
    """Processor time that ``work`` takes, in seconds."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _measuring(case: Case, evaluation: Evaluation) -> float:
    """Processor time that it takes to measure the LoRA-off pictures."""
    models = case.models
    embedder = AppearanceEmbedder(models.clip_vision)
    meter = SampleMeter(
        case.character, embedder, models.clip_vision, models.face, models.background
    )
    off = evaluation.card.off
    pairs = list(zip(off.samples, evaluation.pictures[off.label], strict=True))
    meter.sample(pairs[0][0].prompt, pairs[0][0].text, pairs[0][1])  # what is loaded only once
    return _timed(lambda: [meter.sample(one.prompt, one.text, image) for one, image in pairs])


def _sampling(case: Case, evaluation: Evaluation) -> float:
    """Processor time that it takes to make the LoRA-off pictures, by the first four of them."""
    make = CandidateSampler(case.bench).make(None)
    samples = evaluation.card.off.samples
    make(samples[0].text, samples[0].prompt.seed)
    few = samples[:4]
    seconds = _timed(lambda: [make(one.text, one.prompt.seed) for one in few])
    return seconds * len(samples) / len(few)
