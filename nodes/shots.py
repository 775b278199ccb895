"""What to shoot, and the shooting of it."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import ComfyAPISync, io, ui

from ..engine.character import Character, Shot
from ..engine.files import write_atomic
from ..engine.pictures import image_bytes
from ..engine.shots.accept import Gates, Thresholds
from ..engine.shots.conditioning import ReferenceMode
from ..engine.shots.make import Progress, Shoot, Studio
from ..engine.shots.plan import PRESETS, ShotPlan, from_lines, turnaround
from ..engine.shots.sheet import draw_sheet
from ..engine.shots.store import ShotStore
from . import sockets
from .folders import character_folder
from .inputs import model_inputs, sampling_from, sampling_inputs

OWN_LINES = "own lines only"


def studio_inputs() -> list[io.Input]:
    """Everything that both shooting nodes need besides what they shoot."""
    return [
        *model_inputs(),
        io.Combo.Input(
            "reference_mode",
            options=ReferenceMode,
            default=ReferenceMode.AUTO,
            tooltip="How the model is shown the original: reference_latents for edit models "
            "(Kontext, Flux2, the demo), img2img for any model, patched_model when IP-Adapter "
            "or PuLID is already applied. Auto asks when it cannot be sure.",
        ),
        *sampling_inputs(),
        sockets.FaceDetection.Input(
            "face_detection_model",
            optional=True,
            tooltip="Measures which way each face looks. Without it the view is not checked.",
        ),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Measures how alike each shot is to the original. Without it nobody checks.",
        ),
        io.Int.Input(
            "tries",
            default=3,
            min=1,
            max=10,
            optional=True,
            advanced=True,
            tooltip="How often a shot is tried until it passes; the best try is kept.",
        ),
        io.Float.Input(
            "max_yaw_error",
            default=12.0,
            min=1.0,
            max=90.0,
            step=1.0,
            optional=True,
            advanced=True,
            tooltip="How far the face may be turned from the view asked for, in degrees.",
        ),
        io.Float.Input(
            "min_identity",
            default=0.5,
            min=-1.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="How alike a shot has to be: cosine of the CLIP_VISION embeddings. About 0.5 "
            "for the demo encoder, 0.6 for DINOv2, 0.8 for CLIP and SigLIP.",
        ),
        io.String.Input(
            "negative",
            default="",
            optional=True,
            advanced=True,
            tooltip="What the pictures should not show.",
        ),
        io.Float.Input(
            "denoise",
            default=0.75,
            min=0.05,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="With img2img: how far a shot may move from the original.",
        ),
    ]


def likeness_input() -> io.Input:
    """What came later, and so stands last in both shooting nodes."""
    return io.Boolean.Input(
        "strengthen_likeness",
        default=False,
        optional=True,
        advanced=True,
        tooltip="CFG strengthens the likeness along with the words: the negative does not see the "
        "original. For edit models that use a cfg above 1, such as the demo's.",
    )


def shoot(
    character: Character,
    plan: ShotPlan,
    *,
    model: Any,
    clip: Any,
    vae: Any,
    reference_mode: str,
    seed: int,
    face_detection_model: Any = None,
    clip_vision: Any = None,
    tries: int = 3,
    max_yaw_error: float = 12.0,
    min_identity: float = 0.5,
    negative: str = "",
    denoise: float = 0.75,
    strengthen_likeness: bool = False,
    **sampling_widgets: Any,
) -> list[Shot]:
    """Makes the shots of ``plan``, with a progress bar and a preview of each as it comes."""
    sampling = sampling_from(character, **sampling_widgets)
    studio = Studio(
        model,
        clip,
        vae,
        sampling,
        ReferenceMode(reference_mode),
        negative.strip(),
        denoise,
        strengthen_likeness,
    )
    gates = Gates(
        character.source.image,
        Thresholds(max_yaw_error, min_identity),
        face_detection_model,
        clip_vision,
    )
    progress = ComfyAPISync().execution.set_progress

    def show(done: Progress) -> None:
        progress(done.number, done.total, preview_image=done.shot.image[None])

    progress(0, max(1, len(plan.requests)))
    return Shoot(character, studio, gates, seed, tries).run(
        plan, ShotStore(character_folder(character, "shots")), on_shot=show
    )


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


class FacetTurnaroundSheet(io.ComfyNode):
    """Makes the views around the character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetTurnaroundSheet",
            display_name="Facet Turnaround Sheet",
            category="Facet/Shots",
            description="Front, three-quarter, profile and back views, each made from the "
            "original, measured, and tried again when it shows the wrong view or somebody else.",
            is_output_node=True,
            search_aliases=["character sheet", "turnaround", "multi view", "reference sheet"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                *studio_inputs(),
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
                likeness_input(),
            ],
            outputs=[
                sockets.Character.Output(
                    "character", tooltip="The character with the views added."
                ),
                io.Image.Output("sheet", tooltip="All views on one labelled sheet."),
                io.Image.Output("images", is_output_list=True, tooltip="The views, one by one."),
            ],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        framing: str = "medium",
        outfit: str = "",
        background: str = "plain grey background",
        **studio: Any,
    ) -> io.NodeOutput:
        plan = turnaround(framing, outfit.strip(), background.strip())
        return finished(character, shoot(character, plan, **studio), "sheet.png", cls)


class FacetShotGenerator(io.ComfyNode):
    """Makes the shots of a plan."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetShotGenerator",
            display_name="Facet Shot Generator",
            category="Facet/Shots",
            description="Makes every shot of a plan from the original, measures it, tries again "
            "when it is not what was asked, and keeps it on disk at once.",
            is_output_node=True,
            search_aliases=["dataset generator", "character shots", "synthetic dataset"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                sockets.Plan.Input("plan", tooltip="The shots to make."),
                *studio_inputs(),
                likeness_input(),
            ],
            outputs=[
                sockets.Character.Output(
                    "character", tooltip="The character with the shots added."
                ),
                io.Image.Output("sheet", tooltip="All shots on one labelled sheet."),
                io.Image.Output("images", is_output_list=True, tooltip="The shots, one by one."),
            ],
        )

    @classmethod
    def execute(cls, character: Character, plan: ShotPlan, **studio: Any) -> io.NodeOutput:
        return finished(character, shoot(character, plan, **studio), "shots.png", cls)


def finished(
    character: Character, shots: list[Shot], file: str, node: type[io.ComfyNode]
) -> io.NodeOutput:
    """The outputs of both shooting nodes: the character, the sheet (shown, saved), the pictures."""
    sheet: torch.Tensor = draw_sheet(character, shots)[None]
    write_atomic(character_folder(character, file), image_bytes(sheet[0]))
    return io.NodeOutput(
        character.adding(shots),
        sheet,
        [shot.image[None] for shot in shots],
        ui=ui.PreviewImage(sheet, cls=node),
    )


NODES = [FacetShotPlan, FacetTurnaroundSheet, FacetShotGenerator]
