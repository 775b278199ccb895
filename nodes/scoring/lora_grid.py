"""Strengths beside checkpoints: a grid that ComfyUI makes row by row, and remembers row by row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io
from comfy_execution.graph_utils import GraphBuilder

from ...engine.core.errors import FacetError
from ...engine.training.run_record import TrainingRun
from ..common import sockets
from ..common.inputs import judge_input, seed_input, studio_input
from ..common.lora_files import grid_file, grid_file_state
from ..common.node import Node
from ..common.page import below_output
from .lora_grid_parts import MOST_ROWS, NAME, FacetLoraGridRow, FacetLoraGridSheet

if TYPE_CHECKING:
    from ...engine.scoring.lora_grid import GridRow


class FacetLoraGrid(Node):
    """Compares LoRAs and strengths on the same prompts and seeds."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetLoraGrid",
            display_name=NAME,
            category="Facet/Identity",
            description="One image for each prompt, LoRA and strength on one sheet, with the "
            "baseline without a LoRA first. Existing rows are not sampled again. With "
            "a character and a judge each image is scored.",
            search_aliases=["xy plot", "strength comparison", "lora test", "checkpoint grid"],
            is_output_node=True,
            enable_expand=True,
            inputs=[
                studio_input("The studio that the LoRAs are used in.", raw=True),
                io.String.Input(
                    "prompts",
                    default="front view\nleft profile\nwearing a red coat, in a city",
                    multiline=True,
                    dynamic_prompts=False,
                    tooltip="The prompts, one per line. With a character its trigger is put before "
                    "each, or only its class word in the baseline without a LoRA; without a "
                    "character write the trigger yourself.",
                ),
                io.String.Input(
                    "strengths",
                    default="0.5, 0.8, 1.0, 1.2, 1.5",
                    tooltip="LoRA strengths, such as '0.8, 1.0'. The baseline without a LoRA is "
                    "always included.",
                ),
                io.String.Input(
                    "loras",
                    default="",
                    multiline=True,
                    dynamic_prompts=False,
                    tooltip="Names of LoRAs in ComfyUI's LoRA folders, one per line. Any LoRA "
                    "works.",
                ),
                seed_input(),
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
                    tooltip="The character whose trigger is put before each prompt, and whose "
                    "original the images are scored against.",
                ),
                judge_input("Measures each image: similarity to the original, view.", raw=True),
            ],
            outputs=[
                io.Image.Output("grid", tooltip="The sheet: a row for each LoRA and strength."),
                sockets.ScoreCard.Output(
                    "score", tooltip="What was measured, with a character and a judge."
                ),
                io.Image.Output("images", tooltip="The images one after another, row by row."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, loras: str = "", **_: object) -> str:
        return "\n".join(map(grid_file_state, named(loras)))

    @classmethod
    def execute(
        cls,
        studio: Any,
        prompts: str,
        strengths: str,
        loras: str,
        seed: int,
        run: TrainingRun | None = None,
        checkpoints: int = 3,
        lora: Any = None,
        character: Any = None,
        judge: Any = None,
    ) -> io.NodeOutput:
        from ...engine.scoring.candidates import parse_strengths
        from ...engine.scoring.lora_grid import grid_rows

        compared = compared_loras(run, checkpoints, loras, lora is not None)
        rows = grid_rows(compared, parse_strengths(strengths))
        if len(rows) > MOST_ROWS:
            raise FacetError(
                f"{len(rows)} rows are asked for and {MOST_ROWS} is the most; take fewer "
                "LoRAs or strengths."
            )
        if not prompts.strip():
            raise FacetError("There is no prompt; write one a line.")
        graph = GraphBuilder()
        shared = {"studio": studio, "prompts": prompts, "seed": seed, "character": character}
        made = {}
        for number, row in enumerate(rows):
            given = {**shared, "file": row.file, "strength": row.strength}
            if not row.file and row.strength:
                given["lora"] = lora
            made[f"rows.row{number}"] = graph.node("FacetLoraGridRow", **_there(given)).out(0)
        said = "\n".join(row.line for row in rows)
        given = {**shared, "rows_said": said, "judge": judge}
        sheet = graph.node("FacetLoraGridSheet", **made, **_there(given))
        return io.NodeOutput(sheet.out(0), sheet.out(1), sheet.out(2), expand=graph.finalize())


def compared_loras(
    run: TrainingRun | None, checkpoints: int, loras: str, connected: bool
) -> list[GridRow]:
    """The LoRAs to compare: the run's checkpoints, those named, the one connected.

    Raises FacetError when one of them is not there.
    """
    from ...engine.scoring.candidates import spread
    from ...engine.scoring.lora_grid import GridRow

    found = []
    for point in spread(run.checkpoints, checkpoints) if run is not None else ():
        below = below_output(point.path)
        if below is None:
            raise FacetError(
                f"The checkpoint {point.path.name} lies outside of ComfyUI's output folder; copy "
                "it to a folder of LoRAs and name it in loras."
            )
        found.append(GridRow(f"step {point.step}", 1.0, below, point.step))
    for name in named(loras):
        grid_file(name)
        found.append(GridRow(Path(name).with_suffix("").as_posix(), 1.0, name))
    return [*found, GridRow("the LoRA", 1.0)] if connected else found


def named(loras: str) -> list[str]:
    """The names in ``loras``, one a line, each once."""
    return list(dict.fromkeys(filter(None, (line.strip() for line in loras.splitlines()))))


def _there(given: dict[str, Any]) -> dict[str, Any]:
    """What is connected of ``given``."""
    return {name: value for name, value in given.items() if value is not None}


NODES = [FacetLoraGrid, FacetLoraGridRow, FacetLoraGridSheet]
