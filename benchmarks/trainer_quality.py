"""What a LoRA has learned after 100, 200 and 400 steps: Facet and ComfyUI's TrainLoraNode.

    python facet.py bench trainer_quality [--quick] [--json]

Held-out people of the demo world, 16 pictures of each drawn by the world's renderer, the same for
both trainers; core's LoRA is loaded as core loads it. Identity is the independent probe's on
prompts with clothes and places that no picture shows: 0 for true pictures of strangers and 1 for
true pictures of the person in the same scenes. How each trains is stated in `_quality_case.py`. The
curves are drawn into .facet/trainer_quality.png.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ._bars import Bar, bar
from ._process import ROOT, in_own_process, two_at_a_time
from ._quality_case import Case
from ._quality_chart import draw

WHO = ("facet", "core")
PICTURE = ROOT / ".facet" / "trainer_quality.png"
ABOVE_CORE, SHARE_OF_TIME = 0.05, 0.25


@dataclass(frozen=True)
class Size:
    """How much is trained: ``people``, each with ``seeds``, read after each of ``steps``."""

    people: int
    seeds: int
    steps: tuple[int, ...]
    pictures: int
    prompts: int


FULL = Size(people=6, seeds=3, steps=(100, 200, 400), pictures=16, prompts=10)
QUICK = Size(people=1, seeds=1, steps=(8, 16), pictures=4, prompts=2)


@dataclass(frozen=True)
class Reading:
    """Identity and processor seconds of one trainer at one number of steps, over every run."""

    identity: list[float]
    seconds: list[float]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.identity)

    @property
    def time(self) -> float:
        return statistics.fmean(self.seconds)


Readings = dict[str, dict[int, Reading]]


def main(quick: bool) -> dict[str, Any]:
    """The table, the picture and the bars."""
    size = QUICK if quick else FULL
    cases = [
        Case(who, person, seed, list(size.steps), size.pictures, size.prompts)
        for person in range(size.people)
        for seed in range(size.seeds)
        for who in WHO
    ]
    answers = two_at_a_time(run, cases)
    readings = gathered(cases, answers, size.steps)
    print(table(readings))
    print(arrival(readings))
    draw(curves(readings), PICTURE)
    print(f"Curves: {PICTURE}")
    return {
        "bars": bars(readings, whole=not quick),
        "size": asdict(size),
        "runs": [{**asdict(c), "read": a} for c, a in zip(cases, answers, strict=True)],
    }


def run(case: Case) -> list[dict[str, float]]:
    """One person learned by one trainer."""
    answer: list[dict[str, float]] = in_own_process("_quality_case", case)
    reached = ", ".join(f"{read['steps']:g}: {read['identity']:.2f}" for read in answer)
    print(f"person {case.person}, seed {case.seed}, {case.who}: {reached}", flush=True)
    return answer


def gathered(
    cases: list[Case], answers: list[list[dict[str, float]]], steps: tuple[int, ...]
) -> Readings:
    """The answers by who trained and after how many steps."""
    readings: Readings = {who: {count: Reading([], []) for count in steps} for who in WHO}
    for case, answer in zip(cases, answers, strict=True):
        for read in answer:
            reading = readings[case.who][int(read["steps"])]
            reading.identity.append(read["identity"])
            reading.seconds.append(read["seconds"])
    return readings


def bars(readings: Readings, whole: bool = True) -> dict[str, Bar]:
    """At equal steps, and the time to core's likeness at the end; None for never.

    whole: whether there are people and steps enough to tell the trainers apart.
    """
    facet, core = readings["facet"], readings["core"]
    above = statistics.fmean(facet[steps].mean - core[steps].mean for steps in core)
    share, of_many = share_of_time(readings), partial(bar, judged=whole)
    return {
        "identity above core at equal steps": of_many(above, ABOVE_CORE),
        f"time to core's likeness at {max(core)} steps / core's": of_many(
            share, SHARE_OF_TIME, "lower"
        ),
    }


def share_of_time(readings: Readings) -> float | None:
    """Facet's time to core's likeness at the end, as a part of core's; None where none of its
    readings comes to it."""
    facet, core = readings["facet"], readings["core"]
    end = core[max(core)]
    arrived = [reading.time for reading in facet.values() if reading.mean >= end.mean]
    return min(arrived) / end.time if arrived else None


def arrival(readings: Readings) -> str:
    """The share of time as a sentence."""
    end, share = max(readings["core"]), share_of_time(readings)
    likeness = f"core's likeness at {end} steps ({readings['core'][end].mean:.3f})"
    if share is None:
        return f"Facet never comes to {likeness} within its own {max(readings['facet'])} steps."
    return f"Facet comes to {likeness} in {share:.2f} of core's time."


def table(readings: Readings) -> str:
    """Mean identity, its spread over the runs, and seconds, a line for each number of steps."""
    lines = [f"{'steps':>6}" + "".join(f"{who:>12}: identity, seconds" for who in WHO)]
    for steps in readings["core"]:
        cells = []
        for who in WHO:
            reading = readings[who][steps]
            spread = statistics.pstdev(reading.identity)
            cells.append(f"{reading.mean:17.3f} ± {spread:.3f}{reading.time:9.1f} s")
        lines.append(f"{steps:6}" + "".join(cells))
    return "\n".join(lines)


def curves(readings: Readings) -> dict[str, list[tuple[int, float, float]]]:
    """Steps, mean identity and its standard error for each trainer."""
    made = {}
    for who, found in readings.items():
        made[who] = [
            (steps, read.mean, statistics.pstdev(read.identity) / len(read.identity) ** 0.5)
            for steps, read in found.items()
        ]
    return made
