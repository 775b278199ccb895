"""The score card: identity, obedience and copying, three numbers that are never made into one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import median
from typing import Any

from ..character import VIEW_YAW
from .calibrate import FEW, UNKNOWN, Calibration, Interval, share
from .copies import Nearest
from .protocol import TestPrompt

SAME, CLOSE, SOME = 0.75, 0.5, 0.25
COPY_RATE = 0.05
RIGHT_VIEWS = 0.7
STIFFER = 0.1
WIDE = 0.6
MEASURED_VIEWS = (
    "front",
    "three_quarter_left",
    "three_quarter_right",
    "profile_left",
    "profile_right",
)


@dataclass(frozen=True)
class Sample:
    """One picture that was made, and what was measured in it.

    similarity: cosine with the original. score: the same, calibrated. yaw: degrees, None when no
    face was found or no face model looked.
    """

    prompt: TestPrompt
    text: str
    similarity: float
    score: float | None
    yaw: float | None
    nearest: Nearest

    @property
    def right_view(self) -> bool | None:
        """Whether the view measured is the one asked for; False without a face.

        The view measured is the one whose yaw is nearest. None when no yaw was asked for.
        """
        if self.prompt.tags.view not in MEASURED_VIEWS:
            return None
        if self.yaw is None:
            return False
        yaw = self.yaw
        nearest = min(MEASURED_VIEWS, key=lambda view: abs(VIEW_YAW[view] - yaw))
        return nearest == self.prompt.tags.view


@dataclass(frozen=True)
class Condition:
    """One way of making the pictures: without the LoRA, or with one checkpoint at one strength."""

    label: str
    samples: tuple[Sample, ...]
    identity: Interval
    views: Interval
    copies: Interval
    step: int | None = None
    strength: float = 0.0
    path: str = ""
    loss: float | None = None

    @property
    def cosine(self) -> float:
        """The median cosine with the original, which means little until it is calibrated."""
        return median(sample.similarity for sample in self.samples)

    @property
    def strangers(self) -> int:
        """How many pictures are nearer to strangers than to the character; 0 if not calibrated."""
        return sum(sample.score is not None and sample.score < CLOSE for sample in self.samples)

    @property
    def alike(self) -> str:
        """As in '9 of 12 pictures'."""
        count = len(self.samples)
        return f"{count - self.strangers} of {count} pictures"


def condition(
    label: str,
    samples: tuple[Sample, ...],
    calibration: Calibration,
    views_measured: bool,
    *,
    step: int | None = None,
    strength: float = 0.0,
    path: str = "",
    loss: float | None = None,
) -> Condition:
    """The condition whose three numbers are those of ``samples``."""
    views = [sample.right_view for sample in samples]
    return Condition(
        label,
        samples,
        identity=calibration.identity([sample.similarity for sample in samples]),
        views=share([bool(v) for v in views if v is not None]) if views_measured else UNKNOWN,
        copies=share([sample.nearest.copied for sample in samples]),
        step=step,
        strength=strength,
        path=path,
        loss=loss,
    )


@dataclass(frozen=True)
class ScoreCard:
    """What was found out about a character's LoRA.

    ``off`` is the model without it, ``tried`` every checkpoint and strength in the order of trying,
    each over the first few prompts, and ``best`` the one that was chosen, over all of them.
    ``words`` is the character described in words without the LoRA, when that was asked for.
    ``notes`` say what could not be measured, and why.
    """

    character: str
    trigger: str
    class_word: str
    character_hash: str
    calibration: Calibration
    off: Condition
    tried: tuple[Condition, ...]
    best: Condition
    words: Condition | None
    notes: tuple[str, ...]
    settings: dict[str, Any]
    usual_cosine: float | None = None

    @cached_property
    def verdict(self) -> str:
        """What to do, in one or two sentences."""
        problem = self.calibration.problem
        if problem:
            return f"Likeness cannot be judged. {problem}"
        value = self.best.identity.value or 0.0
        use = f"use {self.best.label}"
        if value >= SAME and self.best.strangers:
            sentence = f"It is the same character in {self.best.alike}: {use}, or train longer."
        elif value >= SAME:
            sentence = f"It is the same character: {use}."
        elif value >= CLOSE:
            sentence = f"Close to the character, not yet the same: {use}, or train longer."
        elif value >= SOME:
            sentence = "Only a likeness: train longer, or with more and better shots."
        else:
            sentence = "The LoRA does not show the character: train longer or with a higher rate."
        return " ".join([sentence, *self._warnings()])

    def _warnings(self) -> list[str]:
        warnings = []
        copies, views = self.best.copies, self.best.views
        if copies.value is not None and copies.value > COPY_RATE:
            count = round(copies.value * copies.count)
            repeat = "repeats" if count == 1 else "repeat"
            warnings.append(
                f"But {count} of {copies.count} pictures {repeat} a training picture: use an "
                "earlier step."
            )
        if views.value is not None and views.value < RIGHT_VIEWS:
            off = self.off.views.value or 0.0
            shown = f"It shows the view asked for in {views.value:.0%} of pictures"
            if off > views.value + STIFFER:
                warnings.append(
                    f"{shown}, and in {off:.0%} without the LoRA: lower the strength or use an "
                    "earlier step."
                )
            else:
                warnings.append(f"{shown}, and no more often without the LoRA.")
        low, high = self.best.identity.low, self.best.identity.high
        if low is not None and high is not None and high - low > WIDE:
            warnings.append(
                f"The figure is uncertain ({low:.2f} to {high:.2f}): use more samples, or a "
                "dataset with more shots."
            )
        if len(self.best.samples) < FEW:
            warnings.append(f"Measured on {len(self.best.samples)} pictures only: a rough figure.")
        return warnings

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values, the verdict first."""
        values = asdict(self)
        calibration = {
            "null_median": self.calibration.null_median,
            "positive_median": self.calibration.positive_median,
            "gap": self.calibration.gap,
            "separation": self.calibration.separation,
            "reproduction": self.calibration.reproduction,
            "problem": self.calibration.problem,
        }
        return {
            "verdict": self.verdict,
            "identity": asdict(self.best.identity),
            "identity_off": asdict(self.off.identity),
            "strangers": self.best.strangers,
            "views": asdict(self.best.views),
            "copies": asdict(self.best.copies),
            **values,
            "calibration": {**values["calibration"], **calibration},
        }

    def rows(self) -> list[dict[str, Any]]:
        """One flat row for each picture, as for a spreadsheet."""
        conditions = [self.off, *([self.words] if self.words else []), *self.tried]
        return [
            {
                "condition": one.label,
                "step": one.step,
                "strength": one.strength,
                "seed": sample.prompt.seed,
                "prompt": sample.text,
                "cosine": sample.similarity,
                "score": sample.score,
                "yaw_asked": sample.prompt.tags.yaw,
                "yaw_measured": sample.yaw,
                "right_view": sample.right_view,
                "nearest_shot": sample.nearest.shot,
                "nearest_psnr": sample.nearest.psnr,
                "nearest_ssim": sample.nearest.ssim,
                "nearest_cosine": sample.nearest.cosine,
                "copied": sample.nearest.copied,
            }
            for one in conditions
            for sample in one.samples
        ]
