"""What makes pictures: wired once, taken by every node that makes some."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ...engine.comfyui.sampling import CustomSampling, Sampling
from ...engine.families.dialects import AUTO, names
from ...engine.families.modes import ReferenceMode, resolve_mode
from ...engine.families.table import usual_sampling
from ...engine.studio.studio import Studio
from ..common import sockets
from ..common.inputs import pictures_of
from ..common.node import Node


def sampler_names() -> list[str]:
    """The samplers of this ComfyUI."""
    import comfy.samplers

    return comfy.samplers.SAMPLER_NAMES


def scheduler_names() -> list[str]:
    """The schedulers of this ComfyUI."""
    import comfy.samplers

    return comfy.samplers.SCHEDULER_NAMES


def model_inputs() -> list[io.Input]:
    """The models, and how they are shown the original."""
    return [
        io.Model.Input("model", tooltip="The diffusion model that makes the images."),
        io.Clip.Input("clip", tooltip="The text encoder that belongs to the model."),
        io.Vae.Input("vae", tooltip="The VAE that belongs to the model."),
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
    ]


def sampling_inputs() -> list[io.Input]:
    """How the model samples."""
    return [
        io.Int.Input(
            "steps",
            default=0,
            min=0,
            max=200,
            tooltip="Sampling steps of each image. 0 takes what is usual for the model family: "
            "20 for most. Set 4 to 8 for Turbo and Lightning models.",
        ),
        io.Float.Input(
            "cfg",
            default=0.0,
            min=0.0,
            max=30.0,
            step=0.1,
            tooltip="How strongly the prompt is followed. 0 takes what is usual for the model "
            "family: 1 for Flux dev and Kontext, 6 for SD1.5 and SDXL, 3 for most others. Set 1 "
            "for Turbo and Lightning models.",
        ),
        io.Combo.Input(
            "sampler_name", options=sampler_names(), default="euler", tooltip="The sampler."
        ),
        io.Combo.Input(
            "scheduler",
            options=[AUTO, *scheduler_names()],
            default=AUTO,
            tooltip="The noise schedule. Auto takes what is usual for the model family.",
        ),
        io.Float.Input(
            "guidance",
            default=0.0,
            min=0.0,
            max=100.0,
            step=0.1,
            optional=True,
            advanced=True,
            tooltip="Distilled guidance of Flux models (2.5 for Kontext, 3.5 for dev). 0 leaves it "
            "to the model.",
        ),
        _side("width"),
        _side("height"),
    ]


def word_inputs() -> list[io.Input]:
    """How the model is asked, and what else is folded away."""
    return [
        io.Combo.Input(
            "prompt_style",
            options=[AUTO, *names()],
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip="Prompt style. Auto follows the model family where it is known, and uses "
            "plain words otherwise; Kontext and the angles LoRAs have to be chosen.",
        ),
        io.String.Input(
            "negative",
            default="",
            optional=True,
            advanced=True,
            tooltip="What the images should not show.",
        ),
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
        io.Boolean.Input(
            "strengthen_likeness",
            default=False,
            optional=True,
            advanced=True,
            tooltip="CFG strengthens the similarity along with the prompt: the negative "
            "prompt is encoded without the original. For edit models that use a cfg "
            "above 1, such as the demo's.",
        ),
    ]


def connected_inputs() -> list[io.Input]:
    """What may be connected in the place of a widget, or besides."""
    return [
        io.Image.Input(
            "references",
            optional=True,
            tooltip="Up to two more images that the model sees besides the original, as one "
            "batch. For reference_latents and qwen_edit.",
        ),
        io.Sampler.Input(
            "sampler", optional=True, tooltip="A sampler of your own instead of sampler_name."
        ),
        io.Sigmas.Input(
            "sigmas",
            optional=True,
            tooltip="A noise schedule of your own instead of scheduler and steps, and with img2img "
            "instead of denoise.",
        ),
    ]


def _side(name: str) -> io.Input:
    return io.Int.Input(
        name,
        default=0,
        min=0,
        max=4096,
        step=16,
        optional=True,
        advanced=True,
        tooltip=f"{name.capitalize()} in pixels; 0 follows the original, at the size that suits "
        "the model.",
    )


class FacetStudio(Node):
    """Bundles what makes images."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetStudio",
            display_name="Facet Studio",
            category="Facet/Studio",
            description="What makes images, wired once for all nodes: a model with its text "
            "encoder and VAE, how it is shown the original, and how it samples. LoRAs, "
            "IP-Adapter and other patches go before it.",
            search_aliases=["models", "pipe", "context", "sampling settings", "basic pipe"],
            inputs=[*model_inputs(), *sampling_inputs(), *word_inputs(), *connected_inputs()],
            outputs=[sockets.Studio.Output("studio", tooltip="For every node that makes images.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        vae: Any,
        reference_mode: str,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        guidance: float = 0.0,
        width: int = 0,
        height: int = 0,
        prompt_style: str = AUTO,
        negative: str = "",
        denoise: float = 0.75,
        strengthen_likeness: bool = False,
        references: torch.Tensor | None = None,
        sampler: Any = None,
        sigmas: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        usual = usual_sampling(model)
        mode = ReferenceMode(reference_mode)
        if mode is not ReferenceMode.AUTO:
            resolve_mode(mode, model)
        sampling = Sampling(
            width,
            height,
            steps or usual.steps,
            cfg or usual.cfg,
            sampler_name,
            usual.scheduler if scheduler == AUTO else scheduler,
            guidance or None,
        )
        custom = None if sampler is None and sigmas is None else CustomSampling(sampler, sigmas)
        return io.NodeOutput(
            Studio(
                model,
                clip,
                vae,
                sampling,
                mode,
                negative.strip(),
                denoise,
                strengthen_likeness,
                pictures_of(references),
                prompt_style,
                custom,
            )
        )


NODES = [FacetStudio]
