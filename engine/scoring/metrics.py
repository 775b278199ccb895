"""The metrics of a score: each is stated here once.

From this table come the values of a variant, score.json, the columns of score.csv, the stamp in a
LoRA's metadata, the verdict, and the report's numbers, maps and rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from ..core.errors import FacetError
from .calibrate import UNKNOWN, Calibration, Interval, Scales, share
from .protocol import ATTRIBUTE, LEAK, SCENE, TRIGGER, TestPrompt
from .sample import CLOSE, ScoredSample, of_kind
from .text import DASH, percent, points, two_places

SCENES = (SCENE,)
UNDRESSED = (LEAK, ATTRIBUTE, TRIGGER)
"""Kinds of prompts that name no clothes."""
EVERY = (SCENE, *UNDRESSED)
NEAR = 0.1
"""A share so little below the baseline is no worse."""


class Unit(Enum):
    """What a metric's value is: a share of the samples, or a place on the calibrated scale."""

    SHARE = "share"
    SCALE = "scale"

    def text(self, value: float | None) -> str:
        """``value`` as a reader sees it, such as '82 %' or '0.82'; a dash for None."""
        return percent(value) if self is Unit.SHARE else two_places(value)

    def bar(self, value: float) -> str:
        """``value`` as a bar to reach, such as '70 %' or '0.75'."""
        return percent(value) if self is Unit.SHARE else f"{value:g}"

    def interval(self, value: Interval) -> str:
        """The 95 % interval, as in '0.71 to 0.90'; a dash when there is none."""
        if value.low is None or value.high is None:
            return DASH
        return f"{self.text(value.low)} to {self.text(value.high)}"


class Better(Enum):
    """Which way a metric is better."""

    HIGHER = "more is better"
    LOWER = "less is better"


class Needs(Enum):
    """What a metric cannot be measured without; the value says so to the reader."""

    FACES = "Needs a face_detection_model that finds the original's face."
    PEOPLE = "Needs a background_removal model."
    HELD_OUT = "Connect held_out: pictures of the character that nobody has seen."
    GARMENT = "The dataset has no garment that most of its shots show."


class Cure(Enum):
    """What may mend a fault at no cost but looking: it is advised where it was not measured yet."""

    WEAKER = "lower the strength below {strength:g}"
    EARLIER = "use an earlier step"


class Rule:
    """What the verdict asks of a metric, beside its baseline: its value without LoRA."""

    word = ""

    @property
    def relative(self) -> bool:
        """Whether the baseline counts too."""
        return False

    def holds(self, value: Interval, baseline: Interval) -> bool | None:
        """Whether ``value`` is as it should be beside ``baseline``; None where it is unknown."""
        if value.value is None:
            return None
        return self.met(value.value, value.count, baseline.value or 0.0)

    def met(self, value: float, count: int, baseline: float) -> bool:
        """Whether ``value``, over ``count`` samples, is as it should be."""
        return True

    def goal(self, baseline: Interval) -> float | None:
        """The value to reach; None where there is none."""
        return None

    def text(self, unit: Unit) -> str:
        """What is asked, in words."""
        return DASH


class Unjudged(Rule):
    """The verdict does not judge the metric: it is only shown."""


@dataclass(frozen=True)
class AtLeast(Rule):
    """``bar`` or more, or no further than ``or_within`` below the baseline."""

    bar: float
    or_within: float | None = None
    word = "at least"

    @property
    def relative(self) -> bool:
        return self.or_within is not None

    def met(self, value: float, count: int, baseline: float) -> bool:
        if value >= self.bar:
            return True
        return self.or_within is not None and baseline <= value + self.or_within

    def goal(self, baseline: Interval) -> float:
        return self.bar

    def text(self, unit: Unit) -> str:
        asked = f"{self.word} {unit.bar(self.bar)}"
        if self.or_within is None:
            return asked
        return f"{asked}, or no more than {points(self.or_within)} below the baseline"


@dataclass(frozen=True)
class AtMost(Rule):
    """``bar`` or less, or a single sample: one of twelve is more than 5 %, and may be chance."""

    bar: float
    word = "at most"

    def met(self, value: float, count: int, baseline: float) -> bool:
        return value <= self.bar or round(value * count) <= 1

    def goal(self, baseline: Interval) -> float:
        return self.bar

    def text(self, unit: Unit) -> str:
        return f"{self.word} {unit.bar(self.bar)}, or one image"


