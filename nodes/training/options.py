"""Everything about a training that most people leave as it is."""

from __future__ import annotations

from typing import Any

import folder_paths
from comfy_api.latest import io

from ...engine.training.presets import (
    AS_IT_IS,
    CUSTOM,
    MEMORIES,
    QUALITIES,
    merged,
    preset,
    stated,
)
from ...engine.training.settings import TrainingSettings
from ..common import sockets
from ..common.node import Node, Settings
from .inputs import options_inputs

_NOTHING = "none"


class FacetTrainingOptions(Node):
    """The trainer's finer settings, in one line to its options."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetTrainingOptions",
            display_name="Facet Training Options",
            category="Facet/Training",
            description="Presets for quality and for graphics memory, and every finer setting of "
            "the LoRA Trainer. All of it may stay as it is.",
            search_aliases=["optimizer", "dora", "lokr", "masked loss", "lora options"],
            inputs=[
                io.Combo.Input(
                    "quality",
                    options=list(QUALITIES),
                    default=CUSTOM,
                    tooltip="Sets steps, resolutions and samples for the time you have; balanced "
                    "suits most. What you change below wins over it.",
                ),
                io.Combo.Input(
                    "memory",
                    options=list(MEMORIES),
                    default=AS_IT_IS,
                    tooltip="Fits the training to a graphics card: checkpointing, fp8 base, "
                    "offloading, resolution. Choose what your card has.",
                ),
                *options_inputs(continue_from=[_NOTHING, *folder_paths.get_filename_list("loras")]),
            ],
            outputs=[
                sockets.TrainingOptions.Output("options", tooltip="To the LoRA Trainer's options.")
            ],
        )

    @classmethod
    def execute(cls, quality: str, memory: str, **widgets: Any) -> io.NodeOutput:
        if widgets["continue_from"] == _NOTHING:
            widgets["continue_from"] = ""
        values = stated(merged(preset(quality, memory), TrainingSettings().record() | widgets))
        TrainingSettings(**values)
        return io.NodeOutput(Settings(values))


NODES = [FacetTrainingOptions]
