"""Everything about a training that most people leave as it is."""

from __future__ import annotations

from typing import Any

import folder_paths
from comfy_api.latest import io

from ...engine.training.presets import merged, preset, stated
from ...engine.training.settings import TrainingSettings
from ..common import sockets
from .data_inputs import (
    NOTHING,
    data_inputs,
    loss_inputs,
    sample_inputs,
    text_encoder_inputs,
    watching_inputs,
)
from .inputs import adapter_inputs, course_inputs, memory_inputs, preset_inputs

NAME = "Facet Training Options"


class FacetTrainingOptions(io.ComfyNode):
    """The trainer's finer settings, in one line to its options."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetTrainingOptions",
            display_name=NAME,
            category="Facet/Training",
            description="Presets for quality and for graphics memory, and every finer setting of "
            "the LoRA Trainer. All of it may stay as it is.",
            search_aliases=["optimizer", "dora", "lokr", "masked loss", "lora options"],
            inputs=[
                *preset_inputs(),
                *adapter_inputs(),
                *course_inputs(),
                *data_inputs(),
                *loss_inputs(),
                *memory_inputs(),
                *watching_inputs(folder_paths.get_filename_list("loras")),
                # Appended in the order in which they came: saved workflows go by it.
                *text_encoder_inputs(),
                *sample_inputs(),
            ],
            outputs=[
                sockets.TrainingOptions.Output("options", tooltip="To the LoRA Trainer's options.")
            ],
        )

    @classmethod
    def execute(cls, quality: str, memory: str, **widgets: Any) -> io.NodeOutput:
        if widgets["continue_from"] == NOTHING:
            widgets["continue_from"] = ""
        values = stated(merged(preset(quality, memory), TrainingSettings().record() | widgets))
        try:
            TrainingSettings(**values)
        except ValueError as error:
            raise ValueError(f"{NAME}: {error}") from error
        return io.NodeOutput(values)


NODES = [FacetTrainingOptions]
