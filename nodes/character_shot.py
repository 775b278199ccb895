"""Everyday use of a finished LoRA: prompts in, pictures of the character out."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import folder_paths
import torch
from comfy_api.latest import io

from ..engine.character import Character
from ..engine.files import contained
from ..engine.sampling import Sampling
from ..engine.shots.dialects import AUTO, dialect_for
from ..engine.shots.modes import ReferenceMode, is_patched
from ..engine.shots.sizes import MEGAPIXEL, canvas_for
from . import sockets
from .identity import shown_progress
from .inputs import (
    face_detection_input,
    model_inputs,
    negative_input,
    sampling_from,
    sampling_inputs,
)
from .page import below_output
from .studio import said_by

LOGGER = logging.getLogger(__name__)
NOTHING = "none"


class FacetCharacterShot(io.ComfyNode):
    """Makes pictures of the character with its LoRA."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetCharacterShot",
            display_name="Facet Character Shot",
            category="Facet/Identity",
            description="Makes pictures with a finished LoRA. The trigger is put into each prompt, "
            "the picture is held against the original, and tried again in other words or at "
            "another strength when it is somebody else, looks the wrong way or repeats a training "
            "picture. The best is kept in output/facet/<character>/pictures.",
            search_aliases=["use lora", "character prompt", "consistent character", "best of"],
            is_output_node=True,
            inputs=[
                *model_inputs(),
                io.String.Input(
                    "prompt",
                    default="smiling, in a park, three-quarter view left",
                    multiline=True,
                    dynamic_prompts=True,
                    tooltip="What to show, one picture a line. The trigger is put in where it is "
                    "missing.",
                ),
                io.Combo.Input(
                    "lora_name",
                    options=[NOTHING, *folder_paths.get_filename_list("loras")],
                    default=NOTHING,
                    tooltip="The character's LoRA. Its file names the trigger. None where it comes "
                    "through the lora input, or is in the MODEL.",
                ),
                io.Float.Input(
                    "lora_strength",
                    default=1.0,
                    min=0.05,
                    max=3.0,
                    step=0.05,
                    tooltip="The LoRA's strength in the first try; what the Identity Scorer found.",
                ),
                *sampling_inputs(),
                sockets.Character.Input(
                    "character",
                    optional=True,
                    tooltip="The character: its original is what pictures are held against. "
                    "Without it they are not scored.",
                ),
                io.LoraModel.Input(
                    "lora", optional=True, tooltip="The LoRA, where it comes from a node."
                ),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    tooltip="Measures how alike each picture is to the original. Without it nobody "
                    "checks.",
                ),
                face_detection_input("the view is not checked"),
                sockets.ScoreCard.Input(
                    "score",
                    optional=True,
                    tooltip="The Identity Scorer's score of this character: pictures are then "
                    "scored on its scale, 0 anybody, 1 the character.",
                ),
                io.Int.Input(
                    "pictures",
                    default=1,
                    min=1,
                    max=100,
                    optional=True,
                    tooltip="How many pictures to make of each prompt.",
                ),
                io.Int.Input(
                    "tries",
                    default=3,
                    min=1,
                    max=10,
                    optional=True,
                    tooltip="How often a picture is tried until nothing is wrong with it; the best "
                    "try is kept.",
                ),
                io.Float.Input(
                    "min_likeness",
                    default=0.5,
                    min=-1.0,
                    max=1.5,
                    step=0.01,
                    optional=True,
                    tooltip="How alike a picture has to be. With a score, on its scale; else the "
                    "cosine of the CLIP_VISION: about 0.5 for the demo encoder, 0.6 for DINOv2, "
                    "0.8 for CLIP and SigLIP.",
                ),
                io.String.Input(
                    "description",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="The character in words, such as 'short red hair, green eyes', to warn "
                    "of prompts that contradict it. Empty goes by captions and the LoRA's file.",
                ),
                negative_input(),
            ],
            outputs=[
                io.Image.Output(
                    "images", is_output_list=True, tooltip="The best try of each picture."
                ),
                io.Float.Output(
                    "scores",
                    is_output_list=True,
                    tooltip="How alike each picture is: the score, or the cosine without a scale; "
                    "not a number where nothing measured it.",
                ),
                io.String.Output("report", tooltip="What was asked, measured and changed."),
                io.Image.Output("tries_sheet", tooltip="Every try, with the kept one framed."),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def fingerprint_inputs(cls, lora_name: str = NOTHING, **_: Any) -> str:
        path = folder_paths.get_full_path("loras", lora_name) if lora_name != NOTHING else None
        if path is None:
            return lora_name
        found = Path(path).stat()
        return f"{lora_name} {found.st_mtime_ns} {found.st_size}"

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        vae: Any,
        prompt: str,
        lora_name: str,
        lora_strength: float,
        seed: int,
        character: Character | None = None,
        lora: dict[str, torch.Tensor] | None = None,
        clip_vision: Any = None,
        face_detection_model: Any = None,
        score: Any = None,
        pictures: int = 1,
        tries: int = 3,
        min_likeness: float = 0.5,
        description: str = "",
        negative: str = "",
        **sampling_widgets: Any,
    ) -> io.NodeOutput:
        from ..engine.identity.use.conflicts import said_of
        from ..engine.identity.use.judge import Judge
        from ..engine.identity.use.lora import LoraFile, agreed, read_lora_file
        from ..engine.identity.use.make import Shoot, Studio, prompt_lines
        from ..engine.identity.use.report import report, sheet
        from ..engine.identity.use.store import Pictures

        with said_by(cls):
            prompts = prompt_lines(prompt)
            path = chosen(lora_name, lora)
            known = read_lora_file(path) if path else LoraFile(lora) if lora is not None else None
            check_character(character, known is not None, model)
            calls, note = agreed(character, known)
            name = known.character if character is None and known else ""
            shoot = Shoot(
                Studio(
                    model,
                    clip,
                    vae,
                    sampling_for(character, model, **sampling_widgets),
                    negative.strip(),
                    known,
                    lora_strength,
                ),
                calls,
                Judge(
                    character,
                    clip_vision,
                    face_detection_model,
                    None if score is None else score.calibration,
                    min_likeness,
                ),
                Pictures(pictures_folder(character, name)),
                said_of(character, description, known.says if known else ()),
                tries,
                [*filter(None, [note]), *other_score(score, calls.trigger)],
            )
            made = shoot.run(prompts, pictures, seed, shown_progress())
        told = report(made, calls.text or name, [*shoot.notes, *shoot.judge.notes])
        for one in made:
            for conflict in one.conflicts:
                LOGGER.warning("Facet Character Shot: '%s' %s.", one.prompt, conflict.text)
        lora_told = "" if known is None else known.name
        saved = [
            shoot.store.keep(
                one.kept.key, one.kept.image, one.record(lora_told), workflow_texts(cls.hidden)
            )
            for one in made
        ]
        values = [one.kept.verdict.value for one in made]
        return io.NodeOutput(
            [one.kept.image[None] for one in made],
            [float("nan") if value is None else value for value in values],
            told,
            sheet(made)[None],
            ui={"images": [shown(path) for path in saved], "text": (told,)},
        )


