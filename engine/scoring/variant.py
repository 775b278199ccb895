"""Samples made in one way, without LoRA or with one at a strength, and their metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from math import dist
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Any

from ..vision.framing import MEASURED_VIEWS
from .calibrate import UNKNOWN, Interval, Scales
from .metrics import IDENTITY, Measurements, Metric, measured, on_scale
from .protocol import SCENE, TRIGGER
from .sample import CLOSE, ScoredSample, of_kind

LEAST_FACES = 3


@dataclass(frozen=True)
class Diversity:
    """How much the samples of the trigger alone differ.

    yaw: standard deviation in degrees. expression: mean distance of two samples' blendshapes.
    None where fewer than three faces were found.
    """

    yaw: float | None
    expression: float | None
    count: int


NO_DIVERSITY = Diversity(None, None, 0)


@dataclass(frozen=True)
class Variant:
    """One way of making the samples: without LoRA, or with one checkpoint at one strength.

    metrics: the values by the names of their metrics. by_view: identity by the view asked for.
    """

    label: str
    samples: tuple[ScoredSample, ...]
    metrics: dict[str, Interval] = field(default_factory=dict)
    step: int | None = None
    strength: float = 0.0
    path: str = ""
    loss: float | None = None
    by_view: dict[str, Interval] = field(default_factory=dict)
    diversity: Diversity = NO_DIVERSITY

    def __getitem__(self, metric: Metric) -> Interval:
        """The value of ``metric``, with its interval; UNKNOWN where it was not measured."""
        return self.metrics.get(metric.name, UNKNOWN)

    @property
    def identity(self) -> Interval:
        """How like the original the scenes are."""
        return self[IDENTITY]

    @property
    def scenes(self) -> tuple[ScoredSample, ...]:
        """The samples that identity is measured over."""
        return of_kind(self.samples, SCENE)

    @property
    def cosine(self) -> float:
        """The median cosine with the original, which means little until it is calibrated."""
        return median(sample.similarity for sample in self.scenes or self.samples)

    @property
    def strangers(self) -> int:
        """How many scenes are nearer to strangers than to the character; 0 if not calibrated."""
        return sum(sample.score is not None and sample.score < CLOSE for sample in self.scenes)

    @property
    def alike(self) -> str:
        """As in '9 of 12 images'."""
        count = len(self.scenes)
        return f"{count - self.strangers} of {count} images"

    def most_often(self, shot_of: Callable[[ScoredSample], str]) -> str:
        """The hash that ``shot_of`` gives for most of the samples; '' when it gives none."""
        counted = Counter(filter(None, map(shot_of, self.samples))).most_common(1)
        return counted[0][0] if counted else ""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values, each metric under its own name, and the file's name:
        where it lies is nobody else's business.
        """
        values = asdict(self) | {"path": Path(self.path).name}
        metrics = values.pop("metrics")
        return {**values, **metrics}


def variant(
    label: str,
    samples: tuple[ScoredSample, ...],
    scales: Scales,
    views_measured: bool,
    baseline: Sequence[ScoredSample] = (),
    *,
    step: int | None = None,
    strength: float = 0.0,
    path: str = "",
    loss: float | None = None,
) -> Variant:
    """The variant whose metrics are those of ``samples``; ``baseline``: the same without LoRA."""
    scale = scales.original
    scored = tuple(
        replace(one, score=scale.score(scale.counted(one.similarity, one.face))) for one in samples
    )
    pairs = {one.prompt: one for one in baseline}
    made = Measurements(scored, scales, pairs, views_measured)
    scenes = of_kind(scored, SCENE)
    return Variant(
        label,
        scored,
        measured(made),
        step,
        strength,
        path,
        loss,
        by_view={
            view: on_scale(seen, scales.of(view))
            for view in MEASURED_VIEWS
            if (seen := [one for one in scenes if one.prompt.tags.view == view])
        },
        diversity=diversity(of_kind(scored, TRIGGER)),
    )


def diversity(samples: Sequence[ScoredSample]) -> Diversity:
    """How much the heads and faces of ``samples`` differ."""
    yaws = [one.yaw for one in samples if one.yaw is not None]
    faces = [one.expression for one in samples if one.expression]
    distances = [dist(first, second) for first, second in combinations(faces, 2)]
    return Diversity(
        pstdev(yaws) if len(yaws) >= LEAST_FACES else None,
        fmean(distances) if len(faces) >= LEAST_FACES else None,
        len(samples),
    )
