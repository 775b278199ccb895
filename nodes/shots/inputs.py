"""What the shooting nodes ask for, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io

from ...engine.comfyui.sampling import CustomSampling
from ...engine.core.character import Character
from ...engine.families.dialects import AUTO, dialect_for, names
from ...engine.families.modes import ReferenceMode, resolve_mode
from ...engine.generate.shots.camera import Studio
from ...engine.generate.shots.gates import Gates
from ...engine.generate.shots.remedies import RetryRules, rules_from, settings, thresholds_from
from ...engine.vision.pose import PoseModel
from ..common import sockets
from ..common.inputs import (
    face_detection_input,
    model_inputs,
    negative_input,
    sampling_from,
    sampling_inputs,
    to_rgb,
)


@dataclass(frozen=True, kw_only=True)
class ShootInputs:
    """What was set on a shooting node, by the ids of its inputs."""

    model: Any
    clip: Any
    vae: Any
    reference_mode: str
    seed: int
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    guidance: float
    width: int
    height: int
    face_detection_model: Any = None
    clip_vision: Any = None
    tries: int = 3
    max_yaw_error: float = 12.0
    min_identity: float = 0.5
    negative: str = ""
    denoise: float = 0.75
    strengthen_likeness: bool = False
    options: Mapping[str, Any] | None = None
    sampler: Any = None
    sigmas: torch.Tensor | None = None
    references: torch.Tensor | None = None
    prompt_style: str = AUTO
    decisions: str = ""

    def studio(self, character: Character) -> Studio:
        """The studio that makes the shots; raises FacetError when the model cannot do that."""
        mode = resolve_mode(ReferenceMode(self.reference_mode), self.model)
        dialect = dialect_for(self.prompt_style, self.model, mode.value)
        sampling = sampling_from(
            character,
            steps=self.steps,
            cfg=self.cfg,
            sampler_name=self.sampler_name,
            scheduler=self.scheduler,
            guidance=self.guidance,
            width=self.width,
            height=self.height,
            pixels=dialect.pixels,
        )
        return Studio(
            self.model,
            self.clip,
            self.vae,
            sampling,
            mode,
            self.negative.strip(),
            self.denoise,
            self.strengthen_likeness,
            reference_pictures(self.references),
            self.prompt_style,
            custom_sampling(self.sampler, self.sigmas),
        )

    def judging(
        self, character: Character, pose_model: PoseModel | None = None
    ) -> tuple[Gates, RetryRules]:
        """The gates that measure the shots, and how they are tried again."""
        own = {
            "tries": self.tries,
            "max_yaw_error": self.max_yaw_error,
            "min_identity": self.min_identity,
        }
        chosen = settings(self.options, own)
        gates = Gates(
            character.source.image,
            thresholds_from(chosen),
            self.face_detection_model,
            self.clip_vision,
            chosen.get("person_detector"),
            pose_model,
        )
        return gates, rules_from(chosen)


def studio_inputs() -> list[io.Input]:
    """Everything that shooting nodes need besides what they shoot."""
    return [
        *model_inputs(),
        io.Combo.Input(
            "reference_mode",
            options=ReferenceMode,
            default=ReferenceMode.AUTO,
            tooltip="How the model sees the original: reference_latents for edit models "
            "(Kontext, Flux2, the demo), qwen_edit for Qwen-Image-Edit, img2img for "
            "any model, patched_model when IP-Adapter or PuLID is already applied, "
            "trained_lora when the character's own LoRA is. Auto chooses by the model "
            "family, and asks where that is ambiguous.",
        ),
        *sampling_inputs(),
        face_detection_input("the view is not checked"),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Measures each shot's similarity to the original. If not connected, "
            "similarity is not checked.",
        ),
        io.Int.Input(
            "tries",
            default=3,
            min=1,
            max=10,
            optional=True,
            advanced=True,
            tooltip="Maximum number of attempts at a shot; the best one is kept.",
        ),
        io.Float.Input(
            "max_yaw_error",
            default=12.0,
            min=1.0,
            max=90.0,
            step=1.0,
            optional=True,
            advanced=True,
            tooltip="Largest deviation of the face's yaw from the view asked for, in degrees.",
        ),
        io.Float.Input(
            "min_identity",
            default=0.5,
            min=-1.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="Minimum similarity of a shot to the original: cosine of the CLIP_VISION "
            "embeddings. About 0.5 for the demo encoder, 0.6 for DINOv2, 0.8 for CLIP "
            "and SigLIP.",
        ),
        negative_input(),
        io.Float.Input(
            "denoise",
            default=0.75,
            min=0.05,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="With img2img: how far a shot may move from the original.",
        ),
    ]


def later_inputs() -> list[io.Input]:
    """What came later, and so stands last in every shooting node, in the order it came in.

    The panel hides the last one, in which it keeps the decisions.
    """
    return [
        io.Boolean.Input(
            "strengthen_likeness",
            default=False,
            optional=True,
            advanced=True,
            tooltip="CFG strengthens the similarity along with the prompt: the negative "
            "prompt is encoded without the original. For edit models that use a cfg "
            "above 1, such as the demo's.",
        ),
        sockets.ShotOptions.Input(
            "options",
            optional=True,
            tooltip="All thresholds and retry rules, from Facet Shot Options. Values changed "
            "on this node take precedence.",
        ),
        *reference_inputs(),
        io.String.Input(
            "decisions",
            default="",
            optional=True,
            advanced=True,
            dynamic_prompts=False,
            socketless=True,
            extra_dict={"hidden": True},
            tooltip="Decisions about single shots made in the grid, as JSON: pin includes a "
            "shot although a gate failed, drop leaves it out of the dataset, reroll "
            "makes another.",
        ),
    ]


def shot_outputs() -> list[io.Output]:
    """What comes out where a plan was shot."""
    return [
        sockets.Character.Output("character", tooltip="The character with the shots added."),
        io.Image.Output("sheet", tooltip="All shots on one labelled sheet."),
        io.Image.Output("images", is_output_list=True, tooltip="The shots, one by one."),
    ]


def reference_inputs() -> list[io.Input]:
    """Sampler, sigmas, references and prompt style, in the order in which they were added."""
    return [
        io.Sampler.Input(
            "sampler",
            optional=True,
            tooltip="A sampler of your own instead of sampler_name.",
        ),
        io.Sigmas.Input(
            "sigmas",
            optional=True,
            tooltip="A noise schedule of your own instead of scheduler and steps, and with img2img "
            "instead of denoise.",
        ),
        io.Image.Input(
            "references",
            optional=True,
            tooltip="Up to two more pictures that the model sees besides the original, as one "
            "batch. For reference_latents and qwen_edit.",
        ),
        io.Combo.Input(
            "prompt_style",
            options=[AUTO, *names()],
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip="Prompt style. Auto follows the model family where it is known, and uses "
            "plain words otherwise; Kontext and the angles LoRAs have to be chosen.",
        ),
    ]


def custom_sampling(
    sampler: io.Sampler.Type | None, sigmas: torch.Tensor | None
) -> CustomSampling | None:
    """The user's own sampling, or None where neither is connected."""
    if sampler is None and sigmas is None:
        return None
    return CustomSampling(sampler, sigmas)


def reference_pictures(
    references: torch.Tensor | Sequence[torch.Tensor] | None,
) -> tuple[torch.Tensor, ...]:
    """Each picture (H, W, 3) of an IMAGE batch (B, H, W, C), or of several batches."""
    if references is None:
        return ()
    batches = [references] if isinstance(references, torch.Tensor) else references
    return tuple(to_rgb(picture) for batch in batches for picture in batch)