@dataclass(frozen=True)
class AtMostAboveBaseline(Rule):
    """No more than ``margin`` above the baseline."""

    margin: float
    word = "at most"

    @property
    def relative(self) -> bool:
        return True

    def met(self, value: float, count: int, baseline: float) -> bool:
        return value - baseline <= self.margin

    def goal(self, baseline: Interval) -> float:
        return min(1.0, (baseline.value or 0.0) + self.margin)

    def text(self, unit: Unit) -> str:
        return f"no more than {points(self.margin)} above the baseline"


@dataclass(frozen=True)
class Measurements:
    """The samples of one variant, as a metric reads them.

    samples: with their scores. baseline: those without LoRA by their prompts, empty for the
    baseline itself. views_measured: whether a face model looks which way faces turn.
    """

    samples: tuple[ScoredSample, ...]
    scales: Scales
    baseline: Mapping[TestPrompt, ScoredSample]
    views_measured: bool

    def of(self, *kinds: str) -> tuple[ScoredSample, ...]:
        """The samples whose prompts are of ``kinds``."""
        return of_kind(self.samples, *kinds)


Measure = Callable[[Measurements], Interval]
Hit = Callable[[ScoredSample], "bool | Iterable[bool] | None"]
"""Whether a sample counts, None where that is unknown; or several such answers of one sample."""


def share_of(hit: Hit, over: tuple[str, ...] = EVERY) -> Measure:
    """How often ``hit`` is true of the samples of the kinds ``over``, where it is known."""

    def measure(made: Measurements) -> Interval:
        answers = (hit(one) for one in made.of(*over))
        known: list[bool] = []
        for answer in answers:
            if answer is not None:
                known += [answer] if isinstance(answer, bool) else answer
        return share(known)

    return measure


def on_scale(samples: Iterable[ScoredSample], scale: Calibration) -> Interval:
    """The calibrated median of the samples' cosines with the original.

    Where faces are looked for, a sample without one is no more the character than a stranger.
    """
    return scale.identity([scale.counted(one.similarity, one.face) for one in samples])


def _to_set(made: Measurements) -> Interval:
    scale = made.scales.to_set
    return scale.identity([scale.counted(one.to_set, one.face) for one in made.of(*SCENES)])


def _held_out(made: Measurements) -> Interval:
    scale = made.scales.held_out
    known = [one for one in made.of(*SCENES) if one.to_held_out is not None]
    if scale is None:
        return UNKNOWN
    return scale.identity([scale.counted(one.to_held_out or 0.0, one.face) for one in known])


def _views(made: Measurements) -> Interval:
    measure = share_of(lambda one: one.right_view, SCENES)
    return measure(made) if made.views_measured else UNKNOWN


def _quality_kept(made: Measurements) -> Interval:
    pairs = [
        (one, made.baseline[one.prompt]) for one in made.samples if one.prompt in made.baseline
    ]
    return share([not one.spoiled(without) for one, without in pairs])


Columns = dict[str, Callable[[ScoredSample], object]]


@dataclass(frozen=True)
class Metric:
    """One number of a score.

    name: its key in score.json and in the stamp. label: what a reader sees. of: how it is measured.
    says: what it is. missing: why it was not measured, where all that it ``needs`` is there.
    columns: what score.csv holds of it for each sample. headline: it stands at the top of
    score.json and in the stamp. tradeoff: what its good part is called where the report holds it
    against identity; '' where it does not.

    obeys: it is a part of what the prompts ask for, by which LoRAs that are as like are told apart.

    rule: what the verdict asks of it. claim: what is so where the rule holds, for the report's
    table. fault: what the verdict says where it does not hold, and advice: what to do then, after
    the ``cures`` that were not measured.
    as_before: what it says in their place where the baseline is as low. first: it is said before
    the others. unless: the name of the metric whose fault says it already. training_image: the hash
    of the training image that a sample repeats, '' for none.

    The texts may hold the fields that `verdict.words` fills in, such as {count} and {garment}.
    """

    name: str
    label: str
    of: Measure
    rule: Rule
    says: str
    unit: Unit = Unit.SHARE
    better: Better = Better.HIGHER
    missing: str = ""
    needs: tuple[Needs, ...] = ()
    claim: str = ""
    fault: str = ""
    cures: tuple[Cure, ...] = ()
    advice: str = ""
    as_before: str = ""
    first: bool = False
    unless: str = ""
    headline: bool = True
    tradeoff: str = ""
    obeys: bool = False
    training_image: Callable[[ScoredSample], str] | None = None
    columns: Columns = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise FacetError(
                f"The metric {self.name!r} has no label; give it the words that a reader sees, "
                "such as 'Right views'."
            )
        if not isinstance(self.rule, Rule):
            raise FacetError(
                f"The metric {self.name!r} has no rule; give it one, such as AtLeast(0.7), or "
                "Unjudged() where the verdict does not speak of it."
            )
        if not isinstance(self.rule, Unjudged) and not self.claim:
            raise FacetError(
                f"The metric {self.name!r} has a rule and no claim; say what holds then, such as "
                "'It obeys the view'."
            )

    def good(self, value: float) -> float:
        """How good ``value`` is: 0 for the worst to 1 for the best."""
        return min(max(1 - value if self.better is Better.LOWER else value, 0.0), 1.0)

    def wrong(self, value: Interval) -> int:
        """How many of the samples are as they should not be."""
        bad = value.value or 0.0
        return round((1 - bad if self.better is Better.HIGHER else bad) * value.count)


