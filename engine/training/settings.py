"""How a LoRA is trained: every number in one place, checked before anything runs."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .limits import MOST_EVER, NUMBERS, check_choice, check_number

STEPS_PER_PICTURE = 100
FEWEST_STEPS, MOST_STEPS = 800, 2500
SCHEDULES = ("cosine", "linear", "constant", "cosine with restarts")
PRECISIONS = ("auto", "fp32", "bf16")
SUBJECTS = ("not stated", "synthetic character", "real person who consented")
ADAPTERS = ("LoRA", "DoRA", "rsLoRA", "LoKr", "LoHa")
TARGETS = ("all linear layers", "attention", "attention and MLP", "linear layers and convolutions")
OPTIMIZERS = ("AdamW", "AdamW fused", "AdamW 8-bit", "Adafactor", "Prodigy", "Lion")
TIMESTEPS = ("auto", "uniform", "logit-normal", "shift", "flux_shift")
LOSS_WEIGHTINGS = ("none", "min-SNR", "debiased")
CACHES = ("memory", "disk")
BASES = ("as it is", "fp8")

# What changes neither the gradients nor the pictures drawn: a run goes on under another value.
_NOT_IN_FINGERPRINT = {
    "steps",
    "repeats",
    "epochs",
    "checkpoint_every",
    "gradient_checkpointing",
    "subject",
    "cache",
    "micro_batch",
    "vram",
    "validate_every",
    "sample_every",
    "sample_prompts",
    "sample_steps",
    "sample_cfg",
    "patience",
}

_CHOICES = {
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
    "subject": SUBJECTS,
    "adapter": ADAPTERS,
    "targets": TARGETS,
    "optimizer": OPTIMIZERS,
    "timesteps": TIMESTEPS,
    "loss_weighting": LOSS_WEIGHTINGS,
    "cache": CACHES,
    "base": BASES,
}


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of one run. Raises ValueError when a value cannot work.

    steps: optimizer steps, 0 for repeats x epochs where both are given, and else 100 a picture
    within 800 to 2500. rank: of the adapter. batch_size: pictures a step. resolution: side in
    pixels of the square whose area pictures are scaled down to, 0 for the size most of them have.
    warmup: share of the steps in which the learning rate rises. ema: decay of the averaged
    weights that are saved. caption_dropout: share of samples that see an empty caption.
    timestep_shift: above 1 for more noise. guidance: the distilled guidance that the model is
    told. checkpoint_every: in steps, 0 for the end only. subject: who the pictures show, for the
    file's metadata.

    adapter: the kind that is trained. alpha: its scale is alpha / rank, 0 for the rank. targets:
    which layers; target_pattern: globs over their names, comma-separated, "-" in front excludes.
    restarts: cycles of "cosine with restarts". repeats: how often each picture is seen in each of
    the epochs. timesteps: how noise is drawn. loss_weighting, snr_gamma: of eps and v models.
    resolutions: several sides in place of resolution. flip: mirrored pictures too. masked_loss:
    the loss counts inside each shot's mask, mask_outside as much outside of it; prior_outside:
    weight of keeping the untrained model's prediction there, and prior_class: for the class word.
    generated_from, generated_to: range of noise that generated shots are trained at, 0 clean,
    1 noise alone. cache: where encoded pictures and captions are kept. micro_batch: samples at
    once, 0 for the whole batch. base: what the frozen weights are kept in. vram: GB of the
    device's memory to stay within, 0 for all.
    validation_shots: held out, their loss taken each validate_every steps. sample_every: in
    steps; sample_prompts: one a line, with [trigger] and [class]. patience: checkpoints without a
    better likeness until the run stops, 0 never. continue_from: a LoRA file to start from.
    text_encoder: whether the CLIP models learn too, at a rate of their own, text_encoder_rate.
    sample_steps, sample_cfg: of the sample pictures, a cfg of 0 for what suits the model.
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

    adapter: str = "LoRA"
    alpha: float = 0.0
    targets: str = TARGETS[0]
    target_pattern: str = ""
    optimizer: str = "AdamW"
    restarts: int = 3
    repeats: int = 0
    epochs: int = 0
    timesteps: str = "auto"
    loss_weighting: str = "none"
    snr_gamma: float = 5.0
    resolutions: str = ""
    flip: bool = False
    masked_loss: bool = False
    mask_outside: float = 0.0
    prior_outside: float = 0.0
    prior_class: float = 0.0
    generated_from: float = 0.0
    generated_to: float = 1.0
    cache: str = "memory"
    micro_batch: int = 0
    base: str = BASES[0]
    vram: float = 0.0
    validation_shots: int = 0
    validate_every: int = 0
    sample_every: int = 0
    sample_prompts: str = ""
    patience: int = 0
    continue_from: str = ""
    text_encoder: bool = False
    text_encoder_rate: float = 5e-5
    sample_steps: int = 20
    sample_cfg: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in NUMBERS.items():
            check_number(name, getattr(self, name), low, high)
        for name, choices in _CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        if self.generated_from >= self.generated_to:
            raise ValueError(
                f"generated_from is {self.generated_from:g} and generated_to "
                f"{self.generated_to:g}; give a lower number first, such as 0 and 1."
            )
        if bool(self.repeats) != bool(self.epochs):
            raise ValueError(
                f"repeats is {self.repeats} and epochs {self.epochs}; give both, or 0 for both "
                "and let steps decide."
            )
        self.sides()

    def sides(self) -> tuple[int, ...]:
        """The resolutions to train at, ascending; none where ``resolution`` alone decides."""
        found = set()
        for part in self.resolutions.replace(",", " ").split():
            if not (part.isdecimal() and 64 <= int(part) <= 8192):
                raise ValueError(
                    f"resolutions names {part!r}; give sides in pixels from 64 to 8192, such as "
                    "'512, 768, 1024'."
                )
            found.add(int(part))
        return tuple(sorted(found))

    def for_pictures(self, count: int) -> TrainingSettings:
        """These settings with the number of steps decided, for ``count`` pictures."""
        if self.steps:
            return self
        if self.repeats and self.epochs:
            seen = count * self.repeats * self.epochs
            return replace(self, steps=min(math.ceil(seen / self.batch_size), MOST_EVER))
        return replace(self, steps=min(max(STEPS_PER_PICTURE * count, FEWEST_STEPS), MOST_STEPS))

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of step ``step``, counted from 0.

        Prodigy finds the rate itself and takes a factor of it, which starts from 1.
        """
        return self._scheduled(self.learning_rate, step)

    def text_encoder_rate_at(self, step: int) -> float:
        """As ``learning_rate_at``, of the text encoder; Prodigy finds one rate for both."""
        return self._scheduled(self.text_encoder_rate, step)

    def schedule_at(self, step: int) -> float:
        """The share of the full learning rate that step ``step``, counted from 0, goes at."""
        warmup = round(self.warmup * self.steps)
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(self.steps - warmup, 1)
        factor = {
            "cosine": 0.5 * (1 + math.cos(math.pi * done)),
            "linear": 1 - done,
            "constant": 1.0,
            "cosine with restarts": 0.5 * (1 + math.cos(math.pi * (done * self.restarts % 1))),
        }
        return factor[self.schedule]

    def _scheduled(self, rate: float, step: int) -> float:
        return self.schedule_at(step) * (1.0 if self.optimizer == "Prodigy" else rate)

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
