"""What the LoRA grid is made of: a row for each LoRA and strength, and the sheet of all rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
import torch
from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker

from ...engine.comfyui.sampling import Sampling
from ...engine.core.character import Character, Provenance, Shot
from ..common import sockets
from ..common.errors import errors_from
from ..common.folders import character_folder
from ..common.inputs import face_detection_input, negative_input, sampling_from, sampling_inputs
from ..common.lora_files import grid_file, grid_file_state

NAME = "Facet LoRA Grid"
MOST_ROWS = 100


class FacetLoraGridRow(io.ComfyNode):
    """One row of the LoRA grid: every prompt with one LoRA at one strength."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetLoraGridRow",
            display_name="Facet LoRA Grid Row",
            category="Facet/Identity",
            description="One row of the LoRA grid, which makes these nodes itself.",
            search_aliases=["lora grid"],
            is_dev_only=True,
            inputs=[
                io.Model.Input("model", tooltip="The model without a LoRA."),
                io.Clip.Input("clip", tooltip="The text encoder that belongs to it."),
                io.Vae.Input("vae", tooltip="The VAE that belongs to it."),
                io.String.Input("prompts", default="", multiline=True, tooltip="One a line."),
                io.String.Input(
                    "file",
                    default="",
                    tooltip="The LoRA: its name among ComfyUI's LoRAs, or a checkpoint below "
                    "output/facet. Empty takes the one connected, or none.",
                ),
                io.Float.Input(
                    "strength", default=1.0, min=-10.0, max=10.0, step=0.01, tooltip="Its strength."
                ),
                *sampling_inputs(),
                negative_input(),
                io.LoraModel.Input("lora", optional=True, tooltip="A LoRA that is in the graph."),
                sockets.Character.Input("character", optional=True, tooltip="Whose trigger."),
            ],
            outputs=[io.Image.Output("images", tooltip="A picture for each prompt.")],
        )

    @classmethod
    def fingerprint_inputs(cls, file: str = "", **_: object) -> str:
        return grid_file_state(file)

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        vae: Any,
        prompts: str,
        file: str,
        strength: float,
        seed: int,
        negative: str = "",
        lora: Any = None,
        character: Character | None = None,
        **sampling: Any,
    ) -> io.NodeOutput:
        from ...engine.comfyui.lora import read_weights
        from ...engine.scoring.lora_grid import subject_of
        from ...engine.scoring.probes import own_prompts
        from ...engine.scoring.sampler import Bench, Candidate, CandidateSampler
        from ...engine.store.images import ImageStore

        with errors_from(NAME):
            candidate = None
            if file:
                path = grid_file(file)
                candidate = Candidate(file, strength, lambda: read_weights(path))
            elif lora is not None and strength:
                candidate = Candidate("the LoRA", strength, lambda: lora)
            bench = Bench(
                model, clip, vae, None, grid_sampling(character, sampling), None, negative.strip()
            )
            folder = Path(folder_paths.get_output_directory()) / "facet" / "grid_pictures"
            if character is not None:
                folder = character_folder(character, "report", "pictures")
            make = CandidateSampler(bench, ImageStore(folder)).make(candidate)
            who = subject_of(character, candidate is not None)
            pictures = [make(one.text(who), one.seed) for one in own_prompts(prompts, seed)]
        return io.NodeOutput(torch.stack(pictures))


class FacetLoraGridSheet(io.ComfyNode):
    """The LoRA grid's rows on one sheet, scored where there is something to score with."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetLoraGridSheet",
            display_name="Facet LoRA Grid Sheet",
            category="Facet/Identity",
            description="The sheet of the LoRA grid, which makes this node itself.",
            search_aliases=["lora grid"],
            is_dev_only=True,
            is_output_node=True,
            inputs=[
                io.Autogrow.Input(
                    "rows",
                    template=io.Autogrow.TemplatePrefix(
                        io.Image.Input("row", tooltip="A picture for each prompt."),
                        prefix="row",
                        min=1,
                        max=MOST_ROWS,
                    ),
                    tooltip="The rows, the baseline without a LoRA first.",
                ),
                io.String.Input("rows_said", multiline=True, tooltip="What each row is, as JSON."),
                io.String.Input("prompts", multiline=True, tooltip="One a line."),
                io.Int.Input("seed", min=0, max=0xFFFFFFFFFFFFFFFF, tooltip="Of the first prompt."),
                io.Vae.Input("vae", optional=True, tooltip="Tells whether it knows such pictures."),
                sockets.Character.Input("character", optional=True, tooltip="To score against."),
                io.ClipVision.Input("clip_vision", optional=True, tooltip="To score with."),
                face_detection_input("views are not scored"),
            ],
            outputs=[
                io.Image.Output("grid", tooltip="The sheet."),
                sockets.ScoreCard.Output("score", tooltip="What was measured."),
                io.Image.Output("images", tooltip="The pictures one after another."),
            ],
        )

    @classmethod
    def execute(
        cls,
        rows: dict[str, torch.Tensor],
        rows_said: str,
        prompts: str,
        seed: int,
        vae: Any = None,
        character: Character | None = None,
        clip_vision: Any = None,
        face_detection_model: Any = None,
    ) -> io.NodeOutput:
        from ...engine.drawing.contact_sheet import draw_grid
        from ...engine.scoring.lora_grid import OFF, GridRow, scored_grid
        from ...engine.scoring.probes import own_prompts
        from ...engine.scoring.sampler import Bench

        said = [GridRow.of(line) for line in rows_said.splitlines()]
        pictures = [rows[f"row{number}"] for number in range(len(said))]
        asked = own_prompts(prompts, seed)
        score: Any = ExecutionBlocker(
            f"{NAME}: Nothing was scored; connect a character and a clip_vision."
        )
        labels, marks, chosen = [OFF, *(row.label for row in said[1:])], [], -1
        nothing: Any = None  # the images are there: no model samples
        if character is not None and clip_vision is not None and vae is not None:
            with errors_from(NAME):
                score, marks, chosen = scored_grid(
                    character,
                    said,
                    pictures,
                    asked,
                    lambda sampling: Bench(
                        nothing, nothing, vae, clip_vision, sampling, face_detection_model
                    ),
                )
        texts = [one.words for one in asked]
        grid = draw_grid(list(zip(labels, pictures, strict=True)), texts, marks, chosen)[None]
        everything = torch.cat(pictures)
        return io.NodeOutput(grid, score, everything, ui=ui.PreviewImage(grid, cls=cls))


def grid_sampling(character: Character | None, widgets: dict[str, Any]) -> Sampling:
    """The sampling that the widgets describe; without a character, at 1024 px where none is set."""
    if character is None:
        blank = Shot(torch.zeros(1024, 1024, 3), Provenance("imported"))
        character = Character("nobody", "x", "person", blank)
    return sampling_from(character, **widgets)
