"""The settings of a training: each is stated once, as a field of ``TrainingSettings``.

The inputs of the two nodes, the lists on their help pages, the English texts, what is checked, what
a LoRA file records and which runs are the same come from there.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any

from ..core.errors import FacetError
from ..families.recipes import FACET

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

TRAINER = "Trainer"
"""The group of what stands on the trainer itself; all others are on its options."""

ADAPTER, SCHEDULE, IMAGES, LOSS, MEMORY, WATCHING, TEXT_ENCODER = (
    "Adapter",
    "Optimizer and schedule",
    "Images and masks",
    "Noise and loss",
    "Memory",
    "While it trains",
    "Text encoder",
)

_MOST_STEPS = 100_000


@dataclass(frozen=True)
class Setting:
    """What is stated of a setting.

    help: what it does and what is recommended, shown as a tooltip; details: more of it, for the
    help page. low, high: the range of a number, both included. choices: of a text. step, round_to:
    of the widget. resumable: whether it may differ when a run is resumed, as it changes neither
    the gradients nor the choice of images. label: what the widget is called, when not by the name.
    optional: a workflow may lack it. later: it came after runs had been made without it, which are
    still found while it is at its default.
    """

    name: str
    default: bool | int | float | str
    group: str
    help: str
    details: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    step: float | None = None
    round_to: float | None = None
    resumable: bool = False
    advanced: bool = False
    optional: bool = False
    later: bool = False
    multiline: bool = False
    label: str = ""

    def check(self, value: Any) -> None:
        """Raises FacetError when ``value`` is out of range or none of the choices."""
        if self.choices and value not in self.choices:
            choices = ", ".join(self.choices)
            raise FacetError(f"{self.name} is {value!r}; choose one of {choices}.")
        if self.low is None or self.high is None:
            return
        if not (isinstance(value, int | float) and self.low <= value <= self.high):
            raise FacetError(
                f"{self.name} is {value}; give a number from {self.low:g} to {self.high:g}."
            )


def setting(
    default: bool | int | float | str,
    group: str,
    low: float | None = None,
    high: float | None = None,
    **stated: Any,
) -> Callable[..., Any]:
    """A field of a table of settings, to be called with its ``help`` and ``details``.

    ``stated`` are the other fields of ``Setting``.
    """

    def told(text: str, details: str = "") -> Any:
        known = {"group": group, "low": low, "high": high, "help": text, "details": details}
        return field(default=default, metadata=known | stated)

    return told


@cache
def settings_of(table: type) -> tuple[Setting, ...]:
    """The settings of a dataclass whose fields are made by ``setting``, in order.

    Raises FacetError when one lacks what the nodes and help pages need.
    """
    found = []
    for one in fields(table):
        for part in ("group", "help"):
            if not one.metadata.get(part):
                raise FacetError(f"The setting {one.name!r} has no {part}; state it in the table.")
        default: Any = one.default
        found.append(Setting(one.name, default, **one.metadata))
        if type(default) in (int, float) and None in (found[-1].low, found[-1].high):
            raise FacetError(f"The setting {one.name!r} has no range; state its low and high.")
    return tuple(found)


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of one run, in the order of the nodes' inputs.

    Raises FacetError when a value cannot work.
    """

    steps: int = setting(0, TRAINER, 0, _MOST_STEPS, resumable=True)(
        f"Training steps. 0 (recommended) takes {FACET.per_image} for each image, from "
        f"{FACET.fewest} to {FACET.most}.",
        "More is not better: past its best, a LoRA copies its images. Connect a **judge** with a "
        "CLIP_VISION, or use the Identity Scorer, to find the checkpoint to use.",
    )
    rank: int = setting(16, TRAINER, 1, 256)(
        "Rank of the LoRA, which decides its size. 8 to 32 suits a character.",
        "16 is recommended, 32 for elaborate costumes. **alpha** is the same unless you "
        "set it, so that strength 1 is what was trained.",
    )
    learning_rate: float = setting(1e-4, TRAINER, 1e-6, 1e-1, step=1e-6, round_to=1e-7)(
        "Learning rate. 1e-4 for large models, 3e-3 for the demo model.",
        "Too high and the images fall apart, or the node stops with “The loss was not a "
        "number”; too low and the character does not appear.",
    )
    batch_size: int = setting(1, TRAINER, 1, 64)(
        "Images in each step, each with its own caption.",
        "1 is fine. 2 to 4 give a smoother loss curve and need more memory; images of "
        "almost one shape are then cropped to one size.",
    )
    seed: int = setting(0, TRAINER, 0, 0xFFFFFFFFFFFFFFFF)(
        "The same seed and inputs give the same LoRA.",
        "It stays fixed, since another seed is a new run.",
    )
    checkpoint_every: int = setting(250, TRAINER, 0, 100_000, resumable=True, advanced=True)(
        "Steps between two checkpoints, each a LoRA of its own; 0 saves only at the end.",
        "250 is recommended.",
    )
    gradient_checkpointing: bool = setting(False, TRAINER, resumable=True, advanced=True)(
        "Needs far less memory; a step takes half as long again. The result is the same.",
        "Off, it is used all the same where a step would not fit on the card.",
    )
    resolution: int = setting(0, TRAINER, 0, 4096, step=16, advanced=True)(
        "Images are scaled down to the area of a square of this side, in pixels. 0 "
        "(recommended) takes the median size of the images, up to 1024."
    )
    schedule: str = setting(SCHEDULES[0], TRAINER, choices=SCHEDULES, advanced=True)(
        "How the learning rate falls after the warmup; cosine is recommended."
    )
    precision: str = setting(PRECISIONS[0], TRAINER, choices=PRECISIONS, advanced=True)(
        "Precision that the frozen model computes in; auto is recommended. The LoRA itself is "
        "always fp32."
    )
    subject: str = setting(SUBJECTS[0], TRAINER, choices=SUBJECTS, resumable=True, advanced=True)(
        "Who the images show; written into the LoRA file."
    )

    adapter: str = setting(ADAPTERS[0], ADAPTER, choices=ADAPTERS)(
        "Kind of adapter. LoRA is recommended and loads everywhere; DoRA is slower and a "
        "little closer; LoKr makes the smallest files.",
        "DoRA also learns the norm of each weight column. rsLoRA scales by the root of the "
        "rank: for ranks of 64 and more. LoKr wants three times the learning rate. LoHa reaches a "
        "higher rank for its size, and is the slowest.",
    )
    alpha: float = setting(0.0, ADAPTER, 0.0, 1024.0, step=1.0, advanced=True)(
        "The adapter is scaled by alpha / rank. 0 (recommended) takes the rank, so that "
        "strength 1 is what was trained."
    )
    targets: str = setting(TARGETS[0], ADAPTER, choices=TARGETS, advanced=True)(
        "Which layers of each block are trained. All linear layers is recommended; attention "
        "alone learns less and bleeds less.",
        "With convolutions for styles of SD1.5 and SDXL. Flux's single blocks have "
        "attention and MLP in the same layers.",
    )
    target_pattern: str = setting("", ADAPTER, advanced=True)(
        "Names of layers to train, with * for any part, separated by commas; - in front "
        "excludes. Empty is recommended.",
        "Such as `double_blocks.*.img_attn.*, -*.qkv`.",
    )

    optimizer: str = setting(OPTIMIZERS[0], SCHEDULE, choices=OPTIMIZERS)(
        "AdamW is recommended; AdamW 8-bit and Adafactor need less memory; Prodigy finds the "
        "learning rate itself.",
        "AdamW fused insists on its fast kernel. AdamW 8-bit needs `pip install "
        "bitsandbytes`; Prodigy and Lion need `pip install pytorch-optimizer`. Prodigy ignores "
        "your learning rate and takes some hundred steps to find its own; Lion wants a third of "
        "the usual one.",
    )
    repeats: int = setting(0, SCHEDULE, 0, 10_000, resumable=True, advanced=True)(
        "How often each image is seen in an epoch, when the trainer's steps are 0. 0 "
        "(recommended) lets the trainer decide."
    )
    epochs: int = setting(0, SCHEDULE, 0, 10_000, resumable=True, advanced=True)(
        "Steps are images times repeats times epochs, divided by the batch size. 0 "
        "(recommended) lets the trainer decide.",
        "FluxGym's preset is ten repeats and 16 epochs.",
    )
    restarts: int = setting(3, SCHEDULE, 1, 100, advanced=True)(
        "Cycles of the schedule 'cosine with restarts'; 3 is recommended."
    )
    warmup: float = setting(0.05, SCHEDULE, 0.0, 1.0, step=0.01, advanced=True)(
        "Share of the steps in which the learning rate rises; 0.05 is recommended."
    )
    weight_decay: float = setting(
        0.01, SCHEDULE, 0.0, 1.0, step=0.001, round_to=0.0001, advanced=True
    )("Pulls the weights towards zero; 0.01 is recommended, 0.1 for Lion.")
    clip: float = setting(
        1.0, SCHEDULE, 0.01, 1000.0, step=0.1, round_to=0.01, advanced=True, label="gradient_clip"
    )("Gradient clipping: maximum norm of the gradient. 1 is recommended.")
    ema: float = setting(0.99, SCHEDULE, 0.0, 0.9999, step=0.001, round_to=0.0001, advanced=True)(
        "Decay of the running average (EMA) of the weights, which is what is saved. 0.99 is "
        "recommended; 0 saves the weights without averaging."
    )

    resolutions: str = setting("", IMAGES)(
        "Trains at several resolutions, such as 512, 768, 1024, which is recommended for "
        "large models; the LoRA then works at each. Empty takes the trainer's resolution."
    )
    flip: bool = setting(False, IMAGES)(
        "Trains on mirrored images too. Off is recommended: faces are not symmetric."
    )
    caption_dropout: float = setting(0.05, IMAGES, 0.0, 1.0, step=0.01, advanced=True)(
        "Share of the samples that are trained with an empty caption; 0.05 is recommended."
    )
    cache: str = setting(CACHES[0], IMAGES, choices=CACHES, resumable=True, advanced=True)(
        "Where encoded images and captions are kept. Memory is recommended; disk also spares "
        "the next run the encoding.",
        "It takes at most 8 GiB, in `cache` in the character's output folder, which you "
        "may delete at any time.",
    )
    masked_loss: bool = setting(False, IMAGES)(
        "Learns only inside each shot's mask; recommended when shots have masks and the "
        "background bleeds in."
    )
    mask_outside: float = setting(0.0, IMAGES, 0.0, 1.0, step=0.05, advanced=True)(
        "How much the area outside the mask counts in the masked loss; 0 to 0.1 is recommended."
    )
    prior_outside: float = setting(0.0, IMAGES, 0.0, 10.0, step=0.1, advanced=True)(
        "Keeps what the untrained model makes outside the mask; 1 is recommended with masks. "
        "A step takes half as long again."
    )
    prior_class: float = setting(0.0, IMAGES, 0.0, 10.0, step=0.1)(
        "Keeps what the class word means without the trigger, with no extra images; 0.5 is "
        "recommended when everybody turns into the character, else 0.",
        "A step takes more than twice as long.",
    )
    generated_from: float = setting(0.0, IMAGES, 0.0, 1.0, step=0.05, advanced=True)(
        "The least noise that generated shots are trained at, from 0 (clean) to 1 (pure "
        "noise). 0 is recommended, 0.3 when their fine detail is wrong."
    )
    generated_to: float = setting(1.0, IMAGES, 0.0, 1.0, step=0.05, advanced=True)(
        "The most noise that generated shots are trained at; 1 is recommended."
    )

    timesteps: str = setting(TIMESTEPS[0], LOSS, choices=TIMESTEPS, advanced=True)(
        "Distribution of the training timesteps. Auto (recommended) follows the model.",
        "`auto` is logit-normal for flow models, shifted by 3 towards noise, where "
        "identity is decided, and uniform for SD1.5 and SDXL.",
    )
    timestep_shift: float = setting(1.0, LOSS, 0.1, 20.0, step=0.1, advanced=True)(
        "Above 1 for more noise, and so for form over detail. 1 (recommended) leaves it to "
        "timesteps: 3 with 'auto', the model's own with 'shift'.",
        "Flux dev's own is 3.16.",
    )
    guidance: float = setting(1.0, LOSS, 0.0, 20.0, step=0.1, advanced=True)(
        "Guidance that a guidance-distilled model such as Flux dev is trained at; 1 is recommended."
    )
    loss_weighting: str = setting(LOSS_WEIGHTINGS[0], LOSS, choices=LOSS_WEIGHTINGS, advanced=True)(
        "Weights the loss by the noise, for SD1.5 and SDXL; min-SNR is recommended there, "
        "none elsewhere."
    )
    snr_gamma: float = setting(5.0, LOSS, 0.1, 100.0, step=0.5, advanced=True)(
        "Gamma of min-SNR, its upper bound; 5 is recommended."
    )

    base: str = setting(BASES[0], MEMORY, choices=BASES, advanced=True)(
        "Keeps the frozen weights in fp8 while training, half the memory of bf16; recommended "
        "below 24 GB for models of Flux's size.",
        "The model is handed back as it was.",
    )
    micro_batch: int = setting(0, MEMORY, 0, 64, resumable=True, advanced=True)(
        "Images computed at once; the result is that of the whole batch. 0 (recommended) "
        "takes all of them, 1 needs the least memory."
    )
    vram: float = setting(0.0, MEMORY, 0.0, 1024.0, step=0.5, resumable=True, advanced=True)(
        "Gigabytes of graphics memory to stay within; the rest of the model is streamed. 0 "
        "(recommended) uses what is free."
    )

    validation_shots: int = setting(0, WATCHING, 0, 100)(
        "Shots held out to measure the validation loss on; 1 or 2 of 20 are recommended, 0 "
        "with fewer than 10."
    )
    validate_every: int = setting(0, WATCHING, 0, 100_000, resumable=True, advanced=True)(
        "Steps between two measurements of the validation loss. 0 (recommended) measures it "
        "at each checkpoint."
    )
    sample_every: int = setting(0, WATCHING, 0, 100_000, resumable=True)(
        "Steps between two sets of samples; 250 is recommended. 0 makes none, and with "
        "a CLIP_VISION in the trainer's judge a set at each checkpoint."
    )
    sample_prompts: str = setting("", WATCHING, resumable=True, multiline=True)(
        "Prompts of the samples, one per line; [trigger] and [class] are replaced. Empty "
        "(recommended) takes Facet's own."
    )
    patience: int = setting(0, WATCHING, 0, 1000, resumable=True)(
        "Stops after so many checkpoints without a better one; 3 is recommended with "
        "a CLIP_VISION in the trainer's judge, 0 never stops."
    )
    continue_from: str = setting("", WATCHING, advanced=True)(
        "A LoRA to start from; none is recommended. Files of kohya, diffusers and PEFT are read."
    )

    # Appended in the order in which they came: saved workflows go by it.
    text_encoder: bool = setting(False, TEXT_ENCODER, advanced=True, optional=True)(
        "Trains CLIP-L, CLIP-G or CLIP-H too, of SD1.5, SDXL, SD3 and Flux. Off is "
        "recommended; T5 and language models are not trained.",
        "Turn it on when SD1.5 or SDXL does not take the trigger: the LoRA is then to be "
        "loaded on the CLIP as well, at the same strength. Captions are encoded at every step, so "
        "a step takes longer, and the text encoder stays in memory beside the model. **adapter**, "
        "**rank** and **targets** hold for it too, **target_pattern** is for the diffusion model "
        "alone. Samples are made with the trained encoder.",
    )
    text_encoder_rate: float = setting(
        5e-5, TEXT_ENCODER, 1e-7, 1e-1, step=1e-6, round_to=1e-8, advanced=True, optional=True
    )(
        "Learning rate of the text encoder; half of the model's or less is recommended.",
        "Prodigy finds one rate for both.",
    )
    noise_offset: float = setting(
        0.0, LOSS, 0.0, 1.0, step=0.01, advanced=True, optional=True, later=True
    )(
        "For SD1.5 and SDXL: noise that shifts a whole image, so that very dark and very bright "
        "ones are learned; 0.05 is recommended for those, and 0 for all others.",
    )

    def __post_init__(self) -> None:
        for one in settings_of(TrainingSettings):
            one.check(getattr(self, one.name))
        if self.generated_from >= self.generated_to:
            raise FacetError(
                f"generated_from is {self.generated_from:g} and generated_to "
                f"{self.generated_to:g}; give a lower number first, such as 0 and 1."
            )
        if bool(self.repeats) != bool(self.epochs):
            raise FacetError(
                f"repeats is {self.repeats} and epochs {self.epochs}; give both, or 0 for both "
                "and let steps decide."
            )
        self.sides()

    def sides(self) -> tuple[int, ...]:
        """The resolutions to train at, ascending; none where ``resolution`` alone decides."""
        found = set()
        for part in self.resolutions.replace(",", " ").split():
            if not (part.isdecimal() and 64 <= int(part) <= 8192):
                raise FacetError(
                    f"resolutions names {part!r}; give sides in pixels from 64 to 8192, such as "
                    "'512, 768, 1024'."
                )
            found.add(int(part))
        return tuple(sorted(found))

    def for_pictures(self, count: int) -> TrainingSettings:
        """These settings with the number of steps decided, for ``count`` images."""
        if self.steps:
            return self
        if self.repeats and self.epochs:
            steps = math.ceil(count * self.repeats * self.epochs / self.batch_size)
            return replace(self, steps=min(steps, _MOST_STEPS))
        return replace(self, steps=FACET.steps(count))

    def fingerprint(self, *inputs: str) -> str:
        """sha256 of what decides the outcome: these settings and the hashes of the inputs."""
        values = asdict(self)
        for one in settings_of(TrainingSettings):
            if one.resumable or (one.later and values[one.name] == one.default):
                del values[one.name]
        text = json.dumps([values, *inputs], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        return asdict(self)
