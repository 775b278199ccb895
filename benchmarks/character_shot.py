"""Whether trying again makes better pictures of the character, by a judge that has no say in it.

    python facet.py bench character_shot [--quick] [--json]

Held-out people of the demo world, a LoRA of each that was trained for 100 steps, and prompts that
name a view, clothes and a place that the dataset does not have. Character Shot makes each in up to
three tries, chosen by the demo's encoder on the scale of an Identity Scorer's score. What came of
it is read by the independent probe: likeness to the person's mean look over five views, where 0 is
anybody in the same scenes and 1 true pictures of the person, and the view. First tries are what one
try alone gives. The same is then asked again, and the model's steps are counted. The warnings are
held against every demo person's own words with one of them changed, and against prompts that change
none. ``--quick`` takes one person, a short training and few prompts, to see that it runs.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from ..engine.comfyui.lora import LoraFile, agreed, read_lora
from ..engine.comfyui.models import Models
from ..engine.comfyui.sampling import Sampling
from ..engine.core.character import Character
from ..engine.demo.models import DemoModels, load_models
from ..engine.generate.character_shot.conflicts import conflicts, mentions
from ..engine.generate.character_shot.judge import ImageJudge, Measures, Verdict
from ..engine.generate.character_shot.make import (
    CharacterAttempt,
    CharacterCamera,
    CharacterShoot,
)
from ..engine.scoring.calibrate import Calibration
from ..engine.scoring.candidates import candidates_of
from ..engine.scoring.evaluate import evaluate
from ..engine.scoring.protocol import prompt_suite
from ..engine.scoring.sampler import Bench
from ..engine.store.images import ImageStore
from ..engine.training.run_record import TrainingRun
from ..engine.vision.embedders import AppearanceEmbedder
from ..world.captions import identity_words, tags_of
from ..world.demo_people import COUNT, FIRST
from ..world.identity import Identity
from ..world.palette import EYES, HAIR, SKIN
from ..world.probe import Probe
from ..world.scene import Scene
from ._bars import Bar, bar
from ._identity_case import FAST, trained, true_character
from ._people import Yardstick, known_look, unseen_scene

SAMPLING = Sampling(128, 128)
TRIES = 3
ALIKE = ({"pale", "fair"}, {"tan", "brown", "dark"}, {"brown", "amber"})
"""Words of the world for one thing that people call by either: no prompt is made of such a pair."""
NAMED = {
    "skin": ("skin",),
    "hair": ("hair colour",),
    "hair_style": ("hair length", "hair colour"),
    "eyes": ("eye colour",),
    "build": ("build",),
}
"""Parts of an identity that words can contradict, and what warnings of it are about: who is bald
has hair of no colour. Glasses and what is worn in the hair are put on and off."""


@dataclass(frozen=True)
class Size:
    """How much is trained, scored and asked for; ``scenes`` are the score's."""

    people: int
    steps: int
    shots: int
    scenes: int
    prompts: int


FULL = Size(people=4, steps=100, shots=15, scenes=8, prompts=10)
QUICK = Size(people=1, steps=20, shots=6, scenes=2, prompts=2)


class TimedJudge(ImageJudge):
    """A judge that counts the processor seconds it takes."""

    seconds = 0.0

    def measure(self, image: torch.Tensor, known: Measures | None = None) -> Measures:
        begin = time.process_time()
        measures = super().measure(image, known)
        self.seconds += time.process_time() - begin
        return measures

    def judge(self, measures: Measures, view: str) -> Verdict:
        begin = time.process_time()
        verdict = super().judge(measures, view)
        self.seconds += time.process_time() - begin
        return verdict


class CountedModel:
    """A model that counts how often it is asked for a step, through ComfyUI's own hook."""

    def __init__(self, model: Any) -> None:
        self.steps = 0
        self.model = model.clone()
        self.model.set_model_unet_function_wrapper(self)

    def __call__(self, apply: Any, given: dict[str, Any]) -> Any:
        self.steps += 1
        return apply(given["input"], given["timestep"], **given["c"])


