"""Whether the lint finds what is wrong, and datasets come back unchanged in linear time.

    python facet.py bench dataset [--quick] [--json]

Sets of 200 shots of the demo world with faults put in on purpose are linted with the demo's eyes:
what is found is held against what was put in, over all findings and as the mean over the kinds of
fault, so that a common kind does not hide a rare one. The worst set counts.

A character of 250 to 2,000 shots is exported, exported again with nothing changed, loaded, kept in
the library and opened. Time is processor time, the best of three, so that nothing else on the
machine decides it. It grows with the number of shots to some power: 1 is linear, 2 quadratic. Every
layout is then read back and compared pixel by pixel and word by word.

``--quick`` takes one flawed set, and 50 to 400 shots.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from ..engine.core.character import Character, Provenance, Shot, Tags, shot_record
from ..engine.core.vocabulary import VOCABULARY
from ..engine.dataset.export import export
from ..engine.dataset.layouts import Layout
from ..engine.dataset.library import Library
from ..engine.dataset.lint import lint
from ..engine.dataset.load import load
from ..engine.demo.models import DemoModels, load_models
from ..world.demo_people import FIRST
from ..world.flawed_set import flawed_set, precision_recall
from ..world.identity import Identity
from ._bars import Bar, bar
from ._people import TRIGGER

SIZES, QUICK_SIZES = (250, 500, 1000, 2000), (50, 100, 200, 400)
FLAWED, QUICK_FLAWED = (10, 11, 12), (10,)
LEAST_RIGHT, MOST_LINT_SECONDS = 0.95, 30.0
SIDE = 64
MOST_GROWTH, REPEATS = 1.15, 3


@dataclass(frozen=True)
class Flawed:
    """What the lint made of one set. number: its own verdict, 0 to 100; seconds: of the processor.

    right: precision and recall by kind of fault, and of all of them as ``all``.
    """

    seed: int
    shots: int
    number: int
    seconds: float
    right: dict[str, tuple[float, float]]

    def by_kind(self, index: int) -> float:
        """The mean over the kinds of fault of their precision (0) or recall (1)."""
        return fmean(both[index] for kind, both in self.right.items() if kind != "all")


@dataclass(frozen=True)
class Timing:
    """The least seconds of each task with so many shots: of the processor, and on the clock."""

    shots: int
    processor: dict[str, float]
    clock: dict[str, float]


def main(quick: bool) -> dict[str, Any]:
    """The figures and their bars."""
    sizes = QUICK_SIZES if quick else SIZES
    with tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        one_size(10, Path(folder) / "first")  # what is done once, such as imports
        timings = [one_size(size, Path(folder) / str(size)) for size in sizes]
        changed = changed_by_a_round_trip(sizes[0], Path(folder) / "layouts")
    models = load_models()
    flawed = [one_flawed_set(seed, models) for seed in (QUICK_FLAWED if quick else FLAWED)]
    return {
        "bars": {**lint_bars(flawed), **bars(timings, changed, whole=not quick)},
        "flawed": [vars(one) for one in flawed],
        "timings": [vars(timing) for timing in timings],
    }


def lint_bars(flawed: Sequence[Flawed]) -> dict[str, Bar]:
    """What the lint makes of the flawed sets, against what is asked of it; the worst set counts."""
    found = {}
    for index, what in enumerate(("findings that are true", "faults that are found")):
        over_all = min(one.right["all"][index] for one in flawed)
        by_kind = min(one.by_kind(index) for one in flawed)
        found[f"lint: {what}"] = bar(over_all, LEAST_RIGHT)
        found[f"lint: {what}, mean of the kinds"] = bar(by_kind, LEAST_RIGHT)
    seconds = max(one.seconds for one in flawed)
    found["lint: seconds for 200 shots"] = bar(seconds, MOST_LINT_SECONDS, "lower")
    return found


def one_flawed_set(seed: int, models: DemoModels) -> Flawed:
    """The lint with the demo's eyes over the flawed set of ``seed``."""
    people = [Identity.from_seed(FIRST + 10 * seed + number) for number in range(4)]
    character, truth = flawed_set(people, seed)
    begin = time.process_time()
    report = lint(character, clip_vision=models.clip_vision, face_model=models.face)
    seconds = time.process_time() - begin
    right = precision_recall(report, truth)
    for kind, (precision, recall) in right.items():
        print(f"{kind:24} precision {precision:.3f}  recall {recall:.3f}", flush=True)
    return Flawed(seed, len(character.pictures), report.number, seconds, right)


