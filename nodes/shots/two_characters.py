"""Shots of two characters together, for a LoRA of both."""

from __future__ import annotations

from functools import partial
from typing import Any

from comfy_api.latest import io

from ...engine.core.character import Character
from ...engine.generate.shots.plan import ShotPlan
from ..common import sockets
from ..common.node import Node
from .inputs import decisions_input, shooting_inputs
from .shooting import ShootRequest, shoot


class FacetTwoCharacters(Node):
    """Makes pictures of two characters together, and one dataset of both."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetTwoCharacters",
            display_name="Facet Two Characters",
            category="Facet/Shots",
            description="Makes the shots of a plan with two characters in each, checks that both "
            "are recognised in the faces, and joins their datasets for a LoRA of both.",
            is_output_node=True,
            search_aliases=["multi character", "two people", "couple", "joint dataset", "merge"],
            inputs=[
                sockets.Character.Input(
                    "character", tooltip="The first character, with its shots and captions."
                ),
                sockets.Character.Input(
                    "second_character",
                    tooltip="The second one, with a trigger of its own, its shots and captions.",
                ),
                sockets.Plan.Input("plan", tooltip="The shots to make, each with both of them."),
                *shooting_inputs(),
                decisions_input(),
            ],
            outputs=[
                sockets.Character.Output(
                    "character",
                    tooltip="Both as one, with the shots of each and those of both together.",
                ),
                io.Image.Output("sheet", tooltip="The shots of both together on one sheet."),
                io.Image.Output(
                    "images", is_output_list=True, tooltip="The shots of both, one by one."
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def execute(
        cls, character: Character, second_character: Character, plan: ShotPlan, **inputs: Any
    ) -> io.NodeOutput:
        from ...engine.generate.shots.together import joined, together_shoot

        both = joined(character, second_character)
        kind = partial(together_shoot, two=(character, second_character))
        return shoot(cls, both, plan, "together.png", ShootRequest(**inputs), kind)


NODES = [FacetTwoCharacters]