def main(quick: bool) -> dict[str, Any]:
    """Figures of every person and of the warnings, and the bars over all of them."""
    size = QUICK if quick else FULL
    people = []
    with torch.inference_mode(), tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        models, probe = load_models(), Probe()
        for person in range(size.people):
            people.append(one_person(person, size, models, probe, Path(folder) / str(person)))
            print(people[-1], flush=True)
    warned = warnings(4 if quick else COUNT)
    return {
        "bars": bars(people, warned, whole=not quick),
        "size": asdict(size),
        "people": people,
        "warnings": warned,
    }


def bars(
    people: Sequence[dict[str, Any]], warned: dict[str, float], whole: bool = True
) -> dict[str, Bar]:
    """The figures of all ``people`` and of the warnings against what is asked of them.

    whole: whether there are as many of both as the bars are made for.
    """

    def mean(key: str) -> float:
        return fmean(person[key] for person in people)

    of_many = partial(bar, judged=whole)
    gains = [gain for person in people for gain in person["gains"]]
    judging = sum(p["judging_seconds"] for p in people) / sum(p["making_seconds"] for p in people)
    return {
        "likeness of kept pictures (≥ that of first tries)": of_many(
            mean("likeness_kept"), mean("likeness_first")
        ),
        "likeness gained where a first try failed": of_many(fmean(gains) if gains else None, 0.05),
        "kept pictures with the right view": of_many(mean("view_kept"), 0.9),
        "the same (≥ that of first tries)": of_many(mean("view_kept"), mean("view_first")),
        "pictures that pass, with up to three tries": of_many(mean("pass"), 0.9),
        "the same (≥ that with one try)": of_many(mean("pass"), mean("pass_at_once")),
        "warnings that are true": of_many(warned["precision"], 0.95),
        "contradictions that are warned of": of_many(warned["recall"], 0.9),
        "time of judging / of making": of_many(judging, 0.1, "lower"),
        "steps sampled when it is asked again": bar(
            sum(p["steps_again"] for p in people), 0, "lower"
        ),
    }


def one_person(
    person: int, size: Size, models: DemoModels, probe: Probe, folder: Path
) -> dict[str, Any]:
    """A LoRA of demo person ``person``, and what Character Shot makes with it."""
    character = true_character(person, size.shots)
    run = trained(character, models, folder, size.steps, FAST)
    scale = calibration(character, run, models, size.scenes, folder / "score")
    lora = read_lora(run.checkpoints[-1].path)
    rng = random.Random(person)
    scenes = [unseen_scene(rng, index) for index in range(size.prompts)]
    prompts = [", ".join(tags_of(scene).phrases()) for scene in scenes]

    counted = CountedModel(models.model)
    judge = judge_of(character, models, scale)
    shoot = shoot_of(character, counted.model, models, lora, judge, folder / "made", TRIES)
    begin = time.process_time()
    made = shoot.run(prompts, 1, person)
    seconds = time.process_time() - begin
    steps = counted.steps
    again = judge_of(character, models, scale)
    shoot_of(character, counted.model, models, lora, again, folder / "made", TRIES).run(
        prompts, 1, person
    )

    yardstick = Yardstick.beside(probe, person, known_look(probe, FIRST + person), scenes)

    def read(tries: list[CharacterAttempt]) -> tuple[torch.Tensor, list[bool]]:
        reading = probe.read(torch.stack([one.image for one in tries]))
        seen = zip(reading.names("view"), scenes, strict=True)
        return yardstick.each(reading.embedding), [view == scene.view for view, scene in seen]

    first, kept = [one.tries[0] for one in made], [one.kept for one in made]
    (first_likeness, first_view), (likeness, view) = read(first), read(kept)
    tried = [number for number, one in enumerate(made) if len(one.tries) > 1]
    return {
        "person": person,
        "likeness_first": float(first_likeness.mean()),
        "likeness_kept": float(likeness.mean()),
        "gains": [float(likeness[number] - first_likeness[number]) for number in tried],
        "view_first": fmean(first_view),
        "view_kept": fmean(view),
        "pass_at_once": fmean(one.verdict.passed for one in first),
        "pass": fmean(one.verdict.passed for one in kept),
        "tries": fmean(len(one.tries) for one in made),
        "failed": [
            [scene.view, *one.verdict.causes]
            for scene, one in zip(scenes, kept, strict=True)
            if not one.verdict.passed
        ],
        "judging_seconds": judge.seconds,
        "making_seconds": seconds - judge.seconds,
        "steps_again": counted.steps - steps,
    }


