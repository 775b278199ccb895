"""The expression editor: faces bent by sliders, presets or a list of expressions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from comfy.utils import ProgressBar
from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from ...engine.core.character import Character
from ...engine.generate.expression.presets import ORIGINAL, OWN
from ...engine.studio.judge import Judge
from ...engine.studio.studio import Studio
from ..common import sockets
from ..common.folders import character_folder
from ..common.inputs import picture
from ..common.node import Node
from .inputs import (
    edits_input,
    expression_inputs,
    known_presets,
    picture_inputs,
    refine_inputs,
)
from .page import FACES

NAME = "Facet Expression Editor"


class FacetExpressionEditor(Node):
    """Gives faces another expression, at the picture's own resolution."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetExpressionEditor",
            display_name=NAME,
            category="Facet/Face",
            description="Pull brows, lids, lips and jaw of a face in the node, or choose "
            "expressions by name. Edits at the image's own resolution; what is not the face "
            "stays identical, bit for bit.",
            is_output_node=True,
            search_aliases=["expression", "emotion", "smile", "wink", "liveportrait", "face rig"],
            inputs=[
                *picture_inputs(),
                *expression_inputs(),
                *refine_inputs(),
                edits_input(),
            ],
            outputs=[
                io.Image.Output(
                    "images", is_output_list=True, tooltip="The edited images, one by one."
                ),
                io.Mask.Output(
                    "masks", is_output_list=True, tooltip="What changed in each of them."
                ),
                sockets.Character.Output(
                    "character", tooltip="The character with the expressions added as shots."
                ),
                io.Image.Output("sheet", tooltip="All of them on one labelled sheet."),
                io.String.Output("report", tooltip="What could not be done, and why."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor | None = None,
        character: Character | None = None,
        studio: Studio | None = None,
        judge: Judge | None = None,
        expression_from: torch.Tensor | None = None,
        preset: str = OWN,
        strength: float = 1.0,
        expressions: str = "",
        shots: str = ORIGINAL,
        face_index: int = 0,
        neutralise: bool = False,
        calibrate: bool = False,
        denoise: float = 0.5,
        seed: int = 0,
        show_original: bool = False,
        face_size: int = 768,
        max_identity_loss: float = 0.1,
        face_edits: str = "",
    ) -> io.NodeOutput:
        from ...engine.generate.expression.editor import ExpressionEditor, ExpressionSettings
        from ...engine.generate.expression.edits import parse_edits
        from ...engine.generate.expression.presets import added, requested_expressions
        from ...engine.generate.expression.run import (
            SHOWN,
            Outcome,
            copied_expression,
            edit_all,
            pictures_from,
            report,
        )
        from ...engine.generate.shots.sheet import draw_sheet

        judge = judge or Judge()
        edits = parse_edits(face_edits)
        pictures = pictures_from(image, character, shots)
        shown = None
        if expression_from is not None:
            shown = picture(expression_from, "expression_from")
        copied = copied_expression(shown, judge.face_model)
        presets = known_presets()
        requests = requested_expressions(
            expressions, preset, strength, added(copied, edits.sliders), presets
        )
        settings = ExpressionSettings(
            face_index,
            edits.points,
            neutralise,
            calibrate,
            denoise,
            face_size,
            max_identity_loss,
            show_original,
        )
        outcome, bar = Outcome(), ProgressBar(len(pictures) * len(requests))
        work: ExpressionEditor | None = None
        for number, one in enumerate(pictures):
            # The shots of a character share one original; pictures are each their own.
            if work is None or work.character is not one.character:
                folder = character_folder(one.character, "expressions")
                work = ExpressionEditor(one.character, settings, folder, judge, studio, seed)
            edit_all(work, one, number, requests, outcome, FACES, partial(bar.update, 1))
        whose = pictures[0].character
        original = outcome.original or whose.source
        sheet = draw_sheet(replace(whose, source=original), outcome.cells)[None]
        missing = f"{NAME}: There is no character here; connect one to get it with its expressions."
        view = {
            "pictures": outcome.pictures,
            "points": edits.points,
            "copied": {name: value for name, value in copied.items() if value},
            "paints": work is not None and work.paints,
            "notes": outcome.notes[:SHOWN],
        }
        return io.NodeOutput(
            outcome.images,
            outcome.masks,
            ExecutionBlocker(missing) if character is None else character.adding(outcome.made),
            sheet,
            report(outcome),
            ui={"facet_expression": [view]},
        )


NODES = [FacetExpressionEditor]
