"""Inputs of Facet Character Shot, and what has to be right in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io

from ...engine.comfyui.sampling import Sampling
from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.families.dialects import AUTO, dialect_for
from ...engine.families.modes import ReferenceMode, is_patched
from ...engine.generate.sizes import MEGAPIXEL, canvas_for
from ..common import sockets
from ..common.inputs import (
    face_detection_input,
    model_inputs,
    negative_input,
    sampling_from,
    sampling_inputs,
)
from ..common.likeness import embedder_inputs
from ..common.lora_files import lora_path

NOTHING = "none"


def character_shot_inputs() -> list[io.Input]:
    """Everything that the node asks for, in its order."""
    return [
        *model_inputs(),
        io.String.Input(
            "prompt",
            default="smiling, in a park, three-quarter view left",
            multiline=True,
            dynamic_prompts=True,
            tooltip="What to show, one picture a line. The trigger is put in where it is missing.",
        ),
        io.Combo.Input(
            "lora_name",
            options=[NOTHING, *folder_paths.get_filename_list("loras")],
            default=NOTHING,
            tooltip="The character's LoRA. Its file names the trigger. None where it comes "
            "through the lora input, or is in the MODEL.",
        ),
        io.Float.Input(
            "lora_strength",
            default=1.0,
            min=0.05,
            max=3.0,
            step=0.05,
            tooltip="The LoRA's strength in the first try; what the Identity Scorer found.",
        ),
        *sampling_inputs(),
        sockets.Character.Input(
            "character",
            optional=True,
            tooltip="The character: its original is what pictures are held against. "
            "Without it they are not scored.",
        ),
        io.LoraModel.Input("lora", optional=True, tooltip="The LoRA, where it comes from a node."),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Measures how alike each picture is to the original. Without it nobody checks.",
        ),
        face_detection_input("the view is not checked"),
        sockets.ScoreCard.Input(
            "score",
            optional=True,
            tooltip="The Identity Scorer's score of this character: pictures are then "
            "scored on its scale, 0 anybody, 1 the character.",
        ),
        io.Int.Input(
            "pictures",
            default=1,
            min=1,
            max=100,
            optional=True,
            tooltip="How many pictures to make of each prompt.",
        ),
        io.Int.Input(
            "tries",
            default=3,
            min=1,
            max=10,
            optional=True,
            tooltip="How often a picture is tried until nothing is wrong with it; the best "
            "try is kept.",
        ),
        io.Float.Input(
            "min_likeness",
            default=0.5,
            min=-1.0,
            max=1.5,
            step=0.01,
            optional=True,
            tooltip="How alike a picture has to be. With a score, on its scale; else the "
            "cosine of what measures it: about 0.5 for the demo encoder, 0.6 for DINOv2, "
            "0.8 for CLIP and SigLIP, 0.3 for face recognition.",
        ),
        io.String.Input(
            "description",
            default="",
            optional=True,
            advanced=True,
            tooltip="The character in words, such as 'short red hair, green eyes', to warn "
            "of prompts that contradict it. Empty goes by captions and the LoRA's file.",
        ),
        negative_input(),
        *embedder_inputs(
            "Cuts the person out, for a likeness that is measured without the background."
        ),
    ]


def chosen(lora_name: str, lora: Any) -> Path | None:
    """The LoRA file that was chosen; None for none. FacetError when a LoRA is connected too."""
    if lora_name == NOTHING:
        return None
    if lora is not None:
        raise FacetError(
            f"A LoRA is connected and {lora_name!r} is chosen too; set lora_name to "
            f"'{NOTHING}', or disconnect the lora input."
        )
    return lora_path(lora_name)


def check_character(character: Character | None, has_lora: bool, model: Any) -> None:
    """ValueError when nothing in the inputs knows a character."""
    if has_lora:
        return
    if character is None:
        raise FacetError(
            "There is neither a LoRA nor a character; choose lora_name, or connect both."
        )
    if not is_patched(model):
        raise FacetError(
            "The MODEL carries no LoRA, so it does not know the character; choose lora_name, or "
            "connect the lora."
        )


def sampling_for(character: Character | None, model: Any, **widgets: Any) -> Sampling:
    """The sampling that the widgets describe; no size follows the original, else the model."""
    pixels = dialect_for(AUTO, model, ReferenceMode.TRAINED_LORA.value).pixels
    if character is not None:
        return sampling_from(character, pixels=pixels, **widgets)
    width, height = canvas_for(1, 1, pixels or MEGAPIXEL)
    width, height = widgets.pop("width") or width, widgets.pop("height") or height
    return Sampling(width, height, guidance=widgets.pop("guidance") or None, **widgets)
