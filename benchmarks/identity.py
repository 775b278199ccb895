"""Whether the scorer can be trusted, in the demo world where the truth is known.

    python facet.py bench identity [--quick] [--json]

On people whom no model has seen: likeness ranks true pictures of a person above those of others; it
orders LoRAs trained for 25 to 400 steps as the person's attributes do, read off the same pictures
by an independent judge; a LoRA of a single picture is called a copy and a good one is not; somebody
else's LoRA scores as strangers do; a garment that all training pictures share, and no caption
names, is found where nobody asked for it; of checkpoints at strengths it chooses one that the judge
finds as like as the best and as obedient as those that are; what the scorer says of views,
framings, expressions and colours is what the judge reads; and the intervals hold what they promise.
``--quick`` takes one person and short trainings, to see that it runs.

The LoRAs and pictures are kept in .facet/bench/identity, so that a run that was stopped goes on,
and one after a change of the scorer samples nothing again.
"""

from __future__ import annotations

import random
import tempfile
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau, rankdata

from ..engine.demo.models import DemoModels, load_models
from ..engine.demo.people import demo_picture
from ..engine.scoring.calibrate import Calibration
from ..engine.scoring.sample import CLOSE
from ..engine.vision.embedding import embed
from ..world.demo_people import FIRST
from ..world.identity import Identity
from ..world.probe import Probe
from ..world.scene import Scene
from ._bars import bar
from ._identity_case import STEPS, Case, Size, drawn, one_person
from ._people import GALLERY, VIEWS

FULL = Size(steps=STEPS, shots=15, scenes=12, probes=8, memorise=300, leak=200)
QUICK = Size(steps=(10, 20), shots=6, scenes=4, probes=2, memorise=20, leak=20)
PEOPLE, RANKED, REPEATS = 12, 20, 200
KEPT = Path(__file__).resolve().parents[1] / ".facet" / "bench" / "identity"


def main(quick: bool) -> dict[str, Any]:
    """Figures of every person, and the bars over all of them."""
    size = QUICK if quick else FULL
    with torch.inference_mode(), tempfile.TemporaryDirectory(prefix="facet-bench-") as temporary:
        models, probe = load_models(), Probe()
        same_view, across = ranking(models, 2 if quick else RANKED)
        covered = coverage(models, 20 if quick else REPEATS)
        folder = Path(temporary) if quick else KEPT
        cases = [Case(n, size, models, folder / str(n)) for n in range(2 if quick else PEOPLE)]
        people: list[dict[str, Any]] = []
        for case in cases[:1] if quick else cases:
            people.append(one_person(case, cases[case.person - 1].good(), probe))
            print(people[-1], flush=True)

    of_many = partial(bar, judged=not quick)

    def share(name: str) -> float:
        return fmean(bool(one[name]) for one in people)

    def chosen(name: str) -> float:
        return fmean(one["choice"][name] for one in people)

    order = [kendalltau(one["truth"], one["score"]).statistic for one in people]
    wrong = [
        one["null"][0] <= one["wrong person"] <= one["null"][1]
        for one in people
        if "null" in one and one["wrong person"] is not None
    ]
    alike = [one["wrong person"] or 0.0 for one in people]
    return {
        "bars": {
            "same person above others, same view (AUC)": of_many(same_view, 0.98),
            "same person above others, across views": of_many(across, 0.95),
            "order of LoRAs beside the truth (Kendall)": of_many(fmean(order), 0.8),
            "memorised shot called a copy": of_many(share("copy called a copy"), 1.0),
            "good LoRA called a copy": of_many(share("good called a copy"), 0.0, "lower"),
            "wrong person's LoRA within the null": of_many(fmean(wrong) if wrong else None, 1.0),
            "wrong person's LoRA, highest likeness": of_many(max(alike), CLOSE, "lower"),
            "chosen less like than the likest, by the judge": of_many(
                chosen("less like"), 0.05, "lower"
            ),
            "chosen obeys less than the best as like": of_many(chosen("obeys less"), 0.05, "lower"),
            "obedience as the judge reads it": of_many(
                fmean(one["obeys as the probe reads"] for one in people), 0.9
            ),
            "planted garment leak found": of_many(share("planted leak found"), 1.0),
            "leak found where there is none": of_many(share("good leaks"), 0.0, "lower"),
            "intervals that hold the large-sample value": of_many(covered, 0.9),
            "time of measuring beside sampling": of_many(
                fmean(one["measuring"] for one in people), 0.05, "lower"
            ),
        },
        "people": people,
    }


def ranking(models: DemoModels, count: int) -> tuple[float, float]:
    """Area under the ROC of likeness to the one original: from the front, and in other views."""
    front: list[float] = []
    across: list[float] = []
    for person in range(count):
        rng = random.Random(person)
        original = embed(models.clip_vision, demo_picture(person)[None])[0]
        own = Identity.from_seed(FIRST + person)
        others = [Identity.from_seed(seed) for seed in rng.sample(list(GALLERY), 10)]
        for views, into in ((("front",), front), (VIEWS[1:], across)):
            scenes = [Scene.sample(rng, view=views[n % len(views)]) for n in range(10)]
            true = [drawn(own, scene) for scene in scenes]
            false = [drawn(one, scene) for one, scene in zip(others, scenes, strict=True)]
            likeness = embed(models.clip_vision, torch.stack([*true, *false])) @ original
            into.append(area(likeness[:10].numpy(), likeness[10:].numpy()))
    return fmean(front), fmean(across)


def area(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve, by ranks (Mann and Whitney 1947)."""
    ranks = rankdata(np.concatenate([positive, negative]))
    count = len(positive)
    return float((ranks[:count].sum() - count * (count + 1) / 2) / (count * len(negative)))


def coverage(models: DemoModels, repeats: int) -> float:
    """How often the interval of 12 pictures holds the value that 300 of them have."""
    rng = np.random.default_rng(0)
    scenes = random.Random(5)
    own = Identity.from_seed(FIRST)
    original = embed(models.clip_vision, demo_picture(0)[None])[0]

    def cosines(people: list[Identity]) -> np.ndarray:
        pictures = [drawn(one, Scene.sample(scenes, view="front")) for one in people]
        return (embed(models.clip_vision, torch.stack(pictures)) @ original).numpy()

    strangers = cosines([Identity.from_seed(GALLERY[n % len(GALLERY)]) for n in range(300)])
    positives, made = cosines([own] * 300), cosines([own] * 300)
    truth = Calibration(tuple(strangers), tuple(positives)).score(float(np.median(made)))
    held = 0
    for _ in range(repeats):
        few = Calibration(
            tuple(rng.choice(strangers, 12, replace=False)),
            tuple(rng.choice(positives, 15, replace=False)),
        )
        interval = few.identity(list(rng.choice(made, 12, replace=False)))
        if truth is not None and interval.low is not None and interval.high is not None:
            held += interval.low <= truth <= interval.high
    return held / repeats
