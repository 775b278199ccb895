"""What a family of models is to Facet: one record, read by everything that differs by family.

A family's record stands in a module of its own beside this one and in one line of ``table.py``;
see docs/adding-a-family.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

PLAIN = "plain"
"""The prompt table with the words of captions, which every model understands."""


class ReferenceMode(str, Enum):
    """The ways a model takes a reference image. New ones come last: workflows store these."""

    AUTO = "auto"
    REFERENCE_LATENTS = "reference_latents"
    IMG2IMG = "img2img"
    PATCHED_MODEL = "patched_model"
    QWEN_EDIT = "qwen_edit"
    TRAINED_LORA = "trained_lora"


class Form(str, Enum):
    """How a caption is put."""

    AUTO = "auto"
    PHRASES = "phrases"
    SENTENCES = "sentences"
    TAGS = "tags"


class LoraNames(Enum):
    """How layers are called in a LoRA file that several programs read; see training's names.py.

    DIFFUSERS: diffusers' names as kohya writes them. KOHYA: the model's own names as kohya does.
    GENERIC: ``diffusion_model.`` and the model's own names. Z_IMAGE: the same, with its one
    attention layer written as three.
    """

    DIFFUSERS = "diffusers"
    KOHYA = "kohya"
    GENERIC = "generic"
    Z_IMAGE = "z_image"


@dataclass(frozen=True)
class UsualSampling:
    """How samples of a model are usually made. guidance: the distilled guidance it is told."""

    cfg: float
    scheduler: str
    steps: int = 20
    guidance: float | None = None


GUIDANCE_DISTILLED = UsualSampling(1.0, "simple", guidance=3.5)
FEW_STEPS = re.compile(
    r"turbo|lightning|schnell|hyper|(^|[^a-z])(lcm|dmd2?)([^a-z]|$)|distill|\d+[-_ ]?steps?",
    re.IGNORECASE,
)
"""How the files of distilled models are called, whatever the family."""
FLOW = UsualSampling(3.0, "simple")
NOISE = UsualSampling(6.0, "normal")


@dataclass(frozen=True)
class Layers:
    """Which layers of a network a LoRA adapts: patterns over their names, '.' at both ends.

    left_out: layers that set the scale of everything after them, or turn a size, a time or a prompt
    into numbers: adapting them changes every picture, not the character.
    """

    attention: re.Pattern[str]
    mlp: re.Pattern[str]
    left_out: re.Pattern[str]


USUAL_LAYERS = Layers(
    # Flux's single blocks have attention and feed-forward in the same two layers.
    attention=re.compile(r"\.\w*(attn|attention)\w*\.|\.linear[12]\.$", re.IGNORECASE),
    mlp=re.compile(
        r"\.(\w*mlp\w*|(\w+_)?ffn?(_\w+)?|feed_?forward)\.|\.linear[12]\.$", re.IGNORECASE
    ),
    left_out=re.compile(
        r"(^|[._])(\w*mod\w*|\w*norm\w*|\w*embed\w*|time\w*|\w*in_layers|emb_layers|label_emb"
        r"|router|gate_logits|distilled_guidance_layer|final_layer|proj_in|proj_out)([._]|$)",
        re.IGNORECASE,
    ),
)
"""Fits the transformers and the UNets that ComfyUI has; a family with other names has its own."""


def ai_toolkit(
    base: str, guidance: float, sample_steps: int, scheduler: str = "flowmatch", **model: Any
) -> dict[str, Any]:
    """What ai-toolkit is told of a family. model: more about the model of that name."""
    return {
        "model": {"name_or_path": base, **model},
        "scheduler": scheduler,
        "guidance": guidance,
        "sample_steps": sample_steps,
    }


def onetrainer(
    model_type: str, base: str, output: str, parts: Mapping[str, str], **more: Any
) -> dict[str, Any]:
    """What OneTrainer is told of a family. parts: the types of their weights in training."""
    trained = {"transformer": {"train": True}, "unet": {}}
    return {
        "model_type": model_type,
        "base_model_name": base,
        "output_model_format": output,
        **{
            part: {**trained.get(part, {"train": False}), "weight_dtype": dtype}
            for part, dtype in parts.items()
        },
        "vae": {"weight_dtype": "FLOAT_32"},
        "train_dtype": "BFLOAT_16",
        **more,
    }


@dataclass(frozen=True)
class Architecture:
    """What a LoRA file says it is for, in the words of sd-scripts where it has some.

    base_version: ``ss_base_model_version``. name: ``modelspec.architecture``. implementation:
    ``modelspec.implementation``, '' for ComfyUI's.
    """

    base_version: str
    name: str
    implementation: str = ""


@dataclass(frozen=True)
class Family:
    """One family of models.

    key, label: what files and workflows call it, what people call it.
    classes: its configurations in ``comfy.supported_models``; each belongs to one family.

    references: how its network takes reference images, '()' when it ignores them.
    always_edits: every published file was trained with references, so "auto" need not ask.
    edit_methods: the mode by the ``default_ref_method`` with which a file says that it edits.
    edit_example: what "auto" advises where a file does not say.
    takes_images: it is given the images themselves, because it has no latents.

    words: the prompt table in ``words/``; words_by_mode: another one for a reference mode.
    captions: the form that it was trained on.

    sampling: how samples are made; None: by what the network predicts, see ``usual_sampling``.
    layers: what a LoRA adapts. lora_names: what its layers are called in a file.
    architecture: what the file says it is for; None: the name of ComfyUI's class.

    distilled: whether its files are distilled, so that a LoRA trained on them comes out wrong; None
    where some are and say so by their name at most, as ``distilled_names`` has it. train_instead:
    what to train then, '' where unknown. distilled_sampling: how distilled files are sampled.
    licence: of the published base model, '' where unknown.

    side: of the square that it was trained at, in pixels. recipes: what other trainers
    (sd_scripts, ai_toolkit, onetrainer) are told.
    """

    key: str
    label: str
    classes: tuple[str, ...]
    references: tuple[ReferenceMode, ...] = ()
    always_edits: bool = False
    edit_methods: Mapping[str, ReferenceMode] = field(default_factory=dict)
    edit_example: str = "'reference_latents' for an edit model such as Kontext"
    takes_images: bool = False
    words: str = PLAIN
    words_by_mode: Mapping[ReferenceMode, str] = field(default_factory=dict)
    captions: Form = Form.SENTENCES
    sampling: UsualSampling | None = None
    layers: Layers = USUAL_LAYERS
    lora_names: LoraNames = LoraNames.GENERIC
    architecture: Architecture | None = None
    distilled: bool | None = False
    distilled_names: re.Pattern[str] = FEW_STEPS
    train_instead: str = ""
    distilled_sampling: UsualSampling = UsualSampling(1.0, "simple", 8)
    licence: str = ""
    side: int = 1024
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))

    def recipe(self, trainer: str) -> Mapping[str, Any] | None:
        """What ``trainer`` is told; None if it does not train the family."""
        return self.recipes.get(trainer)
