"""The shooting: the views around the character, and the shots of a plan."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ...engine.core.character import Character
from ...engine.generate.shots.plan import ShotPlan
from ...engine.generate.shots.presets import turnaround
from ..common import sockets
from ..common.node import Node
from .inputs import decisions_input, shooting_inputs, shot_outputs
from .shooting import ShootRequest, shoot


class FacetTurnaroundSheet(Node):
    """Makes the views around the character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetTurnaroundSheet",
            display_name="Facet Turnaround Sheet",
            category="Facet/Shots",
            description="Front, three-quarter, profile and back views. Each is made from the "
            "original, measured, and retried when its view or identity fails.",
            is_output_node=True,
            search_aliases=["character sheet", "turnaround", "multi view", "reference sheet"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                *shooting_inputs(),
                io.Combo.Input(
                    "framing",
                    options=["close_up", "medium", "full"],
                    default="medium",
                    optional=True,
                    tooltip="How much of the character each view shows.",
                ),
                io.String.Input(
                    "outfit",
                    default="",
                    optional=True,
                    tooltip="What is worn in every view; empty leaves it to the original.",
                ),
                io.String.Input(
                    "background",
                    default="plain grey background",
                    optional=True,
                    tooltip="What is behind the character in every view.",
                ),
                decisions_input(),
            ],
            outputs=[
                sockets.Character.Output(
                    "character", tooltip="The character with the views added."
                ),
                io.Image.Output("sheet", tooltip="All views on one labelled sheet."),
                io.Image.Output("images", is_output_list=True, tooltip="The views, one by one."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        framing: str = "medium",
        outfit: str = "",
        background: str = "plain grey background",
        **inputs: Any,
    ) -> io.NodeOutput:
        plan = turnaround(framing, outfit.strip(), background.strip())
        return shoot(cls, character, plan, "sheet.png", ShootRequest(**inputs))


class FacetShotGenerator(Node):
    """Makes the shots of a plan."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetShotGenerator",
            display_name="Facet Shot Generator",
            category="Facet/Shots",
            description="Makes every shot of a plan from the original, measures it, retries it "
            "when a gate fails, and saves it at once.",
            is_output_node=True,
            search_aliases=["dataset generator", "character shots", "synthetic dataset"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                sockets.Plan.Input("plan", tooltip="The shots to make."),
                *shooting_inputs(),
                decisions_input(),
            ],
            outputs=shot_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def execute(cls, character: Character, plan: ShotPlan, **inputs: Any) -> io.NodeOutput:
        return shoot(cls, character, plan, "shots.png", ShootRequest(**inputs))


NODES = [FacetTurnaroundSheet, FacetShotGenerator]
