"""What the scorer asks for."""

from __future__ import annotations

import folder_paths
from comfy_api.latest import io

from ...engine.comfyui.lora_score import OWN, PLACES
from ..common import sockets
from ..common.inputs import seed_input, studio_input


def scorer_inputs() -> list[io.Input]:
    """Everything that the scorer takes; what came later stands last."""
    return [
        sockets.Character.Input("character", tooltip="The character, with its dataset."),
        studio_input(
            "The studio that the LoRA will be used in. It makes the images, from the prompt alone."
        ),
        sockets.Judge.Input(
            "judge",
            tooltip="Measures each image. Needs a CLIP_VISION or a face embedder; views are scored "
            "with a face detection model.",
        ),
        seed_input(),
        io.String.Input(
            "strengths",
            default="1.0",
            tooltip="LoRA strengths to try, such as '0.8, 1.0'. The baseline, without LoRA, is "
            "always measured.",
        ),
        io.Int.Input(
            "samples",
            default=12,
            min=1,
            max=200,
            tooltip="How many prompts: the best checkpoint is measured on all of them; the others "
            "on the first four, and on up to twelve if those cannot tell them from the best. Use "
            "12 or more for a reliable result.",
        ),
        sockets.Run.Input(
            "run", optional=True, tooltip="The training run whose checkpoints to compare."
        ),
        io.LoraModel.Input(
            "lora", optional=True, tooltip="One LoRA to score, if no run is connected."
        ),
        io.Int.Input(
            "checkpoints",
            default=3,
            min=1,
            max=50,
            optional=True,
            advanced=True,
            tooltip="How many of the run's checkpoints to try, evenly spaced up to the last.",
        ),
        io.String.Input(
            "description",
            default="",
            optional=True,
            advanced=True,
            tooltip="The character in words, such as 'a woman with short red hair and "
            "glasses'. If given, it is scored as well, without LoRA.",
        ),
        io.Combo.Input(
            "lora_name",
            options=["", *folder_paths.get_filename_list("loras")],
            default="",
            optional=True,
            tooltip="Any LoRA from ComfyUI's LoRA folders, if neither a run nor a LoRA is "
            "connected.",
        ),
        io.String.Input(
            "prompts",
            default="",
            multiline=True,
            dynamic_prompts=False,
            optional=True,
            tooltip="Your own prompts, one per line, without the trigger, which is added before "
            "each. Empty uses a suite of views, framings, clothes and places that the dataset "
            "does not name. Put 'leak:' before a line that names no clothes to check it for a "
            "garment of the dataset.",
        ),
        _count(
            "trigger_only",
            8,
            "Images prompted with the trigger and class word only: how much they differ, and "
            "whether they copy the dataset.",
        ),
        _count(
            "attributes",
            4,
            "Close-ups wearing something that the dataset does not name: glasses, a ponytail, "
            "a hat, a scarf.",
        ),
        _count(
            "leak_probes",
            4,
            "More images whose prompts name no clothes: whether a garment of the dataset "
            "appears nevertheless.",
        ),
        io.Combo.Input(
            "stamp",
            options=list(PLACES),
            default=OWN,
            optional=True,
            advanced=True,
            tooltip="Where the score of the best LoRA is kept: in the files of LoRAs that Facet "
            "trained, or of any; otherwise in a .facet.json file beside the LoRA.",
        ),
        io.Image.Input(
            "held_out",
            optional=True,
            tooltip="Real pictures of the character that are neither the original nor in the "
            "dataset, as one batch: a second, harder similarity.",
        ),
    ]


def _count(name: str, default: int, tooltip: str) -> io.Input:
    return io.Int.Input(
        name,
        default=default,
        min=0,
        max=64,
        optional=True,
        advanced=True,
        tooltip=f"{tooltip} Made without LoRA and with the best one. 0 leaves them out.",
    )
