"""What to shoot."""

from __future__ import annotations

from comfy_api.latest import io

from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.generate.shots.plan import ShotPlan, ShotRequest, from_lines
from ...engine.generate.shots.presets import PRESETS
from ...engine.studio.judge import Judge
from ..common import sockets
from ..common.inputs import judge_input
from ..common.node import Node

OWN_LINES = "own lines only"


class FacetShotPlan(Node):
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
                    tooltip="A ready-made list of shots.",
                ),
                io.String.Input(
                    "lines",
                    default="",
                    multiline=True,
                    placeholder="close-up, left profile, smiling, wearing a red dress, in a park",
                    tooltip="Your own shots, one per line, parts separated by commas. They come "
                    "after "
                    "the preset's. A line that begins with # is ignored.",
                ),
                sockets.Character.Input(
                    "character",
                    optional=True,
                    tooltip="Leaves out what this character already has.",
                ),
                io.String.Input(
                    "outfits",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="a red dress",
                    tooltip="Outfits to alternate between, one per line; three or four are "
                    "advised. "
                    "Empty for the preset's. Turnarounds and close-ups use the first.",
                ),
                io.String.Input(
                    "places",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="in a park",
                    tooltip="Places to alternate between, one per line, for shots without a plain "
                    "background. Empty for the preset's.",
                ),
                io.Boolean.Input(
                    "only_missing",
                    default=True,
                    optional=True,
                    tooltip="Leaves out what the connected character already covers: with a shot "
                    "made "
                    "from the same line, or with one that shows all of it and more.",
                ),
                judge_input(
                    "Measures view and framing of untagged images by their faces, so that they "
                    "count as coverage too."
                ),
            ],
            outputs=[
                sockets.Plan.Output("plan", tooltip="The shots to make."),
                io.String.Output("text", tooltip="The plan in words, one shot a line."),
                io.Image.Output(
                    "coverage",
                    tooltip="Requested and existing shots, axis by axis, as an image.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        preset: str,
        lines: str,
        character: Character | None = None,
        outfits: str = "",
        places: str = "",
        only_missing: bool = True,
        judge: Judge | None = None,
    ) -> io.NodeOutput:
        from ...engine.generate.shots.coverage import coverage, coverage_image, looked_at

        base: tuple[ShotRequest, ...] = ()
        if preset != OWN_LINES:
            base = PRESETS[preset](_each(outfits), _each(places)).requests
        plan = ShotPlan((*base, *from_lines(lines).requests))
        if not plan.requests:
            raise FacetError("Facet Shot Plan: the plan is empty; choose a preset or write a line.")
        if character is not None and judge is not None and judge.face_model is not None:
            character = looked_at(character, judge.face_model)
        covered = coverage(plan, character if only_missing else None)
        if character is not None and only_missing:
            plan = plan.missing_from(character)
        text = "\n".join(request.label for request in plan.requests)
        image = coverage_image(covered, "" if character is None else character.name)
        shown = {"text": [covered.table()], "facet_coverage": [covered.record()]}
        return io.NodeOutput(plan, text, image[None], ui=shown)


def _each(lines: str) -> tuple[str, ...]:
    """The lines with something in them; a "wearing" before an outfit is left out."""
    stripped = (line.strip() for line in lines.splitlines())
    return tuple(line.removeprefix("wearing ") for line in stripped if line)


NODES = [FacetShotPlan]
