"""Strengths beside checkpoints: a grid that ComfyUI makes row by row, and remembers row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
import torch
from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder

from ..engine.character import Character
from ..engine.run import TrainingRun
from . import sockets
from .folders import character_folder
from .inputs import (
    face_detection_input,
    negative_input,
    sampling_inputs,
)
from .lora_grid_rows import OFF, GridRow, grid_rows, row_file
from .studio import said_by

NAME = "Facet LoRA Grid"
MOST_ROWS = 100
MODELS = ("model", "clip", "vae")


class FacetLoraGrid(io.ComfyNode):
    """Compares LoRAs and strengths on the same prompts and seeds."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetLoraGrid",
            display_name=NAME,
            category="Facet/Identity",
            description="One picture for each prompt, LoRA and strength, the LoRA off first, on "
            "one sheet. A row that is there already is not made again. With a character and a "
            "CLIP_VISION each picture is scored.",
            search_aliases=["xy plot", "strength comparison", "lora test", "checkpoint grid"],
            is_output_node=True,
            enable_expand=True,
            inputs=[
                io.Model.Input("model", raw_link=True, tooltip="The model without a LoRA."),
                io.Clip.Input("clip", raw_link=True, tooltip="The model's text encoder."),
                io.Vae.Input("vae", raw_link=True, tooltip="The VAE that belongs to it."),
                io.String.Input(
                    "prompts",
                    default="front view\nleft profile\nwearing a red coat, in a city",
                    multiline=True,
                    dynamic_prompts=False,
                    tooltip="The prompts, one a line. With a character its trigger is put before "
                    "each; without one write it yourself.",
                ),
                io.String.Input(
                    "strengths",
                    default="0.5, 0.8, 1.0, 1.2, 1.5",
                    tooltip="LoRA strengths, such as '0.8, 1.0'. The LoRA off is always there.",
                ),
                io.String.Input(
                    "loras",
                    default="",
                    multiline=True,
                    dynamic_prompts=False,
                    tooltip="Names of LoRAs in ComfyUI's LoRA folders, one a line. Any LoRA does.",
                ),
                *sampling_inputs(),
                negative_input(),
                sockets.Run.Input(
                    "run", optional=True, tooltip="A training run whose checkpoints to compare."
                ),
                io.Int.Input(
                    "checkpoints",
                    default=3,
                    min=1,
                    max=50,
                    optional=True,
                    tooltip="How many of the run's checkpoints, evenly spread to the last.",
                ),
                io.LoraModel.Input(
                    "lora", optional=True, raw_link=True, tooltip="A LoRA that is in the graph."
                ),
                sockets.Character.Input(
                    "character",
                    optional=True,
                    raw_link=True,
                    tooltip="Whose trigger is put before each prompt, and whom the pictures are "
                    "scored against.",
                ),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    raw_link=True,
                    tooltip="Measures how alike each picture is to the character's original.",
                ),
                _raw(face_detection_input("views are not scored")),
            ],
            outputs=[
                io.Image.Output("grid", tooltip="The sheet: a row for each LoRA and strength."),
                sockets.ScoreCard.Output(
                    "score", tooltip="What was measured, with a character and a CLIP_VISION."
                ),
                io.Image.Output("images", tooltip="The pictures one after another, row by row."),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        vae: Any,
        prompts: str,
        strengths: str,
        loras: str,
        run: TrainingRun | None = None,
        checkpoints: int = 3,
        lora: Any = None,
        character: Any = None,
        clip_vision: Any = None,
        face_detection_model: Any = None,
        **sampling: Any,
    ) -> io.NodeOutput:
        with said_by(cls):
            rows = grid_rows(run, checkpoints, loras, lora is not None, strengths)
            if len(rows) > MOST_ROWS:
                raise ValueError(
                    f"{len(rows)} rows are asked for and {MOST_ROWS} is the most; take fewer "
                    "LoRAs or strengths."
                )
            if not prompts.strip():
                raise ValueError("There is no prompt; write one a line.")
        graph = GraphBuilder()
        shared = {"prompts": prompts, "character": character, **sampling}
        models = dict(zip(MODELS, (model, clip, vae), strict=True))
        made = {}
        for number, row in enumerate(rows):
            given = {**models, **shared, "file": row.file, "strength": row.strength}
            if not row.file and row.strength:
                given["lora"] = lora
            made[f"rows.row{number}"] = graph.node("FacetLoraGridRow", **_there(given)).out(0)
        sheet = graph.node(
            "FacetLoraGridSheet",
            **made,
            **_there(
                {
                    "rows_said": "\n".join(row.line for row in rows),
                    "prompts": prompts,
                    "seed": sampling["seed"],
                    "vae": vae,
                    "character": character,
                    "clip_vision": clip_vision,
                    "face_detection_model": face_detection_model,
                }
            ),
        )
        return io.NodeOutput(sheet.out(0), sheet.out(1), sheet.out(2), expand=graph.finalize())


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
        from ..engine.identity.cache import PictureCache
        from ..engine.identity.candidates import read_lora
        from ..engine.identity.probes import own_prompts
        from ..engine.identity.sampler import Bench, Candidate, Sampler
        from .lora_grid_rows import grid_sampling, who_is_it

        with said_by(FacetLoraGrid):
            candidate = None
            if file:
                path = row_file(file)
                candidate = Candidate(file, strength, lambda: read_lora(path))
            elif lora is not None and strength:
                candidate = Candidate("the LoRA", strength, lambda: lora)
            bench = Bench(
                model, clip, vae, None, grid_sampling(character, sampling), None, negative.strip()
            )
            folder = Path(folder_paths.get_output_directory()) / "facet" / "grid_pictures"
            if character is not None:
                folder = character_folder(character, "report", "pictures")
            make = Sampler(bench, PictureCache(folder)).make(candidate)
            who = who_is_it(character)
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
                    tooltip="The rows, the LoRA off first.",
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
        from ..engine.identity.grid_image import draw_grid
        from ..engine.identity.probes import own_prompts
        from .lora_grid_rows import scored_grid

        said = [GridRow.of(line) for line in rows_said.splitlines()]
        pictures = [rows[f"row{number}"] for number in range(len(said))]
        asked = own_prompts(prompts, seed)
        score: Any = ExecutionBlocker(
            f"{NAME}: Nothing was scored; connect a character and a clip_vision."
        )
        labels, marks, chosen = [OFF, *(row.label for row in said[1:])], [], -1
        if character is not None and clip_vision is not None and vae is not None:
            with said_by(FacetLoraGrid):
                score, marks, chosen = scored_grid(
                    character, said, pictures, asked, vae, clip_vision, face_detection_model
                )
        texts = [one.words for one in asked]
        grid = draw_grid(list(zip(labels, pictures, strict=True)), texts, marks, chosen)[None]
        everything = torch.cat(pictures)
        return io.NodeOutput(grid, score, everything, ui=ui.PreviewImage(grid, cls=cls))


def _raw(made: io.Input) -> io.Input:
    """``made``, but the node is given where it comes from and not what it is."""
    made.rawLink = True
    return made


def _there(given: dict[str, Any]) -> dict[str, Any]:
    """What is connected of ``given``."""
    return {name: value for name, value in given.items() if value is not None}


NODES = [FacetLoraGrid, FacetLoraGridRow, FacetLoraGridSheet]
