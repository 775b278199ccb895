"""What the LoRA grid is made of: a row for each LoRA and strength, and the sheet of all rows."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import folder_paths
import torch
from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker

from ...engine.core.character import Character
from ...engine.studio.judge import Judge
from ...engine.studio.studio import Studio
from ..common import sockets
from ..common.errors import errors_from
from ..common.folders import character_folder
from ..common.inputs import judge_input, seed_input, studio_input
from ..common.lora_files import grid_file, grid_file_state
from ..common.node import Node

NAME = "Facet LoRA Grid"
MOST_ROWS = 100


class FacetLoraGridRow(Node):
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
                studio_input("The studio that the LoRA is used in."),
                io.String.Input("prompts", default="", multiline=True, tooltip="One per line."),
                io.String.Input(
                    "file",
                    default="",
                    tooltip="The LoRA: its name among ComfyUI's LoRAs, or a checkpoint below "
                    "output/facet. Empty takes the one connected, or none.",
                ),
                io.Float.Input(
                    "strength", default=1.0, min=-10.0, max=10.0, step=0.01, tooltip="Its strength."
                ),
                seed_input(),
                io.LoraModel.Input("lora", optional=True, tooltip="A LoRA that is in the graph."),
                sockets.Character.Input(
                    "character", optional=True, tooltip="The character whose trigger is used."
                ),
            ],
            outputs=[io.Image.Output("images", tooltip="An image for each prompt.")],
        )

    @classmethod
    def fingerprint_inputs(cls, file: str = "", **_: object) -> str:
        return grid_file_state(file)

    @classmethod
    def execute(
        cls,
        studio: Studio,
        prompts: str,
        file: str,
        strength: float,
        seed: int,
        lora: Any = None,
        character: Character | None = None,
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
            sampling = studio.sampling_by_prompt(character)
            bench = Bench(
                studio.model, studio.clip, studio.vae, None, sampling, None, studio.negative
            )
            folder = Path(folder_paths.get_output_directory()) / "facet" / "grid_pictures"
            if character is not None:
                folder = character_folder(character, "report", "pictures")
            make = CandidateSampler(bench, ImageStore(folder)).make(candidate)
            who = subject_of(character, candidate is not None)
            pictures = [make(one.text(who), one.seed) for one in own_prompts(prompts, seed)]
        return io.NodeOutput(torch.stack(pictures))


class FacetLoraGridSheet(Node):
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
                        io.Image.Input("row", tooltip="An image for each prompt."),
                        prefix="row",
                        min=1,
                        max=MOST_ROWS,
                    ),
                    tooltip="The rows, the baseline without a LoRA first.",
                ),
                io.String.Input("rows_said", multiline=True, tooltip="What each row is, as JSON."),
                io.String.Input("prompts", multiline=True, tooltip="One per line."),
                seed_input(),
                studio_input("The studio that made them."),
                sockets.Character.Input("character", optional=True, tooltip="To score against."),
                judge_input("Scores the images."),
            ],
            outputs=[
                io.Image.Output("grid", tooltip="The sheet."),
                sockets.ScoreCard.Output("score", tooltip="What was measured."),
                io.Image.Output("images", tooltip="The images one after another."),
            ],
        )

    @classmethod
    def execute(
        cls,
        rows: dict[str, torch.Tensor],
        rows_said: str,
        prompts: str,
        seed: int,
        studio: Studio,
        character: Character | None = None,
        judge: Judge | None = None,
    ) -> io.NodeOutput:
        from ...engine.drawing.contact_sheet import draw_grid
        from ...engine.scoring.lora_grid import OFF, GridRow, scored_grid
        from ...engine.scoring.probes import own_prompts
        from ...engine.scoring.sampler import bench_of

        said = [GridRow.of(line) for line in rows_said.splitlines()]
        pictures = [rows[f"row{number}"] for number in range(len(said))]
        asked = own_prompts(prompts, seed)
        score: Any = ExecutionBlocker(
            f"{NAME}: Nothing was scored; connect a character, and a judge with a CLIP_VISION."
        )
        labels, marks, chosen = [OFF, *(row.label for row in said[1:])], [], -1
        if character is not None and judge is not None and judge.embedder is not None:
            with errors_from(NAME):
                score, marks, chosen = scored_grid(
                    character, said, pictures, asked, partial(bench_of, studio, judge)
                )
        texts = [one.words for one in asked]
        grid = draw_grid(list(zip(labels, pictures, strict=True)), texts, marks, chosen)[None]
        everything = torch.cat(pictures)
        return io.NodeOutput(grid, score, everything, ui=ui.PreviewImage(grid, cls=cls))