def judge_of(character: Character, models: DemoModels, scale: Calibration) -> TimedJudge:
    """What chooses among the tries, as the node sets it up."""
    return TimedJudge(character, AppearanceEmbedder(models.clip_vision), models.face, scale)


def shoot_of(
    character: Character,
    model: Any,
    models: DemoModels,
    lora: LoraFile,
    judge: ImageJudge,
    folder: Path,
    tries: int,
) -> CharacterShoot:
    """Character Shot with ``lora`` at strength 1, pictures in ``folder``."""
    camera = CharacterCamera(Models(model, models.clip, models.vae), SAMPLING, lora, 1.0)
    return CharacterShoot(camera, agreed(character, lora)[0], judge, folder, (), tries)


def calibration(
    character: Character, run: TrainingRun, models: DemoModels, scenes: int, folder: Path
) -> Calibration:
    """The scale that the Identity Scorer's score of ``run`` sets."""
    bench = Bench(models.model, models.clip, models.vae, models.clip_vision, SAMPLING, models.face)
    candidates = candidates_of(run, None, (1.0,), 1)
    prompts = prompt_suite(character, scenes, 7)
    card = evaluate(character, candidates, bench, prompts, cache=ImageStore(folder)).card
    return card.calibration


def warnings(people: int) -> dict[str, float]:
    """How many warnings are true, and how many contradictions are warned of."""
    true = false = missed = harmless = 0
    for number in range(people):
        own = Identity.from_seed(FIRST + number)
        known = mentions([", ".join(identity_words(own))])
        for prompt, wrong in asked_of(own, random.Random(number)):
            found = {one.feature for one in conflicts(prompt, known)}
            true += bool(found & set(wrong))
            false += bool(found - set(wrong))
            missed += bool(wrong) and not found & set(wrong)
            harmless += not wrong
    return {
        "precision": true / max(1, true + false),
        "recall": true / max(1, true + missed),
        "contradicting": true + missed,
        "harmless": harmless,
    }


def asked_of(own: Identity, rng: random.Random) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Prompts for ``own`` in random scenes, and what a warning of each has to be about, if any."""

    def prompt(words: Sequence[str]) -> str:
        return ", ".join([*words, *tags_of(Scene.sample(rng)).phrases()])

    said = identity_words(own)
    yield prompt([]), ()
    yield prompt(said), ()
    yield prompt(rng.sample(said, 2)), ()
    dressed = replace(own, glasses="round", accessory="headband", accessory_colour="red")
    yield prompt([word for word in identity_words(dressed) if word not in said]), ()
    for part, features in NAMED.items():
        for value in others(part, own):
            one: dict[str, Any] = {part: value}
            changed = identity_words(replace(own, **one))
            yield prompt([word for word in changed if word not in said]), features


def others(part: str, own: Identity) -> list[str]:
    """The values of ``part`` that contradict what the words for ``own`` say of it."""
    mine = getattr(own, part)
    values = {
        "skin": list(SKIN),
        "eyes": list(EYES),
        "hair": [] if own.hair_style == "bald" else list(HAIR),
        "hair_style": {
            "short": ["long", "bald"],
            "long": ["short", "bald"],
            "bald": ["short", "long"],
        }.get(mine, ["bald"]),
        "build": [] if mine == "average" else ["slim", "stocky"],
    }[part]
    return [one for one in values if one != mine and not any({one, mine} <= a for a in ALIKE)]