def bars(timings: Sequence[Timing], changed: dict[str, int], whole: bool = True) -> dict[str, Bar]:
    """The figures against what is asked of them.

    whole: whether there are shots enough for how time grows; that of few is mostly fixed.
    """
    found = {
        f"{task}: time grows with shots to the power of": bar(
            growth(timings, task), MOST_GROWTH, "lower", judged=whole
        )
        for task in timings[0].processor
    }
    for layout, count in changed.items():
        found[f"shots changed by export and load, {layout}"] = bar(count, 0, "lower")
    return found


def growth(timings: Sequence[Timing], task: str) -> float:
    """The exponent p of seconds = c · shots^p that fits best: least squares over the logarithms."""
    shots = np.log([timing.shots for timing in timings])
    seconds = np.log([timing.processor[task] for timing in timings])
    return float(np.polyfit(shots, seconds, 1)[0])


def one_size(count: int, folder: Path) -> Timing:
    """How long each task takes with ``count`` shots, in ``folder``."""
    character = large_character(count)
    runs = [once(character, folder / str(number)) for number in range(REPEATS)]
    timing = Timing(
        count,
        {task: min(run[task][0] for run in runs) for task in runs[0]},
        {task: min(run[task][1] for run in runs) for task in runs[0]},
    )
    print(timing, flush=True)
    return timing


def once(character: Character, folder: Path) -> dict[str, tuple[float, float]]:
    """Seconds of the processor and of the clock of each task, in a fresh ``folder``."""
    library = Library(folder / "facet")
    tasks: dict[str, Callable[[], object]] = {
        "export": lambda: export(character, folder / "dataset"),
        "export again": lambda: export(character, folder / "dataset"),
        "load": lambda: load(folder / "dataset"),
        "library save": lambda: library.save(character),
        "library open": lambda: library.open(f"{character.folder_name}/v1"),
    }
    seconds = {}
    for task, work in tasks.items():
        gc.collect()
        begin, began = time.process_time(), time.perf_counter()
        work()
        seconds[task] = (time.process_time() - begin, time.perf_counter() - began)
    return seconds


def changed_by_a_round_trip(count: int, folder: Path) -> dict[str, int]:
    """Of ``count`` shots, how many each layout does not give back as they were."""
    character = large_character(count)
    found = {}
    for layout in Layout:
        export(character, folder / layout.value, layout)
        back = {shot.hash: shot for shot in load(folder / layout.value).character.pictures}
        found[layout.value] = sum(
            shot.hash not in back or shot_record(back[shot.hash]) != shot_record(shot)
            for shot in character.pictures
        )
    return found


def large_character(count: int) -> Character:
    """A character of ``count`` small pictures, each with a caption, tags and an own weight."""
    generator = torch.Generator().manual_seed(count)
    views, lights = list(VOCABULARY["view"]), list(VOCABULARY["lighting"])
    shots = []
    for number in range(count):
        tags = Tags(view=views[number % len(views)], lighting=lights[number % len(lights)])
        shots.append(
            Shot(
                torch.rand(SIDE, SIDE, 3, generator=generator),
                Provenance("generated", model="noise", prompt=f"picture {number}", seed=number),
                caption=", ".join([f"{TRIGGER} person", *tags.phrases(), f"picture {number}"]),
                tags=tags,
                include=number % 10 != 9,
                weight=1.0 + number % 2,
            )
        )
    return Character("Large set", TRIGGER, "person", shots[0], tuple(shots[1:]))