def chosen(lora_name: str, lora: Any) -> Path | None:
    """The LoRA file that was chosen; None for none. ValueError when a LoRA is connected too."""
    if lora_name == NOTHING:
        return None
    if lora is not None:
        raise ValueError(
            f"A LoRA is connected and {lora_name!r} is chosen too; set lora_name to "
            f"'{NOTHING}', or disconnect the lora input."
        )
    path = folder_paths.get_full_path("loras", lora_name)
    if path is None:
        raise ValueError(
            f"lora_name is {lora_name!r}, which is in no folder of LoRAs; choose one of the list."
        )
    return Path(path)


def check_character(character: Character | None, has_lora: bool, model: Any) -> None:
    """ValueError when nothing in the inputs knows a character."""
    if has_lora:
        return
    if character is None:
        raise ValueError(
            "There is neither a LoRA nor a character; choose lora_name, or connect both."
        )
    if not is_patched(model):
        raise ValueError(
            "The MODEL carries no LoRA, so it does not know the character; choose lora_name, or "
            "connect the lora."
        )


def sampling_for(character: Character | None, model: Any, **widgets: Any) -> Sampling:
    """The sampling that the widgets describe; no size follows the original, else the model."""
    pixels = dialect_for(AUTO, model, ReferenceMode.TRAINED_LORA.value).pixels
    if character is not None:
        return sampling_from(character, pixels=pixels, **widgets)
    width, height = canvas_for(1, 1, pixels or MEGAPIXEL)
    width, height = widgets.pop("width") or width, widgets.pop("height") or height
    return Sampling(width, height, guidance=widgets.pop("guidance") or None, **widgets)


def pictures_folder(character: Character | None, name: str) -> Path:
    """Where the pictures go, below ComfyUI's output folder."""
    folder = "" if character is None else character.folder_name
    folder = folder or re.sub(r"[^\w-]+", "_", name).strip("_-")[:60] or "lora"
    return contained(Path(folder_paths.get_output_directory()), "facet", folder, "pictures")


def other_score(score: Any, trigger: str) -> list[str]:
    """What to say when the score is another character's."""
    if score is None or not trigger or score.trigger == trigger:
        return []
    return [
        f"The score is of the character with the trigger '{score.trigger}', not '{trigger}': its "
        "scale may not fit."
    ]


def workflow_texts(hidden: Any) -> Mapping[str, str]:
    """What core's own nodes write into a picture, unless that was switched off."""
    from comfy.cli_args import args

    if args.disable_metadata or hidden is None:
        return {}
    told = {"prompt": hidden.prompt, **(hidden.extra_pnginfo or {})}
    return {name: json.dumps(value) for name, value in told.items() if value}


def shown(path: Path) -> dict[str, str]:
    """A picture in the output folder as ComfyUI's page asks for it."""
    inside = Path(below_output(path) or path.name)
    folder = "" if inside.parent == Path() else inside.parent.as_posix()
    return {"filename": inside.name, "subfolder": folder, "type": "output"}


NODES = [FacetCharacterShot]
