"""How a LoRA is trained: every number in one place, checked before anything runs."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

STEPS_PER_PICTURE = 100
FEWEST_STEPS, MOST_STEPS = 800, 2500
SCHEDULES = ("cosine", "linear", "constant")
PRECISIONS = ("auto", "fp32", "bf16")
SUBJECTS = ("not stated", "synthetic character", "real person who consented")

# What changes neither the gradients nor the pictures drawn: a run goes on under another value.
_NOT_IN_FINGERPRINT = {"steps", "checkpoint_every", "gradient_checkpointing", "subject"}


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of one run. Raises ValueError when a value cannot work.

    steps: optimizer steps, 0 for 100 a picture within 800 to 2500. rank: of the LoRA; alpha is
    the same. batch_size: pictures a step. resolution: side in pixels of the square whose area
    pictures are scaled down to, 0 for the size most of them have. warmup: share of the steps
    in which the learning rate rises. ema: decay of the averaged weights that are saved.
    caption_dropout: share of samples that see an empty caption. timestep_shift: above 1 for more
    noise. guidance: the distilled guidance that the model is told. checkpoint_every: in steps,
    0 for the end only. subject: who the pictures show, for the file's metadata.
    """

    steps: int = 0
    rank: int = 16
    learning_rate: float = 1e-4
    batch_size: int = 1
    seed: int = 0
    resolution: int = 0
    schedule: str = "cosine"
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.99
    caption_dropout: float = 0.05
    timestep_shift: float = 1.0
    guidance: float = 1.0
    precision: str = "auto"
    gradient_checkpointing: bool = False
    checkpoint_every: int = 250
    subject: str = SUBJECTS[0]

    def __post_init__(self) -> None:
        _number("steps", self.steps, 0, 1_000_000)
        _number("rank", self.rank, 1, 1024)
        _number("learning_rate", self.learning_rate, 1e-9, 1.0)
        _number("batch_size", self.batch_size, 1, 1024)
        _number("resolution", self.resolution, 0, 8192)
        _number("warmup", self.warmup, 0.0, 1.0)
        _number("weight_decay", self.weight_decay, 0.0, 1.0)
        _number("clip", self.clip, 1e-6, 1e6)
        _number("ema", self.ema, 0.0, 0.99999)
        _number("caption_dropout", self.caption_dropout, 0.0, 1.0)
        _number("timestep_shift", self.timestep_shift, 0.01, 100.0)
        _number("guidance", self.guidance, 0.0, 100.0)
        _number("checkpoint_every", self.checkpoint_every, 0, 1_000_000)
        _choice("schedule", self.schedule, SCHEDULES)
        _choice("precision", self.precision, PRECISIONS)
        _choice("subject", self.subject, SUBJECTS)

    def for_pictures(self, count: int) -> TrainingSettings:
        """These settings with the number of steps decided, for ``count`` pictures."""
        if self.steps:
            return self
        return replace(self, steps=min(max(STEPS_PER_PICTURE * count, FEWEST_STEPS), MOST_STEPS))

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of step ``step``, counted from 0."""
        warmup = round(self.warmup * self.steps)
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        done = (step - warmup) / max(self.steps - warmup, 1)
        factor = {
            "cosine": 0.5 * (1 + math.cos(math.pi * done)),
            "linear": 1 - done,
            "constant": 1.0,
        }
        return self.learning_rate * factor[self.schedule]

    def checkpoint_due(self, step: int) -> bool:
        """Whether a LoRA is saved once ``step`` steps are done."""
        if step == self.steps:
            return True
        return bool(self.checkpoint_every) and step % self.checkpoint_every == 0

    def fingerprint(self, *inputs: str) -> str:
        """sha256 of what decides the outcome: these settings and the hashes of the inputs."""
        values = {k: v for k, v in asdict(self).items() if k not in _NOT_IN_FINGERPRINT}
        text = json.dumps([values, *inputs], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)


def settings_from_record(record: dict[str, Any]) -> TrainingSettings:
    """The settings that ``record`` gave; unknown keys are ignored."""
    names = {field.name for field in fields(TrainingSettings)}
    return TrainingSettings(**{key: value for key, value in record.items() if key in names})


def _number(name: str, value: float, low: float, high: float) -> None:
    if not (isinstance(value, int | float) and low <= value <= high):
        raise ValueError(f"{name} is {value}; give a number from {low:g} to {high:g}.")


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")
