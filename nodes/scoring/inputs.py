"""What the scorer asks for."""

from __future__ import annotations

import folder_paths
from comfy_api.latest import io

from ..common import sockets
from ..common.inputs import face_detection_input, model_inputs, negative_input, sampling_inputs
from ..common.likeness import embedder_inputs


def scorer_inputs() -> list[io.Input]:
    """Everything that the scorer takes; what came later stands last."""
    return [
        sockets.Character.Input("character", tooltip="The character, with its dataset."),
        *model_inputs(),
        io.ClipVision.Input(
            "clip_vision", tooltip="Measures how alike each picture is to the original."
        ),
        *sampling_inputs(),
        io.String.Input(
            "strengths",
            default="1.0",
            tooltip="LoRA strengths to try, such as '0.8, 1.0'. The LoRA off is always measured.",
        ),
        io.Int.Input(
            "samples",
            default=12,
            min=1,
            max=200,
            tooltip="How many prompts: the best checkpoint is measured on all of them, the "
            "others on the first four. 12 or more give a firm figure.",
        ),
        sockets.Run.Input(
            "run", optional=True, tooltip="The training run whose checkpoints to compare."
        ),
        io.LoraModel.Input(
            "lora", optional=True, tooltip="One LoRA to score, where there is no run."
        ),
        face_detection_input("views are not scored"),
        io.Int.Input(
            "checkpoints",
            default=3,
            min=1,
            max=50,
            optional=True,
            advanced=True,
            tooltip="How many of the run's checkpoints to try, evenly spread to the last.",
        ),
        io.String.Input(
            "description",
            default="",
            optional=True,
            advanced=True,
            tooltip="The character in words, such as 'a woman with short red hair and "
            "glasses'. When given, it is scored beside, without the LoRA.",
        ),
        negative_input(),
        io.Combo.Input(
            "lora_name",
            options=["", *folder_paths.get_filename_list("loras")],
            default="",
            optional=True,
            tooltip="Any LoRA of ComfyUI's LoRA folders, where neither a run nor a LoRA is "
            "connected.",
        ),
        io.String.Input(
            "prompts",
            default="",
            multiline=True,
            dynamic_prompts=False,
            optional=True,
            tooltip="Your own prompts, one a line, without the trigger, which is put before "
            "each. Empty takes a suite of views, framings, clothes and places that the "
            "dataset does not name. 'leak:' before a line that names no clothes has it "
            "watched for a garment of the dataset.",
        ),
        _count(
            "trigger_only",
            8,
            "Pictures of the trigger and class word alone: how much "
            "they differ, and whether they repeat the dataset.",
        ),
        _count(
            "attributes",
            4,
            "Close-ups with something on that the dataset does not "
            "name: glasses, a ponytail, a hat, a scarf.",
        ),
        _count(
            "leak_probes",
            4,
            "More pictures for which no clothes are named: whether a "
            "garment of the dataset appears all the same.",
        ),
        io.Boolean.Input(
            "stamp",
            default=True,
            optional=True,
            advanced=True,
            tooltip="Writes the score into the metadata of the LoRA file that is chosen.",
        ),
        *embedder_inputs(
            "Cuts the person out: whether the figure of a training picture comes again in another "
            "place. Without it only whole pictures and faces are compared."
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
        tooltip=f"{tooltip} Made for the LoRA off and for the best one. 0 leaves them out.",
    )
