"""What to shoot."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ..engine.character import Character
from ..engine.shots.plan import PRESETS, ShotPlan, from_lines
from . import sockets

OWN_LINES = "own lines only"


class FacetShotPlan(io.ComfyNode):
    """Plans which shots to make."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetShotPlan",
            display_name="Facet Shot Plan",
            category="Facet/Shots",
            description="Plans shots: a preset, your own lines, or both; and only those that the "
            "character does not have yet.",
            search_aliases=["shot list", "prompt list", "coverage", "dataset plan"],
            inputs=[
                io.Combo.Input(
                    "preset",
                    options=[*PRESETS, OWN_LINES],
                    default="compact LoRA (16)",
                    tooltip="A ready list of shots.",
                ),
                io.String.Input(
                    "lines",
                    default="",
                    multiline=True,
                    placeholder="close-up, left profile, smiling, wearing a red dress, in a park",
                    tooltip="Your own shots, one a line, parts parted by commas. They come after "
                    "the preset's. A line that begins with # is left out.",
                ),
                sockets.Character.Input(
                    "character",
                    optional=True,
                    tooltip="Leaves out what this character already has.",
                ),
            ],
            outputs=[
                sockets.Plan.Output("plan", tooltip="The shots to make."),
                io.String.Output("text", tooltip="The plan in words, one shot a line."),
            ],
        )

    @classmethod
    def execute(cls, preset: str, lines: str, character: Character | None = None) -> io.NodeOutput:
        base = () if preset == OWN_LINES else PRESETS[preset]().requests
        plan = ShotPlan((*base, *from_lines(lines).requests))
        if not plan.requests:
            raise ValueError("Facet Shot Plan: the plan is empty; choose a preset or write a line.")
        if character is not None:
            plan = plan.missing_from(character)
        text = "\n".join(request.label for request in plan.requests)
        shown = text or "The character already has every shot of this plan."
        return io.NodeOutput(plan, text, ui=ui.PreviewText(shown))


NODES = [FacetShotPlan]