def _obeys(
    name: str,
    what: str,
    hit: Hit,
    says: str,
    missing: str,
    columns: Columns,
    needs: tuple[Needs, ...] = (Needs.FACES,),
) -> Metric:
    """How often the scenes show the ``what`` that their prompts ask for."""
    return Metric(
        name,
        f"Right {name}",
        of=share_of(hit, SCENES),
        rule=AtLeast(0.7, or_within=NEAR),
        says=says,
        missing=missing,
        needs=needs,
        claim=f"It shows the {what} asked for",
        fault=f"The {what} asked for appears in {{value:.0%}} of images, and in {{baseline:.0%}} "
        "without LoRA",
        cures=(Cure.WEAKER, Cure.EARLIER),
        advice=f"add shots with more varied {name}",
        obeys=True,
        columns=columns,
    )


IDENTITY = Metric(
    "identity",
    "{noun} with the original",
    of=lambda made: on_scale(made.of(*SCENES), made.scales.original),
    rule=AtLeast(0.75),
    unit=Unit.SCALE,
    says="0 is a stranger, 1 the dataset's own shots. Above 0.5 in {alike}.",
    missing="No scale: {problem}",
    claim="It is the same character",
)
HELD_OUT = Metric(
    "held_out",
    "{noun} with held-out pictures",
    of=_held_out,
    rule=AtLeast(CLOSE),
    unit=Unit.SCALE,
    says="The harder one: what made the shots and the trainer have seen the original, and none of "
    "these. 0 is a stranger, 1 as like them as the original is.",
    missing="{unlike}",
    needs=(Needs.HELD_OUT,),
    claim="It is like pictures that nobody has seen",
    fault="It is less like the held-out pictures ({value:.2f}), which neither what made the shots "
    "nor the trainer has seen",
    advice="leave out shots that have drifted from the character, or add true pictures of it",
    columns={"cosine_with_held_out": lambda one: one.to_held_out},
)
VIEWS = replace(
    _obeys(
        "views",
        "view",
        lambda one: one.right_view,
        "Images that show the view asked for.",
        "No prompt asks for a view that can be measured.",
        {
            "yaw_asked": lambda one: one.prompt.tags.yaw,
            "yaw_measured": lambda one: one.yaw,
            "right_view": lambda one: one.right_view,
        },
    ),
    of=_views,
    # Views alone are told where the model itself does not follow: identity is judged by them.
    rule=AtLeast(0.7),
    as_before="The view asked for appears in {value:.0%} of images, and no more often without "
    "LoRA.",
    tradeoff="Images in the right view",
)
COPIES = Metric(
    "copies",
    "Copies",
    of=share_of(lambda one: one.nearest.copied),
    rule=AtMost(0.05),
    better=Better.LOWER,
    says="Images that reproduce a training image.",
    claim="It does not copy training images",
    fault="But {count} of {total} images reproduce a training image{often}",
    cures=(Cure.EARLIER,),
    advice="add shots that differ from it",
    first=True,
    tradeoff="Images that are not copies",
    training_image=lambda one: one.nearest.shot if one.nearest.copied else "",
    columns={
        "nearest_shot": lambda one: one.nearest.shot,
        "nearest_psnr": lambda one: one.nearest.psnr,
        "nearest_ssim": lambda one: one.nearest.ssim,
        "nearest_cosine": lambda one: one.nearest.cosine,
        "copied": lambda one: one.nearest.copied,
        "nearest_excess": lambda one: one.nearest.excess,
        "nearest_face_ssim": lambda one: one.nearest.face,
    },
)
POSE_COPIES = Metric(
    "figures",
    "Pose copies",
    of=share_of(lambda one: one.pose_copied),
    rule=AtMost(0.05),
    better=Better.LOWER,
    says="Images whose subject, cut out, reproduces a training image's pose and outfit.",
    needs=(Needs.PEOPLE,),
    claim="It does not copy poses",
    fault="But {count} of {total} images reproduce the pose and outfit of a training image in "
    "another place{often}",
    cures=(Cure.EARLIER,),
    advice="add shots in other poses and clothes",
    first=True,
    unless="copies",
    training_image=lambda one: (
        one.nearest.figure.shot if one.nearest.figure and one.nearest.figure.copied else ""
    ),
    columns={
        "nearest_figure": lambda one: one.nearest.figure and one.nearest.figure.shot,
        "nearest_figure_ssim": lambda one: one.nearest.figure and one.nearest.figure.ssim,
        "figure_copied": lambda one: one.pose_copied,
    },
)
LEAKS = Metric(
    "leaks",
    "Leaks",
    of=share_of(lambda one: one.wears_own, UNDRESSED),
    rule=AtMostAboveBaseline(0.25),
    better=Better.LOWER,
    says="Images that show {garment} although the prompt names no clothes.",
    missing="No prompt without clothes was asked for.",
    needs=(Needs.FACES, Needs.GARMENT),
    claim="It does not leak clothes",
    fault="{count} of {total} images show {garment} although the prompt names no clothes",
    advice="name the clothes in the captions, or add shots in other clothes",
    first=True,
)
FACES = Metric(
    "faces",
    "Faces found",
    of=share_of(lambda one: one.face),
    rule=Unjudged(),
    says="Images in which a face is found. One without counts as a stranger.",
    needs=(Needs.FACES,),
    headline=False,
)
ATTRIBUTES = Metric(
    "attributes",
    "Wearing something new",
    of=lambda made: on_scale(made.of(ATTRIBUTE), made.scales.original),
    rule=Unjudged(),
    unit=Unit.SCALE,
    says="{noun} with the original in images with something that the dataset does not name.",
    missing="No such images were asked for.",
    headline=False,
)
METRICS: tuple[Metric, ...] = (
    IDENTITY,
    HELD_OUT,
    Metric(
        "to_set",
        "{noun} with the dataset",
        of=_to_set,
        rule=Unjudged(),
        unit=Unit.SCALE,
        says="The same, compared with the dataset's shots instead of the original.",
        missing="No scale to read it on.",
        headline=False,
    ),
    ATTRIBUTES,
    VIEWS,
    _obeys(
        "framings",
        "framing",
        lambda one: one.right_framing,
        "Close-up, medium and full-body images where the prompt asks for them.",
        "No prompt asks for a framing that can be measured.",
        {
            "framing_seen": lambda one: one.shown.framing,
            "right_framing": lambda one: one.right_framing,
        },
    ),
    _obeys(
        "expressions",
        "expression",
        lambda one: one.right_expression,
        "Faces with the expression asked for.",
        "No prompt asks for an expression.",
        {
            "expression_seen": lambda one: one.shown.expression,
            "right_expression": lambda one: one.right_expression,
        },
    ),
    _obeys(
        "colours",
        "colour",
        lambda one: one.right_colours,
        "Clothes and plain backgrounds in the colour asked for.",
        "No prompt asks for clothes or a plain background in a colour.",
        {
            "clothes_seen": lambda one: " or ".join(one.shown.clothes or ()),
            "background_seen": lambda one: " or ".join(one.shown.backdrop or ()),
            "right_colours": lambda one: all(one.right_colours) if one.right_colours else None,
        },
        needs=(),
    ),
    COPIES,
    POSE_COPIES,
    LEAKS,
    Metric(
        "unspoiled",
        "Quality kept",
        of=_quality_kept,
        rule=AtLeast(0.75),
        says="Images as sharp and as colourful as without LoRA.",
        claim="Image quality is kept",
        fault="{count} of {total} images are blurred, noisy, burnt or faded compared with those "
        "without LoRA",
        cures=(Cure.WEAKER, Cure.EARLIER),
        advice="train with a lower learning rate",
        first=True,
    ),
    FACES,
)
"""In the order in which they are read."""


def measured(made: Measurements) -> dict[str, Interval]:
    """The value of each metric by its name."""
    return {one.name: one.of(made) for one in METRICS}
