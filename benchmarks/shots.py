"""Whether accepted shots show what was asked for and who it should be, and what measuring costs.

    python facet.py bench shots [--quick] [--json]

Held-out people of the demo world, and a plan of 40 for each: a turnaround and a portrait set. What
the shots show is read by the independent probe, which the gates do not use. The mean of the first
tries is what shooting without gates and retries gives. Each plan is then run again, and what it
samples is counted. The gates' cost is processor time, so that nothing else on the machine decides
it. ``--quick`` takes one person and a plan of 8.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from ..engine.comfyui.sampling import OnStep, Sampling
from ..engine.core.character import Character, Provenance, Score, Shot, Tags
from ..engine.demo.models import DemoModels, load_models
from ..engine.demo.people import demo_picture
from ..engine.generate.attempts import Attempt
from ..engine.generate.shots.camera import ShotCamera
from ..engine.generate.shots.conditioning import ReferenceMode
from ..engine.generate.shots.gates import Gates, ShotLook, Thresholds
from ..engine.generate.shots.make import Shoot, ShotProgress, plain_kind
from ..engine.generate.shots.plan import ShotPlan
from ..engine.generate.shots.presets import portrait, turnaround
from ..engine.generate.shots.reading import Reading
from ..engine.generate.shots.store import ShotStore
from ..engine.studio.studio import Studio
from ..world.probe import Probe
from ._bars import Bar, bar
from ._people import TRIGGER


@dataclass(frozen=True)
class Size:
    """How many people, and shots of each."""

    people: int
    shots: int


FULL = Size(people=12, shots=40)
QUICK = Size(people=1, shots=8)


class TimedGates(Gates):
    """Gates that count the processor seconds they take."""

    seconds = 0.0

    def read(self, image: torch.Tensor, known: Reading | None = None) -> Reading:
        begin = time.process_time()
        reading = super().read(image, known)
        self.seconds += time.process_time() - begin
        return reading

    def judge(
        self,
        reading: Reading,
        tags: Tags,
        this: ShotLook | None = None,
        others: Sequence[ShotLook] = (),
    ) -> tuple[Score, ...]:
        begin = time.process_time()
        scores = super().judge(reading, tags, this, others)
        self.seconds += time.process_time() - begin
        return scores


class TimedCamera(ShotCamera):
    """A camera that counts its images and the processor seconds they take."""

    seconds, pictures = 0.0, 0

    def image(self, attempt: Attempt, on_step: OnStep | None = None) -> torch.Tensor:
        begin = time.process_time()
        image = super().image(attempt, on_step)
        self.seconds += time.process_time() - begin
        self.pictures += 1
        return image


@dataclass
class Tally:
    """What became of the lines of a plan: the first try of each, and the shot that was kept."""

    first: list[Shot] = field(default_factory=list)
    passed_at_once: int = 0
    kept: list[Shot] = field(default_factory=list)

    def __call__(self, progress: ShotProgress) -> None:
        """Hears of a try, as `Shoot.run` tells of it."""
        shot = progress.shot
        if shot is None:
            return
        if progress.attempt == 1:
            self.first.append(shot)
            self.passed_at_once += progress.state == "accepted"
        if progress.ended:
            self.kept.append(shot)

    @property
    def accepted(self) -> list[Shot]:
        """The shots that passed every gate."""
        return [shot for shot in self.kept if shot.include]


def main(quick: bool) -> dict[str, Any]:
    """Figures of every person, and the bars over all of them."""
    size = QUICK if quick else FULL
    people = []
    with torch.inference_mode(), tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        models, probe = load_models(), Probe()
        for number in range(size.people):
            people.append(one_person(number, size.shots, models, probe, Path(folder) / str(number)))
            print(people[-1], flush=True)
    return {"bars": bars(people, whole=not quick), "size": asdict(size), "people": people}


def bars(people: list[dict[str, float]], whole: bool = True) -> dict[str, Bar]:
    """The figures of all ``people`` against what is asked of them.

    whole: whether they are as many as the bars are made for.
    """

    def mean(key: str) -> float:
        return fmean(person[key] for person in people)

    of_many = partial(bar, judged=whole)
    cost = sum(p["gate_seconds"] for p in people) / sum(p["sampling_seconds"] for p in people)
    at_once = mean("accepted_at_once")
    return {
        "accepted shots with the right view": of_many(mean("right_view"), 0.90),
        "accepted shots with the right framing": of_many(mean("right_framing"), 0.85),
        "accepted shots with the right expression": of_many(mean("right_expression"), 0.85),
        "identity of accepted shots (≥ that of first tries)": of_many(
            mean("identity_accepted"), mean("identity_first_tries")
        ),
        "accepted with retries (≥ that without)": of_many(mean("accepted"), at_once),
        "time of the gates / of sampling": of_many(cost, 0.10, "lower"),
        "pictures sampled when plans run again": bar(
            sum(p["sampled_again"] for p in people), 0, "lower"
        ),
    }


def one_person(
    number: int, count: int, models: DemoModels, probe: Probe, folder: Path
) -> dict[str, float]:
    """The shoot of demo person ``number`` with a plan of ``count``, twice, as the probe reads it.

    Identities are cosines of the probe's embeddings with the original's.
    """
    source = Shot(demo_picture(number), Provenance("original"), tags=Tags("close_up", "front"))
    character = Character(f"Person {number}", TRIGGER, "person", source)
    studio = Studio(
        models.model,
        models.clip,
        models.vae,
        Sampling(128, 128),
        ReferenceMode.REFERENCE_LATENTS,
        strengthen_likeness=True,
    )
    around = turnaround().requests
    plan = ShotPlan((*around, *portrait(max(16, count - len(around))).requests)[:count])
    gates = TimedGates(source.image, Thresholds(), models.face, models.clip_vision)
    camera = TimedCamera(character, studio)
    shoot = Shoot(character, gates, number, plain_kind(camera, gates))
    tally = Tally()
    shoot.run(plan, ShotStore(folder), tally)
    sampled, sampling_seconds, gate_seconds = camera.pictures, camera.seconds, gates.seconds
    shoot.run(plan, ShotStore(folder))

    original = probe.read(source.image[None]).embedding[0]

    def identity(shots: list[Shot]) -> float:
        read = probe.read(torch.stack([shot.image for shot in shots]))
        return float((read.embedding @ original).mean())

    accepted = tally.accepted or tally.kept
    read = probe.read(torch.stack([shot.image for shot in accepted]))

    def right(axis: str) -> float:
        asked = [getattr(shot.tags, axis) for shot in accepted]
        pairs = zip(read.names(axis), asked, strict=True)
        return fmean(seen == wanted for seen, wanted in pairs if wanted)

    return {
        "person": number,
        "shots": len(plan.requests),
        "sampled": sampled,
        "accepted": len(tally.accepted) / len(tally.kept),
        "accepted_at_once": tally.passed_at_once / len(tally.kept),
        "right_view": right("view"),
        "right_framing": right("framing"),
        "right_expression": right("expression"),
        "identity_accepted": identity(accepted),
        "identity_first_tries": identity(tally.first),
        "sampling_seconds": sampling_seconds,
        "gate_seconds": gate_seconds,
        "sampled_again": camera.pictures - sampled,
    }
