"""Pictures made in one way, without the LoRA or with one at a strength, and their figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import dist
from statistics import fmean, median, pstdev

from ..vision.copies import Nearest
from ..vision.framing import MEASURED_VIEWS
from .adherence import NOTHING, Shown, right_colours, right_expression, right_framing, right_view
from .calibrate import UNKNOWN, Calibration, Interval, Scales, share
from .protocol import ATTRIBUTE, LEAK, SCENE, TRIGGER, TestPrompt

CLOSE = 0.5
"""Half the way from strangers to the character."""
SPOILED = 1.8
"""So many times the sharpness or chroma of the LoRA-off picture, or that part of it, is too far."""
LEAST_FACES = 3
UNDRESSED = (LEAK, ATTRIBUTE, TRIGGER)
"""Kinds of prompts that name no clothes."""


@dataclass(frozen=True)
class Sample:
    """One picture that was made, and what was measured in it.

    similarity: cosine with the original. score: the same, calibrated. to_set: median cosine with
    the dataset's own shots. yaw, pitch: degrees, None when no face was found or no face model
    looked. face: whether there is one, None when nobody looked. expression: its blendshapes, in the
    order of their names. sharpness, chroma: of the picture, see measure.py. wears_own: whether the
    dataset's own garment shows, None when no clothes were seen or there is no such garment.
    shown: what else it shows of what was asked for.
    """

    prompt: TestPrompt
    text: str
    similarity: float
    score: float | None
    yaw: float | None
    nearest: Nearest
    to_set: float = 0.0
    face: bool | None = None
    pitch: float | None = None
    expression: tuple[float, ...] = ()
    sharpness: float = 0.0
    chroma: float = 0.0
    wears_own: bool | None = None
    shown: Shown = NOTHING

    @property
    def right_view(self) -> bool | None:
        """Whether the view asked for is seen; see `adherence.right_view`."""
        return right_view(self.prompt.tags.view, self.yaw)

    @property
    def right_framing(self) -> bool | None:
        """Whether the framing asked for is seen."""
        return right_framing(self.prompt.tags.framing, self.shown)

    @property
    def right_expression(self) -> bool | None:
        """Whether the expression asked for is seen."""
        return right_expression(self.prompt.tags.expression, self.shown)

    @property
    def right_colours(self) -> tuple[bool, ...]:
        """Whether each colour asked for is seen: of the clothes, of a plain background."""
        return right_colours(self.text, self.shown)

    def spoiled(self, off: Sample) -> bool:
        """Whether it is blurred, noisy, burnt or faded beside ``off``, made without the LoRA."""
        pairs = ((self.sharpness, off.sharpness), (self.chroma, off.chroma))
        return any(
            without > 0 and not 1 / SPOILED <= value / without <= SPOILED
            for value, without in pairs
        )


@dataclass(frozen=True)
class Diversity:
    """How much the pictures of the trigger alone differ.

    yaw: standard deviation in degrees. expression: mean distance of two pictures' blendshapes.
    None where fewer than three faces were found.
    """

    yaw: float | None
    expression: float | None
    count: int


NO_DIVERSITY = Diversity(None, None, 0)


@dataclass(frozen=True)
class Condition:
    """One way of making the pictures: without the LoRA, or with one checkpoint at one strength.

    identity, views, framings, expressions, colours: over the scenes; the last four are how often
    what the prompt asks for is seen. figures: pictures whose person alone is that of a training
    picture over again. to_set: identity held against the dataset's own shots.
    by_view: identity by the view asked for. attributes: identity with something on that the dataset
    does not know. faces: pictures in which a face was found. unspoiled: pictures as sharp and
    colourful as without the LoRA. leaks: pictures that show the dataset's own garment unasked.
    """

    label: str
    samples: tuple[Sample, ...]
    identity: Interval
    views: Interval
    copies: Interval
    step: int | None = None
    strength: float = 0.0
    path: str = ""
    loss: float | None = None
    to_set: Interval = UNKNOWN
    by_view: dict[str, Interval] = field(default_factory=dict)
    attributes: Interval = UNKNOWN
    faces: Interval = UNKNOWN
    unspoiled: Interval = UNKNOWN
    leaks: Interval = UNKNOWN
    diversity: Diversity = NO_DIVERSITY
    framings: Interval = UNKNOWN
    expressions: Interval = UNKNOWN
    colours: Interval = UNKNOWN
    figures: Interval = UNKNOWN

    @property
    def scenes(self) -> tuple[Sample, ...]:
        """The pictures that the figures of likeness are over."""
        return of_kind(self.samples, SCENE)

    @property
    def cosine(self) -> float:
        """The median cosine with the original, which means little until it is calibrated."""
        return median(sample.similarity for sample in self.scenes or self.samples)

    @property
    def strangers(self) -> int:
        """How many pictures are nearer to strangers than to the character; 0 if not calibrated."""
        return sum(sample.score is not None and sample.score < CLOSE for sample in self.scenes)

    @property
    def alike(self) -> str:
        """As in '9 of 12 pictures'."""
        count = len(self.scenes)
        return f"{count - self.strangers} of {count} pictures"

    @property
    def copied_shot(self) -> str:
        """The hash of the training picture that is repeated most often; '' when none is."""
        return _most_often(one.nearest.shot for one in self.samples if one.nearest.copied)

    @property
    def copied_figure(self) -> str:
        """The hash of the training picture whose person is repeated most often; '' for none."""
        figures = (one.nearest.figure for one in self.samples)
        return _most_often(figure.shot for figure in figures if figure and figure.copied)


def _most_often(hashes: Iterable[str]) -> str:
    counted = Counter(hashes).most_common(1)
    return counted[0][0] if counted else ""


def of_kind(samples: Sequence[Sample], kind: str) -> tuple[Sample, ...]:
    """Those of ``samples`` whose prompts are for ``kind``."""
    return tuple(sample for sample in samples if sample.prompt.kind == kind)


def condition(
    label: str,
    samples: tuple[Sample, ...],
    scales: Scales,
    views_measured: bool,
    off: Sequence[Sample] = (),
    *,
    step: int | None = None,
    strength: float = 0.0,
    path: str = "",
    loss: float | None = None,
) -> Condition:
    """The condition whose figures are those of ``samples``; ``off``: the same without the LoRA.

    Where faces are looked for, a picture without one is no more the character than a stranger.
    """
    scale = scales.original
    scored = tuple(
        replace(one, score=scale.score(scale.counted(one.similarity, one.face))) for one in samples
    )
    scenes = of_kind(scored, SCENE)
    pairs = {one.prompt: one for one in off}
    leaks = [one.wears_own for kind in UNDRESSED for one in of_kind(scored, kind)]
    colours = [right for one in scenes for right in one.right_colours]
    figures = [one.nearest.figure.copied for one in scored if one.nearest.figure]

    def identity(of: Sequence[Sample], scale: Calibration) -> Interval:
        return scale.identity([scale.counted(one.similarity, one.face) for one in of])

    return Condition(
        label,
        scored,
        identity=identity(scenes, scale),
        views=_known([one.right_view for one in scenes]) if views_measured else UNKNOWN,
        copies=share([sample.nearest.copied for sample in scored]),
        step=step,
        strength=strength,
        path=path,
        loss=loss,
        to_set=scales.to_set.identity(
            [scales.to_set.counted(one.to_set, one.face) for one in scenes]
        ),
        by_view={
            view: identity(seen, scales.of(view))
            for view in MEASURED_VIEWS
            if (seen := [one for one in scenes if one.prompt.tags.view == view])
        },
        attributes=identity(of_kind(scored, ATTRIBUTE), scale),
        faces=_known([one.face for one in scored]),
        unspoiled=share(
            [not one.spoiled(pairs[one.prompt]) for one in scored if one.prompt in pairs]
        ),
        leaks=_known(leaks),
        diversity=diversity(of_kind(scored, TRIGGER)),
        framings=_known([one.right_framing for one in scenes]),
        expressions=_known([one.right_expression for one in scenes]),
        colours=share(colours),
        figures=share(figures),
    )


def _known(hits: Sequence[bool | None]) -> Interval:
    """How many of ``hits`` are true, of those that are known."""
    return share([hit for hit in hits if hit is not None])


def diversity(samples: Sequence[Sample]) -> Diversity:
    """How much the heads and faces of ``samples`` differ."""
    yaws = [one.yaw for one in samples if one.yaw is not None]
    faces = [one.expression for one in samples if one.expression]
    distances = [dist(first, second) for first, second in combinations(faces, 2)]
    return Diversity(
        pstdev(yaws) if len(yaws) >= LEAST_FACES else None,
        fmean(distances) if len(faces) >= LEAST_FACES else None,
        len(samples),
    )
