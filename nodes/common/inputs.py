"""Inputs that several nodes share, so that they read alike everywhere."""

from __future__ import annotations

from dataclasses import replace

import torch
from comfy_api.latest import io

from ...engine.comfyui.sampling import Sampling
from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.generate.sizes import at_size_of
from ...engine.vision.colours import to_rgb
from . import sockets


def sampler_names() -> list[str]:
    """The samplers of this ComfyUI."""
    import comfy.samplers

    return comfy.samplers.SAMPLER_NAMES


def scheduler_names() -> list[str]:
    """The schedulers of this ComfyUI."""
    import comfy.samplers

    return comfy.samplers.SCHEDULER_NAMES


def model_inputs() -> list[io.Input]:
    """MODEL, CLIP and VAE."""
    return [
        io.Model.Input("model", tooltip="The diffusion model that makes the pictures."),
        io.Clip.Input("clip", tooltip="The text encoder that belongs to the model."),
        io.Vae.Input("vae", tooltip="The VAE that belongs to the model."),
    ]


def face_detection_input(missing: str) -> io.Input:
    """A model that finds faces; ``missing`` says what is left undone without it."""
    return sockets.FaceDetection.Input(
        "face_detection_model",
        optional=True,
        tooltip=f"Measures which way each face looks. Without it {missing}.",
    )


def negative_input() -> io.Input:
    """The negative prompt."""
    return io.String.Input(
        "negative",
        default="",
        optional=True,
        advanced=True,
        tooltip="What the pictures should not show.",
    )


def sampling_inputs() -> list[io.Input]:
    """Seed, steps, CFG, sampler, scheduler, guidance and size."""
    return [
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=0xFFFFFFFFFFFFFFFF,
            control_after_generate=io.ControlAfterGenerate.fixed,
            tooltip="The same seed and inputs give the same pictures.",
        ),
        io.Int.Input(
            "steps", default=20, min=1, max=200, tooltip="Sampling steps for each picture."
        ),
        io.Float.Input(
            "cfg",
            default=3.0,
            min=0.0,
            max=30.0,
            step=0.1,
            tooltip="How strongly the prompt is followed. 1 for guidance-distilled models such as "
            "Flux dev and Kontext; 2.5 to 7 for the others.",
        ),
        io.Combo.Input(
            "sampler_name",
            options=sampler_names(),
            default="euler",
            tooltip="The sampler.",
        ),
        io.Combo.Input(
            "scheduler",
            options=scheduler_names(),
            default="simple",
            tooltip="The noise schedule.",
        ),
        io.Float.Input(
            "guidance",
            default=0.0,
            min=0.0,
            max=100.0,
            step=0.1,
            advanced=True,
            tooltip="Distilled guidance of Flux models (2.5 for Kontext, 3.5 for dev). 0 leaves it "
            "to the model.",
        ),
        io.Int.Input(
            "width",
            default=0,
            min=0,
            max=4096,
            step=16,
            advanced=True,
            tooltip="Width in pixels; 0 takes that of the original, to the nearest 16.",
        ),
        io.Int.Input(
            "height",
            default=0,
            min=0,
            max=4096,
            step=16,
            advanced=True,
            tooltip="Height in pixels; 0 takes that of the original, to the nearest 16.",
        ),
    ]


def sampling_from(
    character: Character,
    *,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    guidance: float,
    width: int,
    height: int,
    pixels: int | None = None,
) -> Sampling:
    """The sampling that the widgets describe; size 0 follows the original, to 2 megapixels.

    pixels: the area that the model wants, where no size is set.
    """
    sampling = Sampling(64, 64, steps, cfg, sampler_name, scheduler, guidance or None)
    sized = at_size_of(character, sampling, None if width or height else pixels)
    return replace(sized, width=width or sized.width, height=height or sized.height)


def picture(image: torch.Tensor, node: str) -> torch.Tensor:
    """The one picture (H, W, 3) of an IMAGE of any channel count; FacetError when it is not one.

    Transparency is laid over white, grey becomes colour.
    """
    if image.ndim != 4 or image.shape[0] != 1:
        count = image.shape[0] if image.ndim == 4 else 0
        raise FacetError(f"{node}: {count} pictures are connected; give one.")
    return to_rgb(image[0])
