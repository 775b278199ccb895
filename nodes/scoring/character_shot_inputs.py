"""Inputs of Facet Character Shot, and what has to be right in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io

from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.families.modes import is_patched
from ..common import sockets
from ..common.inputs import judge_input, seed_input, studio_input
from ..common.lora_files import lora_path

NOTHING = "none"


def character_shot_inputs() -> list[io.Input]:
    """Everything that the node asks for, in its order."""
    return [
        studio_input("Makes the images, from the prompt alone."),
        io.String.Input(
            "prompt",
            default="smiling, in a park, three-quarter view left",
            multiline=True,
            dynamic_prompts=True,
            tooltip="What to show, one image per line. The trigger is added where it is missing.",
        ),
        io.Combo.Input(
            "lora_name",
            options=[NOTHING, *folder_paths.get_filename_list("loras")],
            default=NOTHING,
            tooltip="The character's LoRA. Its file names the trigger. Choose none when the "
            "LoRA comes through the lora input or is already in the MODEL.",
        ),
        io.Float.Input(
            "lora_strength",
            default=1.0,
            min=0.05,
            max=3.0,
            step=0.05,
            tooltip="The LoRA's strength in the first attempt, such as the Identity Scorer "
            "recommends.",
        ),
        seed_input(),
        sockets.Character.Input(
            "character",
            optional=True,
            tooltip="The character, whose original the images are compared with. If not "
            "connected, images are not scored.",
        ),
        io.LoraModel.Input("lora", optional=True, tooltip="The LoRA, if it comes from a node."),
        judge_input("Measures each image's similarity to the original, and its view."),
        sockets.ScoreCard.Input(
            "score",
            optional=True,
            tooltip="The Identity Scorer's score of this character: images are then scored on "
            "its scale, 0 a stranger, 1 the character.",
        ),
        io.Int.Input(
            "pictures",
            default=1,
            min=1,
            max=100,
            optional=True,
            tooltip="How many images to make from each prompt.",
        ),
        io.Int.Input(
            "tries",
            default=3,
            min=1,
            max=10,
            optional=True,
            tooltip="Maximum number of attempts at an image; the best one is kept.",
        ),
        io.Float.Input(
            "min_likeness",
            default=0.5,
            min=-1.0,
            max=1.5,
            step=0.01,
            optional=True,
            tooltip="Minimum similarity of an image to the original. With a score, on its "
            "scale; otherwise the cosine of the embeddings: about 0.5 for the demo "
            "encoder, 0.6 for DINOv2, 0.8 for CLIP and SigLIP, 0.3 for face "
            "recognition.",
        ),
        io.String.Input(
            "description",
            default="",
            optional=True,
            advanced=True,
            tooltip="The character in words, such as 'short red hair, green eyes', to warn "
            "of prompts that contradict it. Empty goes by captions and the LoRA's file.",
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
